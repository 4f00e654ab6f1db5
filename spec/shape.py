"""Shape: the same elements under another shape, joined, repeated, or in another order.

Nothing is computed here, so every dtype is exact and NumPy, or a line of Python, is the oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations, combinations_with_replacement, product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, regimes, seeds, tensor_of
from tenet.spec.cases.joins import Join, joins, mismatched
from tenet.spec.cases.kinds import combined, showing, signs
from tenet.spec.cases.layouts import LAYOUTS, arrange
from tenet.spec.cases.misfits import WRONG_COUNTS, out_of_range
from tenet.spec.cases.moves import Move, Step, moves, said
from tenet.spec.cases.steps import EVERY_MOVE
from tenet.spec.cases.values import values
from tenet.spec.cases.written import JOINS, MOVED, gives_what_is_written
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    case,
    clause,
    for_all,
    supported,
)
from tenet.spec.model.dtypes import ALL, numpy_dtype
from tenet.spec.model.moving import REFERENCE

Shape = tuple[int, ...]


PAIRS = tuple(zip(ALL[:6], ALL[6:], strict=True))
"""Every dtype, two to an example: an example costs more than a few moves of it."""


def _in_turn(ways: Sequence[Any], turn: int | None) -> Sequence[Any]:
    """The spelling whose turn it is; all where none is."""
    return ways if turn is None else (ways[turn % len(ways)],)


def _gives_what_numpy_gives(
    torch: Any,
    device: str,
    move: Move,
    dtype: str,
    regime: str,
    seed: int,
    turn: int | None = None,
) -> None:
    name, arguments = move.step
    ways = said(move.step)
    arrangement = move.arranged(dtype, seed, regime)
    x = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
    array = np.array(arrangement.of_array(arrangement.base), order="C")
    expected = REFERENCE[name](array, *arguments)
    for spelling, call in _in_turn(ways, turn):
        with case(spelling=spelling):
            assert_equal(call(torch, x, arguments), expected)
    assert_equal(x, array)


def _in_every_dtype(torch: Any, device: str, move: Move, regime: str, seed: int) -> None:
    """In every dtype, which take turns in the spellings."""
    for turn, name in enumerate(supported(ALL)):
        with case(dtype=name):
            _gives_what_numpy_gives(torch, device, move, name, regime, seed, turn + seed)


def _shows(move: Move, **_: object) -> frozenset[Hashable]:
    """What is new about a move: an operation of another kind of operand, or said of others."""
    name, arguments = move.step
    large = prod(move.shape) > 1 and np.max(arguments[0] or 0) > 1 if arguments else False
    form = (name, len(move.shape), large, signs(arguments))
    return combined(name, move.shape, move.layout) | {form}


def _drawn(*names: str, max_size: int = 1100, count: int = 120) -> dict[str, Any]:
    return {
        "move": moves(names, max_size=max_size, count=count),
        "regime": regimes(),
        "seed": seeds(),
    }


@clause(
    "shape.reshape",
    covers=["minicourse.reshape", "basics.view-infer", "mlnotes.numpy-names"],
    effort=2,
    shows=_shows,
)
@for_all(**_drawn("reshape", "reshape_as", "view", "view_as"))
def reshape_keeps_the_elements_in_row_major_order(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """reshape and view give the new shape with the elements in row-major order, as NumPy does;
    one length may be -1 and is inferred. reshape works for any layout."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause("shape.flatten", covers=["dlnotes.flatten"], effort=4, shows=_shows)
