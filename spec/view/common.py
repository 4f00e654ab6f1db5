"""What the clauses of views share: families of views, what is drawn of them, parts of numbers."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from hypothesis import strategies as st

from tenet.spec.cases import seeds
from tenet.spec.cases.kinds import showing
from tenet.spec.cases.layouts import WRITABLE
from tenet.spec.cases.moves import Move, moves
from tenet.spec.cases.scenes import (
    Scene,
    does_not_share,
)
from tenet.spec.language import (
    assert_equal,
)
from tenet.spec.model.dtypes import ALL
from tenet.spec.model.strides import Geometry

REARRANGING = (
    "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis",
    "t", "T", "mT", "H", "mH", "adjoint",
)  # fmt: skip
RESHAPING = ("view", "view_as", "unflatten", "squeeze", "unsqueeze", "detach")
CUTTING = ("select", "narrow", "diagonal", "unfold", "as_strided")
SPLITTING = ("unbind", "split", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit")
EXPANDING = ("expand", "expand_as", "broadcast_to")
"""Views, by what becomes of the dimensions."""


def shows_move(move: Move, dtype: str, **_: object) -> frozenset[Hashable]:
    """Which pairs of view, dtype, shape and layout an example shows."""
    return showing((move.step[0], dtype), move.shape, move.layout)


def drawn(*names: str, count: int = 100, **kwargs: Any) -> dict[str, Any]:
    """What is drawn: one of the views of these names of a tensor of up to `count` elements."""
    return {
        "move": moves(names, count=count, **{"layouts": WRITABLE, **kwargs}),
        "dtype": st.sampled_from(ALL),
        "seed": seeds(),
    }


def is_independent(torch: Any, device: str, scene: Scene, copy: Any) -> None:
    """What is written to either is not seen in the other, whichever is written first."""
    held = scene.geometry.read(scene.memory).reshape(tuple(copy.shape))
    assert_equal(copy, held)
    does_not_share(torch, device, scene, copy, held)


def scaled(g: Geometry, first: int = 0) -> Geometry:
    """The geometry of one of the two parts of complex elements, in units of a part."""
    return Geometry(g.shape, tuple(2 * s for s in g.stride), 2 * g.offset + first)


PARTS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Geometry], Geometry]]] = {
    "x.real": (lambda torch, x: x.real, lambda g: scaled(g)),
    "torch.real(x)": (lambda torch, x: torch.real(x), lambda g: scaled(g)),
    "x.imag": (lambda torch, x: x.imag, lambda g: scaled(g, 1)),
    "torch.imag(x)": (lambda torch, x: torch.imag(x), lambda g: scaled(g, 1)),
    "torch.view_as_real(x)": (
        lambda torch, x: torch.view_as_real(x),
        lambda g: Geometry((*g.shape, 2), (*scaled(g).stride, 1), 2 * g.offset),
    ),
    "torch.view_as_complex(torch.view_as_real(x))": (
        lambda torch, x: torch.view_as_complex(torch.view_as_real(x)),
        lambda g: g,
    ),
}
"""Parts of complex numbers: the view, and the geometry that it has in units of a part."""
