"""Stand-alone scripts that show a failure: the calls of the smallest example, and no Tenet."""
