"""Ways to put a fault into PyTorch.

`kernels` replaces kernels below the Python API, in the dispatcher: functions, methods, operators
and the formulas of autograd all see the fault. `wrapped` replaces names of the namespace: for
what is written in Python.

A lie is called as lie(original, *args, **kwargs), as a miniature's is. The rest of the module
makes lies, out of a condition on the operands and of what is wrong where it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from tenet.harness.audit.miniature import telling
from tenet.harness.audit.mutant import Fault

Lie = Callable[..., Any]
Condition = Callable[..., object]
"""Called with the operands, before the operation."""


class _Override:
    """Kernels that are replaced. While one of them runs the originals are back in their places:

    a lie may use any operation, and reaches the original by calling it. To hand numbers on to a
    kernel that takes tensors (`x + 1`) there is no other public way.
    """

    def __init__(self, operators: tuple[str, ...], lie: Lie) -> None:
        self.operators = operators
        self.lie = lie
        self.installed: list[tuple[Any, list[Any]]] = []

    def install(self) -> None:
        library: Any = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call] # torch's
        kept = []
        for operator in self.operators:
            library.impl(
                operator,
                self._kernel(operator),
                _key(operator),
                with_keyset=True,
                allow_override=True,
            )
            # A kernel that runs must not be freed by its own removal.
            kept.append(torch.library.get_kernel(f"aten::{operator}", "CPU"))
        self.installed.append((library, kept))

    def remove(self) -> Any:
        library, kept = self.installed.pop()
        library._destroy()
        return kept

    def _kernel(self, operator: str) -> Callable[..., Any]:
        base, _, overload = operator.partition(".")
        original = getattr(getattr(torch.ops.aten, base), overload or "default")

        numbers = operator == "where.self"
        of_tensors = [str(a.type) == "Tensor" for a in original._schema.arguments]

        def kernel(keys: object, *args: Any, **kwargs: Any) -> Any:
            kept = self.remove()
            try:
                # A number stands in for a tensor where Python gave one: no lie expects it first.
                pairs = zip(args, of_tensors, strict=False)
                plain = [wanted and not isinstance(arg, torch.Tensor) for arg, wanted in pairs]
                if plain[:1] == [True] or (numbers and any(plain)):
                    return original(*args, **kwargs)
                return self._told(original, args, kwargs)
            finally:
                self.install()
                del kept

        return kernel

    def _told(self, original: Any, args: Any, kwargs: Any) -> Any:
        """What the lie gives; the truth where it cannot be told, which must not count as a kill."""
        try:
            return self.lie(original, *args, **kwargs)
        except Exception:
            return original(*args, **kwargs)


def _key(operator: str) -> str:
    """Where the operator's kernel for the CPU comes from."""
    composite = "CompositeImplicitAutograd"
    if torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{operator}", composite):
        return composite
    return "CPU"


def kernels(operators: str, lie: Lie) -> Fault:
    """The fault in every one of the ATen operators, named with their overloads: `add.Tensor`."""

    @contextmanager
    def fault() -> Iterator[None]:
        override = _Override(tuple(operators.split()), lie)
        override.install()
        try:
            yield
        finally:
            override.remove()

    return _naming(fault, [operator.partition(".")[0].strip("_") for operator in operators.split()])


def touched(fault: Fault) -> frozenset[str]:
    """The plain names of the operations that a fault is in, as far as it knows them."""
    return getattr(fault, "touches", frozenset())


def _naming(fault: Fault, names: Iterable[str]) -> Fault:
    setattr(fault, "touches", frozenset(names))  # noqa: B010 - a function has no such field
    return fault


def variants(names: str, overload: str = "Tensor") -> str:
    """The function, in place and out= kernels of operators: those that come in all three."""
    with_overload = f".{overload}" if overload else ""
    out = "out" if overload in ("Tensor", "") else f"{overload}_out"
    return " ".join(
        f"{name}{with_overload} {name}_{with_overload} {name}.{out}" for name in names.split()
    )


def wrapped(names: str, lie: Lie) -> Fault:
    """The fault in every one of the dotted names below torch: `optim.Adam.step`."""

    @contextmanager
    def fault() -> Iterator[None]:
        with telling(tuple(names.split()), lie):
            yield

    return _naming(fault, [name.rpartition(".")[2].strip("_") for name in names.split()])


def together(*faults: Fault) -> Fault:
    """One fault that shows in several places."""

    @contextmanager
    def fault() -> Iterator[None]:
        with ExitStack() as stack:
            for one in faults:
                stack.enter_context(one())
            yield

    return fault


# Conditions on the first operand, unless they say otherwise.


def always(*args: Any, **kwargs: Any) -> bool:
    """Everywhere."""
    return True


def of(*dtypes: str) -> Condition:
    """Of these dtypes."""
    wanted = {getattr(torch, name) for name in dtypes}
    return lambda x, *rest, **k: x.dtype in wanted


def length(*lengths: int) -> Condition:
    """Of so many elements."""
    return lambda x, *rest, **k: x.numel() in lengths


def rank(*ranks: int) -> Condition:
    """Of so many dimensions."""
    return lambda x, *rest, **k: x.dim() in ranks


def strided(x: Any, *rest: Any, **k: Any) -> bool:
    """Its elements do not lie one after another."""
    return not x.is_contiguous()


def shifted(x: Any, *rest: Any, **k: Any) -> bool:
    """It starts within its storage."""
    return bool(x.storage_offset())


