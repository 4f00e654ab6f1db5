"""`tenet report`: records as a page, or as a file that other programs read."""

from __future__ import annotations

import argparse

FORMATS = ("html", "markdown", "json", "junit", "github")
_SUFFIXES = {"html": ".html", "markdown": ".md", "json": ".json", "junit": ".xml", "github": ".txt"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "report",
        help="records as a page, Markdown, JSON, JUnit XML or GitHub annotations",
        description="Writes one self-contained HTML page about the records: what each backend "
        "holds to, each failure explained, and how each clause fared over time.",
        epilog="exit status: 0 written, 2 bad usage; `tenet gate` judges records",
    )
    parser.add_argument("records", nargs="+", metavar="RECORD", help="records of `tenet run`")
    parser.add_argument(
        "--bench",
        action="append",
        default=[],
        metavar="FILE",
        help="a record of `tenet bench` for the page; repeat for several",
    )
    parser.add_argument("--audit", metavar="FILE", help="a record of `tenet audit` for the page")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="html",
        help="default: html; github: workflow commands, which GitHub shows as annotations",
    )
    parser.add_argument(
        "--to",
        metavar="FILE",
        help="write into this file, or - for the terminal; default: tenet-report with the "
        "suffix of the format",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    import json
    import sys
    from pathlib import Path

    from tenet.harness.errors import UsageError
    from tenet.harness.record import read_record
    from tenet.harness.report.content import as_json, columns, sections
    from tenet.spec.sections import SECTIONS, specification

    if options.format != "html" and (options.bench or options.audit):
        raise UsageError("--bench and --audit are for the page; leave --format out")
    clauses = specification()
    made = columns([read_record(Path(path)) for path in options.records])
    parts = sections(made, SECTIONS)
    if options.format == "json":
        text = json.dumps(as_json(made), ensure_ascii=False, indent=1) + "\n"
    elif options.format == "markdown":
        from tenet.harness.report.texts import as_markdown

        text = as_markdown(made, parts, clauses)
    elif options.format == "junit":
        from tenet.harness.report.texts import as_junit

        text = as_junit(made, clauses)
    elif options.format == "github":
        from tenet.harness.report.texts import as_github

        text = as_github(made, clauses)
    else:
        from tenet.harness.report.extras import examined, measured
        from tenet.harness.report.page import as_html

        timed = measured([Path(path) for path in options.bench])
        audit = examined(Path(options.audit)) if options.audit else None
        text = as_html(made, parts, clauses, timed, audit)
    if options.to == "-":
        sys.stdout.write(text)
        return 0
    path = Path(options.to or f"tenet-report{_SUFFIXES[options.format]}")
    try:
        with path.open("w" if options.force else "x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; name a new file with --to, or --force") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from error
    print(f"{path}: {len(made)} records, {len(text.encode(errors='replace')):,} bytes")
    return 0
