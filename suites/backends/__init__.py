"""Backends that nobody here wrote, each a file for `--backend-file`: `python -m
tenet.suites.backends NAME` makes an environment for one and judges it there."""