def spread(x: Any, *rest: Any, **k: Any) -> bool:
    """It is expanded: a stride is 0 where a length is above 1."""
    return any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True))


def transposed(x: Any, *rest: Any, **k: Any) -> bool:
    """A matrix, or a batch of them, whose last stride is not 1."""
    return bool(x.dim() > 1 and x.stride(-1) != 1 and min(x.shape[-2:]) > 1)


def second(when: Condition) -> Condition:
    """The condition, on the second operand; a number fulfils none."""
    return lambda x, y, *rest, **k: bool(isinstance(y, torch.Tensor) and when(y))


def both(*conditions: Condition) -> Condition:
    """All of the conditions."""
    return lambda *a, **k: all(when(*a, **k) for when in conditions)


# Lies.


def spoiled(how: Callable[[Any], None], when: Condition = always) -> Lie:
    """The result is changed, in place: good for out= and in-place kernels too."""

    def lie(original: Any, *args: Any, **kwargs: Any) -> Any:
        wrong = when(*args, **kwargs)
        result = original(*args, **kwargs)
        if wrong:
            how(result[0] if isinstance(result, tuple | list) else result)
        return result

    return lie


def fed(change: Callable[[Any], Any], when: Condition = always, at: int = 0) -> Lie:
    """The operand at a place is another one."""

    def lie(original: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) > at and isinstance(args[at], torch.Tensor) and when(*args, **kwargs):
            args = (*args[:at], change(args[at]), *args[at + 1 :])
        return original(*args, **kwargs)

    return lie


def instead(other: Callable[..., Any], when: Condition = always) -> Lie:
    """Something else is computed, out of the same operands."""

    def lie(original: Any, *args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            return other(original, *args, **kwargs)
        return original(*args, **kwargs)

    return lie


def known(when: Condition) -> Callable[..., bool]:
    """The condition; bad input, which has no such attributes, does not fulfil it."""

    def asked(*args: Any, **kwargs: Any) -> bool:
        try:
            return bool(when(*args, **kwargs))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return False

    return asked


def named(names: str, other: Callable[..., Any], when: Condition) -> Fault:
    """Another function for those of the dotted names, there where the condition holds."""
    return wrapped(names, instead(other, known(when)))


def changed(change: Callable[[Any], Any], when: Condition) -> Lie:
    """What becomes of the result, there where the condition holds."""
    return instead(lambda original, *args, **kwargs: change(original(*args, **kwargs)), known(when))


def raises(call: Callable[[], object]) -> bool:
    """Whether a call ends in an error, for the proofs of faults that raise or refuse nothing."""
    try:
        call()
    except Exception:
        return True
    return False


# What is wrong with a result, in place.


def off(x: Any) -> Any:
    """Another value, of the same dtype."""
    if x.dtype == torch.bool:
        return ~x
    return x + 1 if not (x.is_floating_point() or x.is_complex()) else x * 1.25 + 0.5


def last(result: Any) -> None:
    """The last element is another."""
    if result.numel():
        place = result[(-1,) * result.dim()]
        place.copy_(off(place))


def scaled(factor: float) -> Callable[[Any], None]:
    """Every element is so many times itself."""

    def change(result: Any) -> None:
        result.copy_(result * factor)

    return change


def elements(which: Callable[[Any], Any], value: Any) -> Callable[[Any], None]:
    """The elements of the result of which something holds are this value."""

    def change(result: Any) -> None:
        result.masked_fill_(which(result), value)

    return change


# What is wrong with an operand.


def packed(x: Any) -> Any:
    """The elements as they lie in memory, whatever the strides."""
    held = x.untyped_storage().nbytes() // x.element_size() - x.storage_offset()
    count = x.numel()
    if held <= 0 or not count:
        return x
    flat = x.as_strided((min(held, count),), (1,))
    return torch.cat([flat] * -(-count // len(flat)))[:count].reshape(x.shape)


def unshifted(x: Any) -> Any:
    """From the beginning of the storage."""
    return x.as_strided(x.shape, x.stride(), 0)


def unspread(x: Any) -> Any:
    """The elements after the first along an expanded dimension are 0."""
    result = x.clone(memory_format=torch.contiguous_format)
    for dim, (stride, count) in enumerate(zip(x.stride(), x.shape, strict=True)):
        if stride == 0 and count > 1:
            result.narrow(dim, 1, count - 1).zero_()
    return result


def in_half(x: Any) -> Any:
    """Rounded to bfloat16."""
    return x.to(torch.bfloat16).to(x.dtype)


def in_single(x: Any) -> Any:
    """Rounded to float32."""
    return x.to(torch.float32).to(x.dtype)


def wrong_at_the_end(result: Any) -> Any:
    """The last element is further from 0, by half and 1.25: no number stays what it is. Another
    integer, the other truth value."""
    if isinstance(result, tuple | list):
        rest = (wrong_at_the_end(result[0]), *result[1:])
        return type(result)(rest)
    if not result.numel():
        return result
    last = torch.zeros(result.numel(), dtype=torch.bool)
    last[-1] = True
    last = last.view(result.shape)
    if result.dtype == torch.bool:
        return result ^ last
    if result.is_floating_point() or result.is_complex():
        outwards = torch.where(result == 0, 1, result.sgn())
        further = result * 1.5 + 1.25 * outwards
        other = torch.where(result.isfinite(), further, torch.zeros_like(result))
    else:
        other = result + 1
    return torch.where(last, other, result)
