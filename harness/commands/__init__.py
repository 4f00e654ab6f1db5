"""The subcommands of `tenet`, a module each.

`add_to` says what a command takes. What it needs to do its work it imports when it runs, so that
`tenet --help` answers at once.
"""
