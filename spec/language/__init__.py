"""The language that clauses are written in."""

from tenet.spec.language.capability import CAPABILITIES
from tenet.spec.language.checks import (
    Mismatch,
    Misuse,
    assert_close,
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
)
from tenet.spec.language.clause import Clause, ClauseError, clause, for_all, registry
from tenet.spec.language.reading import dtype_name, elements, home, read
from tenet.spec.language.staging import compiles, staged
from tenet.spec.language.statement import Statement, statements
from tenet.spec.language.tally import Tally, case, counting, has, supported, tally

__all__ = [
    "CAPABILITIES",
    "Clause",
    "ClauseError",
    "Mismatch",
    "Misuse",
    "Statement",
    "Tally",
    "assert_close",
    "assert_equal",
    "assert_metadata",
    "assert_raises",
    "assert_same_object",
    "assert_that",
    "case",
    "clause",
    "compiles",
    "counting",
    "dtype_name",
    "elements",
    "for_all",
    "has",
    "home",
    "read",
    "registry",
    "staged",
    "statements",
    "supported",
    "tally",
]