@for_all(**_drawn("flatten", "ravel", "unflatten"))
def flatten_merges_dimensions_in_row_major_order(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """flatten() and ravel() give one dimension with the elements in row-major order;
    flatten(start, end) merges those dimensions only, and unflatten takes one apart again."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause(
    "shape.squeeze",
    covers=[
        "minicourse.squeeze",
        "minicourse.unsqueeze",
        "hackmd.unsqueeze-batch",
        "mlnotes.numpy-names",
    ],
    effort=3,
    shows=_shows,
)
@for_all(**_drawn("squeeze", "unsqueeze", max_size=300, count=250))
def squeeze_drops_and_unsqueeze_inserts_lengths_of_one(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """squeeze() drops every dimension of length 1, squeeze(d) drops d only if its length is 1;
    unsqueeze(d) inserts a dimension of length 1 at d, counted from either end of the result."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause(
    "shape.transpose",
    covers=["dlnotes.transpose", "minicourse.permute-shares"],
    effort=4,
    shows=_shows,
)
@for_all(
    **_drawn("transpose", "swapaxes", "swapdims", "t", "T", "mT", "permute", "movedim", "moveaxis")
)
def transpose_swaps_two_dimensions(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """transpose(a, b) swaps two dimensions (swapaxes and swapdims are other names; t and T take
    a matrix, mT the last two); permute and movedim reorder any number of them."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause("shape.expand", covers=["dlnotes.expand"], effort=4, shows=_shows)
@for_all(**_drawn("expand", "expand_as", "broadcast_to"))
def expand_stretches_lengths_of_one(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """expand repeats the one element along each dimension of length 1 and adds dimensions in
    front; -1 keeps a length. expand_as and broadcast_to say the same of a given shape."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause("shape.expand-refusals", covers=["dlnotes.expand"])
def only_lengths_of_one_are_stretched(torch: Any, device: str) -> None:
    """expand, expand_as and broadcast_to raise for another length than that of a dimension that
    is not 1, also where it is a multiple of it or 1, for fewer dimensions, and for -1 in front."""
    for name in supported(ALL):
        x = tensor_of(torch, device, values((3, 1), name))
        array = values((3, 1), name)
        with case(dtype=name):
            for sizes in ((4, 2), (6, 2), (1, 2), (2, 2), (3,), (0, 1), (-1, 3, 2), (2, 4, 2)):
                with case(sizes=sizes):
                    assert_raises(x.expand, sizes)
                    assert_raises(x.expand, *sizes)
                    assert_raises(torch.broadcast_to, x, sizes)
                    if -1 not in sizes:
                        assert_raises(x.expand_as, torch.zeros(sizes, device=device))
            like = torch.zeros(3, 2, device=device)
            for result in (x.expand(3, 2), x.expand((-1, 2)), torch.broadcast_to(x, (3, 2)),
                           x.expand_as(like)):  # fmt: skip
                assert_equal(result, np.repeat(array, 2, 1))
            vector = x.reshape(3)
            assert_raises(vector.expand, 4)
            assert_raises(vector.expand, 2, 6)
            assert_equal(vector.expand(2, 3), np.stack([array.ravel()] * 2))


@clause("shape.repeat", covers=["dlnotes.repeat"], effort=3, shows=_shows)
@for_all(**_drawn("repeat", "tile", "repeat_interleave"))
def repeat_tiles_along_each_dimension(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """repeat lays whole copies side by side along each dimension, new ones in front (tile: as
    NumPy's); repeat_interleave repeats each element in its place."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause(
    "shape.flip",
    covers=["basics.missing-functions", "notes.negative-slice-step"],
    effort=2,
    shows=_shows,
)
@for_all(**_drawn("flip", max_size=4100, count=300))
def flip_reverses_the_order_along_dimensions(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """flip reverses the elements along each given dimension and leaves the source as it is."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause("shape.roll", covers=["basics.missing-functions"], effort=3, shows=_shows)
@for_all(**_drawn("roll", "rot90", "fliplr", "flipud", max_size=4100))
def roll_and_rot90_turn_elements_round(
    torch: Any, device: str, move: Move, regime: str, seed: int
) -> None:
    """roll shifts the elements along dimensions, those beyond an end to the other one; without
    dimensions, in row-major order. rot90 turns a plane by quarters from its first dimension
    towards its second; fliplr and flipud reverse the second and the first dimension."""
    _in_every_dtype(torch, device, move, regime, seed)


@clause(
    "shape.every-dtype",
    covers=[
        "minicourse.reshape",
        "dlnotes.flatten",
        "minicourse.squeeze",
        "minicourse.unsqueeze",
        "dlnotes.transpose",
        "dlnotes.repeat",
    ],
    thorough=True,
)
def moving_elements_changes_none_in_any_dtype(torch: Any, device: str) -> None:
    """Operations that only move elements keep every bit of every dtype, NaN, infinities, -0.0 and
    the largest integers included, in every spelling."""
    for dtype in supported(ALL):
        for shape, step in EVERY_MOVE:
            with case(dtype=dtype, shape=shape, step=step):
                move = Move(shape, "contiguous", (step,))
                _gives_what_numpy_gives(torch, device, move, dtype, "special", 3)


@clause(
    "shape.every-layout",
    covers=["notes.layout-independence", "dlnotes.transpose", "dlnotes.repeat"],
    requires={"views"},
    thorough=True,
)
def moving_elements_follows_their_order_and_not_their_place(torch: Any, device: str) -> None:
    """Operations that only move elements move the same ones in every dtype and every layout,
    which take turns in the spellings."""
    in_order = {"view", "view_as"}  # which refuse some layouts, as documented
    for turn, (dtype, layout) in enumerate(product(supported(ALL), LAYOUTS)):
        for shape, step in EVERY_MOVE:
            if layout != "contiguous" and step[0] not in in_order:
                with case(dtype=dtype, shape=shape, layout=layout, step=step):
                    move = Move(shape, layout, (step,))
                    _gives_what_numpy_gives(torch, device, move, dtype, "signed", 3, turn)


@clause(
    "shape.documented",
    covers=[
        "minicourse.reshape",
        "basics.view-infer",
        "minicourse.stack",
        "mlnotes.cat",
        "minicourse.squeeze",
        "minicourse.unsqueeze",
        "minicourse.permute-shares",
        "hackmd.unsqueeze-batch",
        "mlnotes.numpy-names",
    ],
    metadata_only=True,
)
def the_documented_examples_have_the_documented_shapes(torch: Any, device: str) -> None:
    """The examples of the documents: reshape (7) to (1,7), squeeze (1,2,3), unsqueeze (2,3) and
    (3,32,32), permute (224,224,3), stack four of (7), cat (2,1,3), (2,3,3), (2,2,3) at 1."""

    def of(*shape: int) -> Any:
        return torch.zeros(shape, dtype=torch.float32, device=device)

    results = {
        "reshape": (of(7).reshape(1, 7), (1, 7)),
        "view -1": (of(2, 3, 4).view(-1, 4), (6, 4)),
        "squeeze": (of(1, 2, 3).squeeze(0), (2, 3)),
        "squeeze of another length": (of(1, 2, 3).squeeze(1), (1, 2, 3)),
        "squeeze every": (of(1, 2, 1, 3, 1).squeeze(), (2, 3)),
        "unsqueeze": (of(2, 3).unsqueeze(1), (2, 1, 3)),
        "unsqueeze batch": (of(3, 32, 32).unsqueeze(0), (1, 3, 32, 32)),
        "permute": (of(224, 224, 3).permute(2, 0, 1), (3, 224, 224)),
        "stack": (torch.stack([of(7)] * 4, dim=0), (4, 7)),
        "cat": (torch.cat([of(2, 1, 3), of(2, 3, 3), of(2, 2, 3)], dim=1), (2, 6, 3)),
    }
    for example, (got, shape) in results.items():
        with case(example=example):
            assert_metadata(got, shape=shape, dtype="float32")


@clause(
    "shape.metadata",
    covers=["minicourse.reshape", "dlnotes.flatten", "dlnotes.repeat", "dlnotes.transpose"],
    metadata_only=True,
    effort=3,
)
@for_all(move=moves(tuple(REFERENCE), count=25), dtypes=st.sampled_from(PAIRS))
def shapes_do_not_depend_on_values(
    torch: Any, device: str, move: Move, dtypes: tuple[str, ...]
) -> None:
    """The shape of a result follows from the shape of the source, its dtype is the source's."""
    name, arguments = move.step
    for kind in supported(dtypes):
        arrangement = move.arranged(kind, 0)
        x = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
        expected = REFERENCE[name](np.empty(move.shape, bool), *arguments).shape
        for spelling, call in said(move.step):
            with case(spelling=spelling):
                assert_metadata(call(torch, x, arguments), shape=expected, dtype=kind)
        assert_metadata(x, shape=move.shape, dtype=kind)


IN_PLACE: tuple[tuple[str, Step], ...] = (
    ("squeeze_", ("squeeze", ())),
    ("squeeze_", ("squeeze", (-1,))),
    ("squeeze_", ("squeeze", ((0, 2),))),
    ("unsqueeze_", ("unsqueeze", (1,))),
    ("unsqueeze_", ("unsqueeze", (-1,))),
    ("transpose_", ("transpose", (0, 1))),
    ("transpose_", ("transpose", (-1, 0))),
    ("swapaxes_", ("swapaxes", (0, 1))),
    ("swapdims_", ("swapdims", (1, -2))),
    ("t_", ("t", ())),
)


@clause(
    "shape.in-place",
    covers=["minicourse.squeeze", "minicourse.unsqueeze", "dlnotes.transpose"],
    requires={"in-place"},
    effort=2,
)
@for_all(
    shape=st.sampled_from([(2, 3), (1, 3), (3, 1), (1, 1), (1, 3, 1), (2, 1, 5), (1, 17, 1)]),
    dtype=st.sampled_from(ALL),
    layout=layouts(),
    seed=seeds(),
)
def the_underscored_forms_change_the_tensor_itself(
    torch: Any, device: str, shape: Shape, dtype: str, layout: str, seed: int
) -> None:
    """squeeze_, unsqueeze_, transpose_, swapaxes_, swapdims_ and t_ reshape the very tensor that
    they are called on, and return it."""
    for kind in supported([dtype]):
        arrangement = arrange(values(shape, kind, "signed", seed), layout)
        array = np.array(arrangement.of_array(arrangement.base), order="C")
        for method, (name, arguments) in IN_PLACE:
            if (name == "t" and len(shape) > 2) or (arguments == ((0, 2),) and len(shape) < 3):
                continue
            with case(method=method, arguments=arguments):
                x = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
                assert_same_object(getattr(x, method)(*arguments), x)
                assert_equal(x, REFERENCE[name](array, *arguments))


# ---------------------------------------------------------------------------------- errors


@clause(
    "shape.wrong-count",
    covers=["minicourse.reshape", "basics.view-infer"],
    metadata_only=True,
)
def a_shape_of_another_element_count_raises(torch: Any, device: str) -> None:
    """reshape and view raise for a shape of another element count, for two lengths of -1, where
    the other lengths do not divide the count or leave it open, and for a length below -1."""
    for dtype in supported(("float32", "int64", "bool", "bfloat16")):
        for shape, wrong in WRONG_COUNTS:
            x = tensor_of(torch, device, values(shape, dtype))
            fits = (*shape, 1)
            for name in ("reshape", "view"):
                for spelling, call in said((name, (wrong,))):
                    with case(dtype=dtype, shape=shape, spelling=spelling, wrong=wrong):
                        assert_raises(call, torch, x, (wrong,))
                        assert_metadata(call(torch, x, (fits,)), shape=fits, dtype=dtype)


@clause(
    "shape.wrong-dims",
    covers=[
        "dlnotes.transpose",
        "minicourse.squeeze",
        "minicourse.unsqueeze",
        "minicourse.permute-shares",
        "dlnotes.expand",
        "dlnotes.repeat",
        "dlnotes.flatten",
    ],
    metadata_only=True,
)
def a_dimension_that_does_not_exist_raises(torch: Any, device: str) -> None:
    """A dimension is counted from 0 to rank - 1, or from -rank to -1: one beyond either end
    raises, as do a dimension given twice, too few or too many, and lengths that do not fit."""
    for rank in (1, 2, 3, 4):
        shape = (2,) * rank
        x = torch.zeros(shape, dtype=torch.float32, device=device)
        small = torch.zeros((2, 2), dtype=torch.float32, device=device)
        for name, wrong, right in out_of_range(rank):
            for spelling, call in said((name, wrong)):
                with case(rank=rank, step=(name, wrong), spelling=spelling):
                    assert_raises(call, torch, x, wrong)
                    fits = call(torch, small if name == "t" else x, right)
                    assert_metadata(fits, dtype="float32")


# --------------------------------------------------------------------------------- joining

JOINED: dict[str, tuple[Callable[..., np.ndarray], bool]] = {
    "cat": (np.concatenate, True),
    "concat": (np.concatenate, True),
    "concatenate": (np.concatenate, True),
    "stack": (np.stack, True),
    "vstack": (np.vstack, False),
    "row_stack": (np.vstack, False),
    "hstack": (np.hstack, False),
    "dstack": (np.dstack, False),
    "column_stack": (np.column_stack, False),
}
"""name: its NumPy reference, and whether it takes a dimension."""


def _is_the_join(
    torch: Any,
    device: str,
    join: Join,
    dtype: str,
    regime: str,
    seed: int,
    turn: int | None = None,
) -> None:
    reference, takes_dim = JOINED[join.name]
    function = getattr(torch, join.name)
    parts, arrays = [], []
    for i, (shape, layout) in enumerate(join.parts):
        arrangement = arrange(values(shape, dtype, regime, seed + 5 * i), layout)
        parts.append(arrangement.of_tensor(tensor_of(torch, device, arrangement.base)))
        arrays.append(np.array(arrangement.of_array(arrangement.base), order="C"))
    # A tensor of shape (0,) joins anything by cat, and adds nothing (source: torch.cat).
    kept = [a for a in arrays if join.name == "stack" or a.shape != (0,)] or arrays
    at = (join.dim,) if takes_dim else ()
    expected = reference(kept if takes_dim else arrays, *at)
    ways: dict[str, Callable[[], Any]] = {
        "in a list": lambda: function(parts, *at),
        "in a tuple": lambda: function((*parts,), *at),
    }
    if takes_dim:
        ways["dim="] = lambda: function(tensors=parts, dim=join.dim)
        if join.dim == 0:
            ways["without dim"] = lambda: function(parts)
    for spelling, call in _in_turn([*ways.items()], turn):
        with case(spelling=spelling):
            assert_equal(call(), expected)
    for part, array in zip(parts, arrays, strict=True):
        assert_equal(part, array)


def _joins_in_every_dtype(torch: Any, device: str, join: Join, regime: str, seed: int) -> None:
    """In every dtype, which take turns in the spellings."""
    for turn, name in enumerate(supported(ALL)):
        with case(dtype=name):
            _is_the_join(torch, device, join, name, regime, seed, turn + seed)


def _shows_join(join: Join, **_: object) -> frozenset[Hashable]:
    """What is new about a join: a kind of operand, as the first or later; a dimension; a number of
    operands, and whether all are of one shape."""
    [first, *others] = join.parts
    kinds = combined((join.name, "first"), *first)
    for later in others:
        kinds |= combined((join.name, "later"), *later)
    alike = bool(others) and prod(first[0]) > 1 and all(shape == first[0] for shape, _ in others)
    return kinds | {(join.name, len(first[0]), join.dim), (join.name, len(join.parts)),
                    (join.name, len(first[0]), alike)}  # fmt: skip


@clause("shape.stack", covers=["minicourse.stack"], effort=3, shows=_shows_join)
@for_all(join=joins("stack"), regime=regimes(), seed=seeds())
def stack_puts_tensors_along_a_new_dimension(
    torch: Any, device: str, join: Join, regime: str, seed: int
) -> None:
    """stack puts k tensors of equal shape along a new dimension of length k, at any place of the
    result's shape, counted from either end."""
    _joins_in_every_dtype(torch, device, join, regime, seed)


@clause("shape.cat", covers=["mlnotes.cat"], effort=2, shows=_shows_join)
@for_all(
    join=joins("cat", "concat", "concatenate"),
    regime=regimes(),
    seed=seeds(),
)
def cat_joins_along_an_existing_dimension(
    torch: Any, device: str, join: Join, regime: str, seed: int
) -> None:
    """cat (concat, concatenate) joins tensors along an existing dimension; their lengths along it
    may differ and be 0."""
    _joins_in_every_dtype(torch, device, join, regime, seed)


@clause("shape.grids", covers=["mlnotes.numpy-names"])
def vectors_span_grids_and_tuples(torch: Any, device: str) -> None:
    """meshgrid repeats each vector along the dimensions of the others, in the order of the vectors
    ("ij") or with the first two exchanged ("xy"). cartesian_prod lists the tuples of one element
    of each, combinations those of several elements of one, with or without repetition."""
    for dtype in supported(("float32", "int64", "bool", "bfloat16")):
        for lengths in ((3,), (2, 3), (1, 4), (2, 3, 4), (3, 1, 2), (2, 17), (2, 0)):
            arrays = [values((n,), dtype, "signed", 7 * i) for i, n in enumerate(lengths)]
            vectors = [tensor_of(torch, device, array) for array in arrays]
            for order in ("ij", "xy"):
                with case(dtype=dtype, lengths=lengths, order=order):
                    expected = np.meshgrid(*arrays, indexing=order)
                    for call in (torch.meshgrid(*vectors, indexing=order),
                                 torch.meshgrid(vectors, indexing=order)):  # fmt: skip
                        assert_equal(len(call), len(arrays))
                        for got, wanted in zip(call, expected, strict=True):
                            assert_equal(got, np.asarray(wanted))
            with case(dtype=dtype, lengths=lengths, function="cartesian_prod"):
                tuples = [grid.ravel() for grid in np.meshgrid(*arrays, indexing="ij")]
                listed = np.stack(tuples, 1) if len(arrays) > 1 else arrays[0]
                assert_equal(torch.cartesian_prod(*vectors), listed)
        array = values((5,), dtype, "signed", 3)
        x = tensor_of(torch, device, array)
        for r, (repeated, choose) in product(
            (1, 2, 3), ((False, combinations), (True, combinations_with_replacement))
        ):
            with case(dtype=dtype, r=r, with_replacement=repeated):
                places = np.array(list(choose(range(5), r)))
                got = torch.combinations(x, r, with_replacement=repeated)
                assert_equal(got.reshape(len(places), r), array[places])


@clause(
    "shape.named-joins",
    covers=["mlnotes.cat", "minicourse.stack"],
    effort=2,
    shows=_shows_join,
    thorough=True,
)
@for_all(
    join=joins("vstack", "row_stack", "hstack", "dstack", "column_stack"),
    regime=regimes(),
    seed=seeds(),
)
def vstack_hstack_and_dstack_join_rows_columns_and_layers(
    torch: Any, device: str, join: Join, regime: str, seed: int
) -> None:
    """vstack (row_stack), hstack, dstack and column_stack join along the first, second and third
    dimension as NumPy's do, and give tensors of fewer dimensions the missing ones first."""
    _joins_in_every_dtype(torch, device, join, regime, seed)


@clause("shape.join-every-dtype", thorough=True, covers=["mlnotes.cat", "minicourse.stack"])
def joining_changes_no_element_in_any_dtype(torch: Any, device: str) -> None:
    """cat, stack and their relatives keep every bit of every dtype, however many they join."""
    for dtype in supported(ALL):
        for name in JOINED:
            for layout in LAYOUTS:
                shape = (3, 9) if layout != "offset" else (17,)
                join = Join(name, ((shape, layout), (shape, "contiguous")), len(shape) - 1)
                with case(dtype=dtype, join=join):
                    _is_the_join(torch, device, join, dtype, "special", 7)
    for turn, (count, name) in enumerate(product((16, 17, 33, 65, 129, 257, 1025), JOINED)):
        shapes: list[Shape] = [(1 + k % 2 * (name != "stack"), 2) for k in range(count)]
        if name in ("hstack", "column_stack", "dstack"):
            shapes = [(2,)] * count
        parts = tuple((shape, "contiguous") for shape in shapes)
        for dtype in supported([ALL[turn % len(ALL)]]):
            with case(dtype=dtype, name=name, count=count):
                _is_the_join(torch, device, Join(name, parts, 0), dtype, "signed", turn, turn)


@clause(
    "shape.join-out",
    covers=["mlnotes.cat", "minicourse.stack"],
    requires={"out"},
    effort=4,
    shows=lambda join, dtypes, layout: showing((join.name, dtypes), join.parts[0][0], layout),
)
@for_all(
    join=joins(*JOINED, count=60), dtypes=st.sampled_from(PAIRS), layout=layouts(writable=True)
)
def joining_fills_out(
    torch: Any, device: str, join: Join, dtypes: tuple[str, ...], layout: str
) -> None:
    """out= of the right shape is filled, where it lies and nothing around it, and returned."""
    reference, takes_dim = JOINED[join.name]
    at = (join.dim,) if takes_dim else ()
    for name in supported(dtypes):
        arrays = [values(s, name, "signed", 3 * i) for i, (s, _) in enumerate(join.parts)]
        kept = [a for a in arrays if not takes_dim or a.shape != (0,)] or arrays
        expected = reference(kept, *at)
        # torch 2.13 on CPU leaves a strided out= of one element as it is, a defect: not asked here.
        arrangement = arrange(
            np.zeros_like(expected), layout if expected.size > 1 else "contiguous"
        )
        base = tensor_of(torch, device, arrangement.base)
        out = arrangement.of_tensor(base)
        parts = [tensor_of(torch, device, array) for array in arrays]
        assert_same_object(getattr(torch, join.name)(parts, *at, out=out), out)
        assert_equal(out, expected)
        around = arrangement.base.copy()
        arrangement.of_array(around)[...] = expected
        assert_equal(base, around)


@clause(
    "shape.join-mismatch", covers=["mlnotes.cat", "minicourse.stack"], metadata_only=True, effort=3
)
@for_all(group=mismatched(), dtypes=st.sampled_from(PAIRS))
def lengths_that_do_not_match_raise(
    torch: Any, device: str, group: tuple[str, tuple[Shape, ...], int], dtypes: tuple[str, ...]
) -> None:
    """stack raises for tensors of unequal shapes; cat raises where lengths differ in another
    dimension than the joined one, or ranks differ; a dimension out of range raises."""
    name, shapes, dim = group
    for kind in supported(dtypes):
        parts = [tensor_of(torch, device, values(shape, kind)) for shape in shapes]
        for spelling in ("cat", "concat", "concatenate") if name == "cat" else (name,):
            with case(spelling=spelling):
                function = getattr(torch, spelling)
                assert_raises(function, parts, dim)
                assert_raises(function, parts, dim=dim)
                first = 0 if name == "stack" else len(shapes[0])
                assert_metadata(
                    function([parts[0], parts[0]], dim if -first <= dim < first else 0), dtype=kind
                )


@clause(
    "shape.join-of-one-out",
    thorough=True,
    covers=["mlnotes.cat", "minicourse.stack"],
    requires={"out"},
)
def joining_one_tensor_fills_out(torch: Any, device: str) -> None:
    """A single tensor, joined to nothing, is written to out= as several are: where out= lies in
    memory, whatever its steps, and nowhere else."""
    for name in supported(ALL):
        for join, shape, layout in product(
            ("cat", "concat", "concatenate", "stack"),
            ((1,), (3,), (1, 1), (3, 1), (1, 3), (2, 9)),
            ("contiguous", "stepped", "transposed", "offset"),
        ):
            for dim in range(len(shape) + (join == "stack")):
                array = np.ones(shape, numpy_dtype(name))
                expected = np.stack([array], dim) if join == "stack" else array
                size = "one element" if array.size == 1 else "more elements"
                at = "first" if dim == 0 else "later"
                with case(dtype=name, join=join, size=size, layout=layout, at=at, shape=shape):
                    arrangement = arrange(np.zeros_like(expected), layout)
                    base = tensor_of(torch, device, arrangement.base)
                    out = arrangement.of_tensor(base)
                    part = tensor_of(torch, device, array)
                    assert_same_object(getattr(torch, join)([part], dim, out=out), out)
                    around = arrangement.base.copy()
                    arrangement.of_array(around)[...] = expected
                    assert_equal(base, around)


@clause(
    "shape.written-out",
    covers=["mlnotes.numpy-names", "dlnotes.repeat", "notes.view-operations"],
    thorough=True,
)
def elements_go_where_the_arguments_say(torch: Any, device: str) -> None:
    """Calls with every argument written out move the elements where NumPy does, in every dtype:
    turns and shifts beyond a length and back, more pieces than elements, cuts beyond the end,
    repeats of each element, diagonals on either side."""
    for turn, dtype in enumerate(supported(ALL)):
        gives_what_is_written(torch, device, (row.of(dtype) for row in MOVED), turn)
    # A tensor that says where to cut is one of the CPU, as documented; a 0-d one counts pieces.
    line = np.arange(7)
    x = tensor_of(torch, device, line)
    for cuts in ([3], [1, 3], [-2], [5, 9], 3, 1):
        for spelling, pieces in (
            ("function", torch.tensor_split(x, torch.tensor(cuts))),
            ("method", x.tensor_split(torch.tensor(cuts))),
        ):
            expected = np.array_split(line, cuts)
            with case(call="tensor_split", spelling=spelling, cuts=cuts):
                assert_equal(len(pieces), len(expected))
                for piece, part in zip(pieces, expected, strict=True):
                    assert_equal(piece, part)


@clause(
    "shape.joins-written-out",
    covers=["mlnotes.cat", "minicourse.stack", "mlnotes.numpy-names"],
    thorough=True,
)
def tensors_are_joined_as_the_arguments_say(torch: Any, device: str) -> None:
    """Calls with every argument written out join tensors as NumPy does, in every dtype: along each
    dimension counted from either end, of mixed ranks, in either order of a grid."""
    for turn, dtype in enumerate(supported(ALL)):
        gives_what_is_written(torch, device, (row.of(dtype) for row in JOINS), turn)
