"""Verdicts: each of them, from the smallest clause that earns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import a_clause
from hypothesis import assume
from hypothesis import strategies as st

from tenet.harness.backend import Backend
from tenet.harness.judge import judge, replay
from tenet.harness.verdict import Judgement, Verdict
from tenet.spec.cases import Operand, operands
from tenet.spec.language import (
    ClauseError,
    assert_equal,
    assert_that,
    case,
    clause,
    supported,
)
from tenet.spec.model import tolerance

CPU = Backend("cpu")


def judged(check: Callable[..., None], backend: Backend = CPU, **drawn: Any) -> Judgement:
    return judge(a_clause(check, **drawn), backend, examples=100, seed=0)


def test_passed_counts_what_it_did() -> None:
    def check(torch: Any, device: str, n: int) -> None:
        assume(n % 2)
        assert_equal(torch.tensor(n, device=device), np.int64(n))
        assert_that(True, "")

    judgement = judged(check, n=st.integers(0, 10**6))
    assert judgement.verdict is Verdict.PASSED
    assert judgement.asserted >= 100
    assert judgement.cases == 2 * judgement.asserted
    assert judgement.discarded == judgement.examples - judgement.asserted > 0


def test_examples_that_show_nothing_new_are_passed_over() -> None:
    tried = []

    def check(torch: Any, device: str, n: int) -> None:
        tried.append(n)
        assert_that(True, "")

    def shows(n: int) -> set[str]:
        return {f"{'even' if n % 2 == 0 else 'odd'}", "large" if n > 500 else "small"}

    choosy = replace(a_clause(check, n=st.integers(0, 1000)), shows=shows)
    judgement = judge(choosy, CPU, examples=100, seed=0)
    assert judgement.verdict is Verdict.PASSED
    assert 2 <= len(tried) == judgement.examples <= 4
    assert set().union(*map(shows, tried)) == {"even", "odd", "small", "large"}


def test_failed_names_the_smallest_example_and_its_case() -> None:
    def check(torch: Any, device: str, n: int) -> None:
        for dtype in ("int32", "int64"):
            with case(dtype=dtype):
                assert_that(n < 37 or dtype == "int32", f"{n} is too large")

    judgement = judged(check, n=st.integers(0, 1000))
    assert judgement.verdict is Verdict.FAILED
    assert judgement.failure is not None
    assert judgement.failure.example == {"n": 37}
    assert judgement.failure.case == {"dtype": "int64"}


def test_what_a_backend_raises_is_a_failure() -> None:
    def check(torch: Any, device: str) -> None:
        torch.zeros(2) @ torch.zeros(3)

    judgement = judged(check)
    assert judgement.verdict is Verdict.FAILED
    assert judgement.failure is not None
    assert judgement.failure.what == "raised"
    assert "RuntimeError" in judgement.failure.got


def test_an_oracle_that_raises_is_an_error_of_the_check() -> None:
    def check(torch: Any, device: str) -> None:
        tolerance.ulp(np.zeros(1), "float8")

    assert judged(check).verdict is Verdict.ERRORED


def test_a_comparison_that_is_written_wrongly_is_an_error_of_the_check() -> None:
    def check(torch: Any, device: str) -> None:
        assert_equal(torch.zeros(1), [0.0])

    assert judged(check).verdict is Verdict.ERRORED


def test_a_strategy_that_raises_is_an_error_of_the_check() -> None:
    def check(torch: Any, device: str, n: int) -> None:
        assert_that(True, "")

    judgement = judged(check, n=st.integers(0, 9).map(lambda n: 1 // (n - n)))
    assert judgement.verdict is Verdict.ERRORED
    assert "ZeroDivisionError" in judgement.reason


@pytest.mark.parametrize("drawn", [{}, {"n": st.integers(0, 9)}])
def test_a_clause_that_compares_nothing_is_vacuous(drawn: dict[str, Any]) -> None:
    def check(torch: Any, device: str, n: int = 0) -> None:
        torch.zeros(n)

    assert judged(check, **drawn).verdict is Verdict.VACUOUS


def test_a_clause_that_discards_everything_is_vacuous() -> None:
    def check(torch: Any, device: str, n: int) -> None:
        assume(False)
        assert_that(True, "")

    judgement = judged(check, n=st.integers(0, 9))
    assert judgement.verdict is Verdict.VACUOUS
    assert judgement.discarded == judgement.examples > 0


def test_what_a_backend_lacks_is_unsupported_and_never_a_pass() -> None:
    def check(torch: Any, device: str) -> None:
        for dtype in supported(["float64"]):
            assert_that(True, dtype)

    lacking = Backend("small", lacks={"float64": "no such hardware"})
    judgement = judged(check, lacking)
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.reason == "float64: no such hardware"
    assert judged(check).verdict is Verdict.PASSED
    asked = judge(a_clause(check, requires={"float64"}), lacking, examples=1, seed=0)
    assert asked.verdict is Verdict.UNSUPPORTED


def test_a_failure_that_does_not_repeat_is_still_a_failure() -> None:
    seen: set[int] = set()

    def check(torch: Any, device: str, n: int) -> None:
        fresh = n not in seen
        seen.add(n)
        assert_that(not (fresh and n > 500), "wrong once")

    judgement = judged(check, n=st.integers(0, 1000))
    assert judgement.verdict is Verdict.FAILED
    assert "did not repeat" in judgement.reason


def test_a_failure_is_replayed_from_its_encoded_example() -> None:
    def check(torch: Any, device: str, operand: Operand) -> None:
        assert_that(operand.layout != "stepped", "stepped")

    broken = a_clause(check, operand=operands())
    judgement = judge(broken, CPU, examples=200, seed=0)
    assert judgement.failure is not None
    assert judgement.failure.example is not None
    assert replay(broken, CPU, judgement.failure.example).verdict is Verdict.FAILED
    stored = Judgement.from_json(judgement.to_json())
    assert stored == judgement


def test_a_backend_that_exits_fails_the_clause_only() -> None:
    def check(torch: Any, device: str) -> None:
        raise SystemExit(3)

    assert judged(check).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("id", "covers", "requires", "said"),
    [
        ("elsewhere.slug", ["dlnotes.equal"], (), "the id must be test_judge"),
        ("test_judge.a", [], (), "covers no statement"),
        ("test_judge.b", ["dlnotes.equall"], (), "no statement 'dlnotes.equall'"),
        ("test_judge.c", ["dlnotes.equal"], ("vews",), "did you mean 'views'?"),
    ],
)
def test_a_clause_that_is_declared_wrongly_is_refused(
    id: str, covers: list[str], requires: tuple[str, ...], said: str
) -> None:
    def check(torch: Any, device: str) -> None:
        """A behaviour."""

    with pytest.raises(ClauseError, match=said.replace("?", r"\?")):
        clause(id, covers=covers, requires=requires)(check)


def test_parameters_that_nothing_draws_are_refused() -> None:
    def check(torch: Any, device: str, n: int) -> None:
        """A behaviour."""

    with pytest.raises(ClauseError, match="is called with"):
        clause("test_judge.d", covers=["dlnotes.equal"])(check)
