"""`tenet spec`: read the specification."""

from __future__ import annotations

import argparse


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "spec",
        help="read the specification",
        description="Prints the documented statements with the clauses that check them.",
    )
    parser.add_argument("clause", nargs="?", metavar="CLAUSE", help="one clause, with its source")
    parser.add_argument("--uncovered", action="store_true", help="statements without a clause")
    parser.add_argument("--capabilities", action="store_true", help="what a backend may lack")
    parser.set_defaults(command=_spec)


def _spec(options: argparse.Namespace) -> int:
    from tenet.harness import specification

    if options.clause is not None:
        lines = specification.clause_text(options.clause)
    elif options.uncovered:
        lines = specification.uncovered_text()
    elif options.capabilities:
        lines = specification.capabilities_text()
    else:
        lines = specification.whole_text()
    for line in lines:
        print(line)
    return 0
