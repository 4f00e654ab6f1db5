"""Options, and kinds of their values, that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenet.harness.backend import Backend


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where backends come from."""
    parser.add_argument(
        "--backend-file",
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file that makes backends; repeat for several",
    )
    parser.add_argument(
        "--import",
        action="append",
        default=[],
        dest="imports",
        metavar="MODULE",
        help="import it first: it brings a device, such as torch_npu",
    )


def backend_from(name: str, options: argparse.Namespace) -> Backend:
    """The backend of that name, as a record has it, from where those options say. UsageError
    where there is none here."""
    from tenet.harness.announced import import_all, installed, of_files
    from tenet.harness.backend import resolve

    import_all(options.imports)
    [backend] = resolve([name], {**installed(), **of_files(options.backend_file)})
    return backend


def at_least(least: int) -> Callable[[str], int]:
    """Whole numbers from `least` up."""

    def whole(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
        return number

    return whole


def day(text: str) -> date:
    """A day, as 2027-06-30."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2027-06-30") from error


def factor(text: str) -> float:
    """A number from 1 up."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no factor from 1 up")
    return number


def percentage(text: str) -> float:
    """A number of percent above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of percent above 0")
    return number
