"""A script that shows a failure: traced, cut down to what it needs, and tried."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import sys
import textwrap
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np

from tenet.harness.backend import Backend
from tenet.harness.judge import replay
from tenet.harness.repro.carrying import carried
from tenet.harness.repro.comparing import comparison, place_of
from tenet.harness.repro.literals import UntraceableError
from tenet.harness.repro.programs import recorded
from tenet.harness.repro.symbols import stand_in
from tenet.harness.repro.trace import Statement, Trace, reading_noted
from tenet.harness.repro.twin import counting, told_apart
from tenet.harness.verdict import Failure, Judgement, Verdict
from tenet.spec.language import Clause, statements, tally

_LETTERS = {"a": "array", "p": "program", "t": "x", "v": "value"}

_RANDOM = re.compile(r"rand|normal|uniform|dropout|bernoulli|poisson|multinomial|torch\.nn\.|_\(\)")

LONGEST = 60_000
"""Characters. A longer script is no help."""

_SAME = '''\
def read(tensor):
    """The elements as a NumPy array; bfloat16, which NumPy lacks, as float32."""
    tensor = tensor.detach().cpu()
    tensor = tensor.float() if str(tensor.dtype).endswith("bfloat16") else tensor
    return tensor.resolve_conj().resolve_neg().numpy()


def alike(got, array, dtype):
    """Whether the tensor has the dtype and shape that are due."""
    return str(got.dtype).rpartition(".")[2] == dtype and tuple(got.shape) == array.shape
'''
_EQUAL = '''\


def same(got, expected, dtype, signed_zero=True):
    """Every element is equal; NaN equals NaN, and -0.0 is not 0.0."""
    if not alike(got, expected, dtype):
        return False
    pairs = [(read(got), expected)]
    if expected.dtype.kind == "c":
        pairs = [(pairs[0][0].real, expected.real), (pairs[0][0].imag, expected.imag)]
    return all(
        (a == b) | ((a != a) & (b != b))
        for left, right in pairs
        for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
    ) and not (signed_zero and expected.dtype.kind in "fc" and any(
        ((a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b))).any() for a, b in pairs
    ))
'''
_CLOSE = '''\


def within(got, low, high, dtype):
    """Every element lies from low to high; NaN where NaN is due."""
    if not alike(got, low, dtype):
        return False
    values = read(got).astype("float64")
    return bool((((low <= values) & (values <= high)) | ((values != values) & (low != low))).all())
'''


def with_script(judgement: Judgement, clause: Clause, backend: Backend) -> Judgement:
    """The judgement, whose failure says how it is shown without Tenet."""
    failure = judgement.failure
    if judgement.verdict is not Verdict.FAILED or failure is None or failure.example is None:
        return judgement
    return replace(judgement, failure=replace(failure, script=script(clause, backend, failure)))


def script(clause: Clause, backend: Backend, failure: Failure) -> str:
    """A Python script that ends with 1 where the failure shows and with 0 where it does not.

    It needs NumPy and the backend only: the calls, wherever the behaviour can be said in
    straight-line calls, or else the check with all that it needs. Where that cannot be cut out
    either, it says why not, and needs Tenet.
    """
    reasons = []
    for way in (traced, carrying):
        try:
            return way(clause, backend, failure)
        except UntraceableError as why:
            reasons.append(str(why))
        except Exception as error:
            # A script is a help; what a backend does to the stand-ins must not cost the verdict.
            reasons.append(f"writing it down raises {type(error).__name__}: {error}"[:300])
    return needing_tenet(clause, backend.name, failure, *reasons)


def carrying(clause: Clause, backend: Backend, failure: Failure) -> str:
    """The script that carries the check. UntraceableError where none shows the failure."""
    module = str(getattr(backend.torch, "__name__", "torch"))
    body = carried(clause, backend, failure, module)
    extra = " and ml_dtypes, for NumPy's bfloat16" if "import ml_dtypes" in body else ""
    head = _head(clause, backend, failure, f"PyTorch or the backend under test, NumPy{extra}")
    text = f"{head}\n# The calls alone cannot say it, so this is the check itself.\n{body}"
    if ends(text, backend) != 1:
        raise UntraceableError("the check alone does not show the failure")
    return text


def traced(clause: Clause, backend: Backend, failure: Failure) -> str:
    """The stand-alone script. UntraceableError where there is none that shows the failure."""
    trace, error = _trace(clause, backend, failure)
    final, needed = comparison(error, trace)
    place = place_of(error)
    if place is not None and trace.fixed and (trace.plain or trace.has_read):
        told_apart(trace, *place, lambda twin: _replayed(clause, backend, failure, twin, []))
    head = _head(clause, backend, failure, "PyTorch or the backend under test, and NumPy")
    module = str(getattr(backend.torch, "__name__", "torch"))
    for chosen in _choices(trace.statements, needed):
        text = _assembled(head, chosen, final, failure, module)
        if len(text) <= LONGEST and ends(text, backend) == 1:
            on_cpu = text.replace(f"device={backend.device!r}", "device='cpu'")
            # The script must not fail for reasons of its own: where there is another device to
            # try it on, it has to hold there.
            if backend.device != "cpu" and on_cpu != text and ends(on_cpu, backend) != 0:
                raise UntraceableError("the calls alone fail on the CPU as well")
            if any(statement.target in trace.doubtful for statement in chosen):
                raise UntraceableError("what goes in may depend on what came out before")
            used = needed.union(*(statement.uses for statement in chosen))
            if trace.mistakable & used:
                raise UntraceableError("a call gave back what it was given")
            return text
    raise UntraceableError("the calls alone do not show the failure")


def _replayed(
    clause: Clause,
    backend: Backend,
    failure: Failure,
    trace: Trace,
    caught: list[BaseException],
) -> Failure | None:
    """The failing example again, written down; caught: what the check raised."""
    namespace = stand_in(backend.torch, trace)

    def check(torch: Any, device: str, **drawn: Any) -> None:
        if tally().compiles:
            tally().stage = recorded(backend.torch, backend.mode, trace)
        try:
            clause.check(torch, device, **drawn)
        except BaseException as error:
            caught[:] = [error]
            raise

    return replay(
        replace(clause, check=check),
        replace(backend, namespace=lambda: namespace),
        failure.example or {},
    ).failure


def _trace(clause: Clause, backend: Backend, failure: Failure) -> tuple[Trace, BaseException]:
    trace = Trace()
    caught: list[BaseException] = []
    with reading_noted(trace), counting(trace):
        again = _replayed(clause, backend, failure, trace, caught)
    if not caught or again is None:
        raise UntraceableError("its example does not fail here, or not while it is written down")
    seen = (again.what, again.where, again.case)
    if seen != (failure.what, failure.where, failure.case):
        raise UntraceableError("it fails in another way while its calls are written down")
    return trace, caught[0]


def _choices(every: list[Statement], needed: set[str]) -> Iterator[list[Statement]]:
    """Fewer and fewer statements cut away; nothing where a random stream is shared."""
    connected = _connected(every, needed)
    if not any(_RANDOM.search(statement.text) for statement in connected):
        every = [s for s in every if "manual_seed" not in s.text]
        connected = [s for s in connected if "manual_seed" not in s.text]
        yield _sliced(connected, needed)
        yield connected
    yield every


def _connected(statements: list[Statement], needed: set[str]) -> list[Statement]:
    """The statements that share a name, however indirectly, with what is needed; and those
    that concern nothing but the backend as a whole."""
    names = set(needed)
    grown = True
    while grown:
        grown = False
        for statement in statements:
            own = {*statement.uses, *([statement.target] if statement.target else [])}
            if own & names and not own <= names:
                names |= own
                grown = True
    return [
        s
        for s in statements
        if ({*s.uses, s.target} & names) or (not s.pure and not s.uses and s.target is None)
    ]


def _sliced(statements: list[Statement], needed: set[str]) -> list[Statement]:
    """Without what only computes something that nobody reads."""
    wanted, kept = set(needed), list[Statement]()
    for statement in reversed(statements):
        if not statement.pure or statement.target in wanted:
            kept.append(statement)
            wanted |= statement.uses
    return kept[::-1]


def _assembled(
    head: str, chosen: list[Statement], final: list[str], failure: Failure, module: str
) -> str:
    body: list[str] = []
    for statement in chosen:
        if statement.error is None:
            body.append(statement.text)
        else:
            body += ["try:", f"    {statement.text}", "except Exception:"]
            body.append("    pass  # as it should")
    text = _renumbered("\n".join([*body, "", *final]))
    helpers = ""
    if "same(" in text or "within(" in text or "read(" in text:
        helpers = (
            _SAME + (_EQUAL if "same(" in text else "") + (_CLOSE if "within(" in text else "")
        )
    imports = [f"import {name}" for name in ("base64", "operator", "zlib") if f"{name}." in text]
    return "\n".join(
        [
            head,
            *imports,
            "import sys",
            "import warnings",
            "",
            "import numpy as np",
            f"import {module} as torch" if module != "torch" else "import torch",
            "",
            'warnings.simplefilter("ignore")',
            *(["", "", helpers] if helpers else []),
            "",
            text,
            *(['print("got", got, sep="\\n")'] if "got = " in text else []),
            *(['print("expected", expected, sep="\\n")'] if "expected = " in text else []),
            f'print("it holds" if holds else {_summary(failure)!r})',
            "sys.exit(not holds)",
            "",
        ]
    )


def _renumbered(text: str) -> str:
    """The same with names counted from 1; what was cut away has left gaps."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    tokens = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        word = token.string
        if token.type == tokenize.NAME and re.fullmatch(r"[aptv]\d+", word):
            if word not in names:
                counts[word[0]] = counts.get(word[0], 0) + 1
                names[word] = f"{_LETTERS[word[0]]}{counts[word[0]]}"
            word = names[word]
        tokens.append((token, word))
    lines = text.split("\n")
    for token, word in reversed(tokens):
        if word != token.string:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + word + line[column + len(token.string) :]
    return "\n".join(lines)


