"""Writes that are refused, or noticed, because a gradient needs what was there."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tenet.spec.autograd.common import (
    NEEDS,
    OPERAND_SAVED,
    SINGLE,
    Act,
    assert_grad,
    leaf,
    plain,
)
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS, numpy_dtype

CHANGES: dict[str, Act] = {
    "add_": lambda torch, t: t.add_(1),
    "mul_": lambda torch, t: t.mul_(2),
    "zero_": lambda torch, t: t.zero_(),
    "fill_": lambda torch, t: t.fill_(1),
    "copy_": lambda torch, t: t.copy_(torch.ones_like(t)),
    "t[0] =": lambda torch, t: t.__setitem__(0, 5),
    "+=": lambda torch, t: t.__iadd__(1),
    "view": lambda torch, t: t.view(-1)[-1].fill_(1),
    "transpose": lambda torch, t: t.t().add_(1),
    "index_fill_": lambda torch, t: t.index_fill_(0, torch.tensor([0], device=t.device), 5),
    "exp_": lambda torch, t: t.exp_(),
}  # fmt: skip
"""In-place changes of a matrix or a vector, all of which count."""

VIEWED: dict[str, Act] = {
    "itself": lambda t: t,
    "row": lambda t: t[0],
    "slice": lambda t: t[..., 1:],
    "step": lambda t: t[..., ::2],
    "transpose": lambda t: t.t(),
    "flat": lambda t: t.view(-1),
    "view of a view": lambda t: t[1:][:, 1:],
    "diagonal": lambda t: t.diagonal(),
    "expanded": lambda t: t[None, 1, 1],
}
SQUARES: dict[str, Act] = {
    "block": lambda t: t[1:, 1:],
    "upper block": lambda t: t[:2, 1:],
    "transpose": lambda t: t.t()[1:, :2],
}
"""Views of two by two of a matrix of three by three, which all hold its middle."""
WRITTEN: dict[str, Act] = {
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(2),
    "fill_": lambda t: t.fill_(9),
    "copy_": lambda t: t.copy_(t.detach() + 1),
    "zero_": lambda t: t.zero_(),
    "clamp_": lambda t: t.clamp_(max=0.5),
    "[...] =": lambda t: t.__setitem__(..., 9),
    "neg_": lambda t: t.neg_(),
    "masked_fill_": lambda t: t.masked_fill_(t.detach() > 0, 9),
    "[mask] =": lambda t: t.__setitem__(t.detach() > 0, 9),
    "lerp_": lambda t: t.lerp_(t.detach() + 2, 0.5),
}
"""In-place changes of a matrix of 1 to 4 through its views: each changes what it reaches."""

UNSEEN: dict[str, Act] = {
    "detach": lambda torch, t: t.detach().mul_(2),
    "a view of detach": lambda torch, t: t.detach().t()[1:].zero_(),
    "out=": lambda torch, t: torch.add(t, 1, out=t),
    "out= of a view": lambda torch, t: torch.exp(t[1:], out=t[1:]),
    "requires_grad off": lambda torch, t: t.detach().requires_grad_(False).copy_(-t),
    "a vector of detach": lambda torch, t: t.view(-1).detach().zero_(),
    "a piece of detach": lambda torch, t: t.detach().unbind()[1].zero_(),
    "a random refill": lambda torch, t: t.detach().normal_(),
    "another": lambda torch, t: t.detach().uniform_(2, 3),
}
"""Ways around the tensor itself: autograd does not look, but the count of changes is shared."""

OF_BATCHES: dict[str, Act] = {
    **{name: act for name, act in OPERAND_SAVED.items() if name != "linear"},
    "linear": lambda torch, x, w: torch.nn.functional.linear(w, x[0]),
    "bmm": lambda torch, x, w: torch.bmm(x, w),
    "matrix": lambda torch, x, w: w @ x[0],
    "einsum": lambda torch, x, w: torch.einsum("bij,jk->bik", w, x[0]),
    "conv1d": lambda torch, x, w: torch.nn.functional.conv1d(w, x),
}
"""Operations of batches of matrices, some of which are saved as a view of another shape."""


def _saving(rank: int) -> dict[str, Act]:
    return OF_BATCHES if rank == 3 else OPERAND_SAVED


RESULT_SAVED: dict[str, Act] = {
    "exp": lambda torch, x: torch.exp(x),
    "sqrt": lambda torch, x: torch.sqrt(x),
    "tanh": lambda torch, x: torch.tanh(x),
    "sigmoid": lambda torch, x: torch.sigmoid(x),
    "softmax": lambda torch, x: torch.softmax(x, 0),
}


@clause("autograd.version-counter", thorough=True, covers=["notes.version-counter"],
        requires=NEEDS | {"in-place", "views"})  # fmt: skip
def a_saved_tensor_that_was_changed_makes_backward_raise(torch: Any, device: str) -> None:
    """Once a tensor that was saved for backward (an operand or the result) has been changed in
    place, whatever the way, also through a view or under no_grad, backward raises rather than give
    a wrong gradient; so it does for a saved view whose base was changed. A change of a tensor that
    is not needed does no harm."""
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    for (change, alter), quiet, array in product(
        CHANGES.items(), (False, True), (matrix, matrix[1], np.stack([matrix, -matrix]))
    ):
        if array.ndim > 2 and change == "transpose":
            continue  # t() is of matrices
        with case(change=change, under_no_grad=quiet, shape=array.shape):
            for operation, act in _saving(array.ndim).items():
                x, w = leaf(torch, device, array), plain(torch, device, array)
                result = act(torch, x, w).sum()
                with torch.set_grad_enabled(not quiet):
                    alter(torch, w)
                with case(operation=operation):
                    assert_raises(result.backward)
                    assert_that(x.grad is None, "there is a gradient")
                    act(torch, x, w).sum().backward()
            for operation, act in RESULT_SAVED.items():
                x = leaf(torch, device, array)
                result = act(torch, x)
                total = result.sum()
                with torch.set_grad_enabled(not quiet):
                    alter(torch, result)
                with case(operation=operation):
                    assert_raises(total.backward)
                    act(torch, x).sum().backward()
            x, w = leaf(torch, device, array), plain(torch, device, array)
            result = (x + w).sum()
            alter(torch, w)
            result.backward()
            assert_grad(x, np.ones_like(array), "float32")
    larger = np.arange(1.0, 10.0).reshape(3, 3)
    writers: dict[str, Act] = {
        "the view": lambda base, view: view.mul_(2),
        "its base": lambda base, view: base.mul_(2),
        "another view": lambda base, view: base[1, 1:].fill_(9),
    }
    for (operation, act), (where, taken), (writer, alter) in product(
        OPERAND_SAVED.items(), SQUARES.items(), writers.items()
    ):
        with case(operation=operation, saved=where, written=writer):
            x, base = leaf(torch, device, matrix), plain(torch, device, larger)
            saved = taken(base)
            result = act(torch, x, saved).sum()
            alter(base, saved)
            assert_raises(result.backward)
            assert_that(x.grad is None, "there is a gradient")
            act(torch, x, taken(base)).sum().backward()
    through: list[tuple[str, Act]] = [
        (f"{how} through {where}", lambda torch, t, w=write, v=view: w(v(t)))
        for (how, write), (where, view) in product(WRITTEN.items(), VIEWED.items())
    ]
    quietly: list[tuple[str, Act]] = [
        (f"{how} under no_grad", lambda torch, t, w=write: torch.no_grad()(w)(t))
        for how, write in WRITTEN.items()
    ]
    for change, alter in (*through, *quietly, *UNSEEN.items()):
        with case(change=change):
            x, w = leaf(torch, device, matrix), plain(torch, device, matrix)
            result = (x * w).sum()
            alter(torch, w)
            assert_raises(result.backward)
            assert_that(x.grad is None, "there is a gradient")
            if not change.startswith("out="):
                result = torch.exp(x)
                total = result.sum()
                alter(torch, result)
                assert_raises(total.backward)
    for optimizer, joined in product(("SGD", "Adam", "RMSprop"), (False, True)):
        with case(change="a step", optimizer=optimizer, foreach=joined):
            x = leaf(torch, device, matrix)
            total, x.grad = (x * x).sum(), torch.ones_like(x)
            getattr(torch.optim, optimizer)([x], lr=0.5, foreach=joined).step()
            assert_raises(total.backward)
            assert_equal(x.grad, np.ones((2, 2), np.float32))


@clause("autograd.leaf-in-place", covers=["notes.leaf-inplace"],
        requires=NEEDS | {"in-place", "views"})  # fmt: skip
def a_leaf_that_requires_gradients_is_not_written_to(torch: Any, device: str) -> None:
    """An in-place operation on a leaf that requires gradients, or on a view of it, raises and
    writes nothing. Under no_grad it may be written to and stays a leaf; a result that is no leaf,
    and a leaf that does not require gradients, may be written to as well."""
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    for (change, alter), name in product(CHANGES.items(), supported(FLOATS)):
        with case(change=change, dtype=name):
            x = leaf(torch, device, array, name)
            assert_raises(alter, torch, x)
            assert_equal(x, array.astype(numpy_dtype(name)))
            free = plain(torch, device, array, name)
            alter(torch, free)
            with torch.no_grad():
                alter(torch, x)
            assert_equal(x, read(free))
            assert_equal((x.requires_grad, x.is_leaf), (True, True))
            assert_that(not np.array_equal(read(x), array), "nothing was written")
            result = x * 1
            alter(torch, result)
            assert_equal((result.requires_grad, result.is_leaf), (True, False))
    for (how, write), (where, view), dtype in product(
        WRITTEN.items(), VIEWED.items(), supported(SINGLE)
    ):
        with case(write=how, through=where, dtype=dtype):
            x = leaf(torch, device, array, dtype)
            assert_raises(lambda w=write, v=view, t=x: w(v(t)))
            assert_equal(x, array.astype(dtype))
            with torch.no_grad():
                write(view(x))
            assert_that(not np.array_equal(read(x), array), "nothing was written")
            assert_equal((x.requires_grad, x.is_leaf, x.grad_fn), (True, True, None))