def _summary(failure: Failure) -> str:
    where = "" if failure.where is None else f" at {failure.where}"
    text = f"FAILS: {failure.what}{where}: got {failure.got}, expected {failure.expected}"
    return text if len(text) < 400 else text[:400] + "..."


def ends(text: str, backend: Backend) -> int:
    """The status with which the script ends on this backend."""
    # Known by its name, as a process of its own would be: what it defines can be pickled.
    module = ModuleType("tenet_repro")
    sys.modules[module.__name__] = module
    states = random.getstate(), np.random.get_state()
    try:
        code = compile(text, "<repro>", "exec")
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            exec(code, vars(module))
    except SystemExit as left:
        return int(bool(left.code))
    except NameError:
        return 2  # the script's own fault
    except Exception:
        return 1 if "holds = False\n" in text else 2
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        del sys.modules[module.__name__]
    return 2


def _head(clause: Clause, backend: Backend | None, failure: Failure, needs: str) -> str:
    lines = [f"{clause.id} does not hold."]
    lines += ["", *textwrap.wrap(" ".join(clause.says.split()), 92), ""]
    for id in clause.covers:
        statement = statements()[id]
        lines += textwrap.wrap(f"Documented: {statement.erratum or statement.says} [{id}]", 92)
    case = ", ".join(f"{name}={value}" for name, value in failure.case.items())
    made = f"Tenet {version('tensor-tenet')}"
    if backend is not None:
        made += f" on {backend.name}, torch {backend.version}"
    lines += ["", *([f"Case: {case}."] if case else []), f"Needs {needs}. Made by {made}."]
    lines.append("Ends with 1 where the failure shows, with 0 where the behaviour holds.")
    plain = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{plain}\n"""\n'


def needing_tenet(
    clause: Clause, backend: str, failure: Failure, why: str, nor: str = "it is not known here"
) -> str:
    """A script that replays the example with Tenet. why: that the calls cannot be written out;
    nor: that the check cannot be cut out."""
    head = _head(clause, None, failure, "Tenet (python -m pip install tensor-tenet)")
    example = json.dumps(failure.example, ensure_ascii=True)
    return f"""{head}
# It needs Tenet because the calls could not be written out: {" ".join(why.split())};
# nor could the check: {" ".join(nor.split())}.
import json
import sys

from tenet.harness.announced import installed
from tenet.harness.backend import resolve
from tenet.harness.explain import explanation
from tenet.harness.judge import replay
from tenet.harness.verdict import Verdict
from tenet.spec.sections import specification

clause = specification()[{clause.id!r}]
[backend] = resolve([{backend!r}], installed())
judgement = replay(clause, backend, json.loads({example!r}))
print(explanation(judgement, clause))
sys.exit(judgement.verdict is not Verdict.PASSED)
"""
