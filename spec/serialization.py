"""Saving and loading: tensors, containers, state dicts, and the state of a training run."""

from __future__ import annotations

import io
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import LENGTHS, Operand, arrange, operands, selections, tensor_of, values
from tenet.spec.cases.files import (
    WAYS,
    a_path,
    archive_of,
    carried,
    loaded,
    saved,
    ways,
    with_pickle,
)
from tenet.spec.cases.misfits import refused
from tenet.spec.cases.pickles import EXECUTED, RAW, UNSAFE, Call, Plain, record
from tenet.spec.cases.trainings import MODELS, OPTIMIZERS, Run, frozen, seeded
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    elements,
    for_all,
    has,
    read,
    supported,
)
from tenet.spec.model.dtypes import ALL, FLOATS, numpy_dtype

seeds = st.integers(0, 999)


_INTEGERS_OF = {2: "int16", 4: "int32", 8: "int64"}


def bits(torch: Any, tensor: Any) -> list[Any]:
    """The elements as integers of the same bits: NaNs differ by payload, and zeros by sign."""
    plain = tensor.detach()
    if plain.is_complex():
        plain = torch.view_as_real(plain)
    if plain.is_floating_point():
        plain = plain.view(getattr(torch, _INTEGERS_OF[plain.element_size()]))
    return [elements(plain)]


@clause(
    "serialization.round-trip",
    covers=["notes.save-everything", "notes.save-views", "notes.save-file-like"],
    requires={"views"},
    effort=0.6,
)
@for_all(operand=operands(), way=ways, turn=st.integers(0, 11))
def a_tensor_survives_saving_and_loading(
    torch: Any, device: str, operand: Operand, way: str, turn: int
) -> None:
    """A tensor of any dtype, shape and layout is loaded with the same elements, strides, offset,
    dtype and device, through a path, an open file or a file-like object, mapped or not, in the
    current format and the old one; what was saved is unchanged."""
    names = [*supported(ALL[turn:] + ALL[:turn])][:5]
    sources = {name: operand.on(torch, device, name) for name in names}
    got = carried(torch, sources, way)
    assert_equal(list(got), names)
    for name, source in sources.items():
        with case(dtype=name):
            assert_equal(got[name], operand.array(name))
            assert_equal(_placement(got[name]), _placement(source))
            assert_equal(source, operand.array(name))
    alone = carried(torch, sources[names[0]], way)
    assert_equal(alone, operand.array(names[0]))
    assert_equal(_placement(alone), _placement(sources[names[0]]))


def _placement(tensor: Any) -> tuple[Any, ...]:
    return tuple(tensor.stride()), tensor.storage_offset(), str(tensor.device)


@clause(
    "serialization.every-bit",
    thorough=True,
    covers=["notes.save-everything", "notes.save-file-like"],
    requires={"views"},
)
def every_bit_of_a_number_survives(torch: Any, device: str) -> None:
    """NaN payloads, signalling NaNs, signed zeros and subnormal numbers are loaded bit by bit:
    all 65536 numbers of the 16-bit formats, and edges of the others."""
    edges = {
        "float32": [0, -(2**31), 1, 0x7F800000, 0x7FC00000, 0x7FC12345, 0x7F800001, -1, -8388608],
        "float64": [0, -(2**63), 1, 0x7FF << 52, (0x7FF << 52) + 5, (0xFFF << 51) + 9, -1],
    }
    for name in supported(FLOATS):
        whole = np.arange(-(2**15), 2**15, dtype=np.int16)
        integers = np.array(edges[name]) if name in edges else whole
        width = {"float32": np.int32, "float64": np.int64}.get(name, np.int16)
        numbers = tensor_of(torch, device, integers.astype(width)).view(getattr(torch, name))
        for way in WAYS:
            with case(dtype=name, way=way):
                got = carried(torch, {"x": numbers, "zero-dim": numbers[1]}, way)
                assert_equal(bits(torch, got["x"]), [integers.tolist()])
                assert_equal(bits(torch, got["zero-dim"]), [int(integers[1])])


RARE = ("uint16", "uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e5m2",
        "float8_e4m3fnuz", "float8_e5m2fnuz")  # fmt: skip
"""Dtypes that are for keeping numbers rather than for reckoning with them."""


@clause("serialization.rare-dtypes", covers=["notes.save-everything"], thorough=True)
def dtypes_for_keeping_numbers_survive(torch: Any, device: str) -> None:
    """Tensors of the wider unsigned integers, of eight-bit floats and of half-precision complex
    numbers, and views that are conjugated or negated, are loaded with the same dtype, strides and
    bits; sparse ones keep their layout."""
    octets = np.arange(240, dtype=np.uint8)
    # The old format is older than these.
    for name, way in product(RARE, [way for way in WAYS if way != "old format"]):
        with case(dtype=name, way=way):
            whole = tensor_of(torch, "cpu", octets).view(getattr(torch, name))
            table = whole.view(-1, 6)
            sources = {"whole": whole, "turned": table.t(), "part": table[1:, 2], "one": whole[7]}
            got = carried(torch, sources, way)
            for part, source in sources.items():
                assert_equal((str(got[part].dtype), _placement(got[part])),
                             (f"torch.{name}", _placement(source)))  # fmt: skip
                kept = got[part].contiguous().view(-1).view(torch.uint8)
                assert_equal(kept, read(source.contiguous().view(-1).view(torch.uint8)))
    for name, layout in product(
        supported(("float32", "float64", "int64")) if has("sparse") else (), ("coo", "csr")
    ):
        array = np.diag(np.arange(3)).astype(numpy_dtype(name))
        dense = tensor_of(torch, device, array)
        sparse = dense.to_sparse() if layout == "coo" else dense.to_sparse_csr()
        for way in WAYS:
            with case(dtype=name, layout=layout, way=way):
                one = carried(torch, {"x": sparse}, way)["x"]
                assert_equal(str(one.layout), f"torch.sparse_{layout}")
                assert_equal(one.to_dense(), array)
    for name, way in product(supported(("complex64", "complex128")), WAYS):
        array = values((3, 4), name, "normal", 3)
        x = tensor_of(torch, device, array)
        got = carried(torch, {"conjugated": x.conj(), "turned": x.mH}, way)
        got["negated"] = carried(torch, x.conj().imag, way)
        with case(dtype=name, way=way):
            assert_equal(got["conjugated"], array.conj())
            assert_equal(got["turned"], array.conj().T)
            assert_equal(got["negated"], -array.imag)


@clause("serialization.lengths", thorough=True, covers=["notes.save-everything"])
def every_length_is_saved_whole(torch: Any, device: str) -> None:
    """Empty, 0-d and large tensors of every dtype are saved to the last element."""
    lengths = [(length,) for length in LENGTHS]
    shapes: tuple[tuple[int, ...], ...] = ((), (3, 0, 2), (1, 1), (70_000,), *lengths)
    for name in supported(ALL):
        arrays = {str(shape): values(shape, name, "normal", 3) for shape in shapes}
        tensors = {key: tensor_of(torch, device, array) for key, array in arrays.items()}
        for way in ("buffer", "mmap", "old format"):
            got = carried(torch, tensors, way)
            for key, array in arrays.items():
                with case(dtype=name, shape=key, way=way):
                    assert_equal(got[key], array)


@clause(
    "serialization.sharing",
    covers=["notes.save-views", "notes.save-everything"],
    requires={"views", "in-place"},
    effort=1,
)
@for_all(selection=selections(), way=ways, dtype=st.sampled_from(ALL))
def tensors_that_share_memory_share_it_after_loading(
    torch: Any, device: str, selection: Any, way: str, dtype: str
) -> None:
    """Tensors that are saved together and share a storage share one after loading: a write to
    one is seen in the other, and not in those that were saved."""
    shape, index = selection
    for name in supported([dtype]):
        array = values(shape, name, "normal", 5)
        base = tensor_of(torch, device, array)
        view = base[index]
        sources = {"view": view, "list": [base, (view, base)], "other": base.clone()}
        got = carried(torch, sources, way)
        new_base, (new_view, again) = got["list"]
        assert_equal(got["view"], np.array(array[index]))
        new_view.fill_(1)
        expected = array.copy()
        expected[index] = 1
        assert_equal(new_base, expected)
        assert_same_object(again, new_base)
        assert_equal(got["view"], np.array(expected[index]))
        assert_equal(_placement(got["view"]), _placement(view))
        assert_equal(got["other"], array)
        assert_equal(base, array)
        new_base.zero_()
        assert_equal(new_view, np.zeros_like(expected[index]))
        assert_equal(got["other"], array)


@clause("serialization.separate-files", covers=["notes.save-views"], requires={"in-place"})
def tensors_saved_apart_are_loaded_apart(torch: Any, device: str) -> None:
    """What is saved in two files shares nothing after loading, nor do two loads of one file; what
    is saved to a path replaces what was there. In one file a container holds a tensor twice where
    it did before, and views of one storage."""
    base = tensor_of(torch, device, np.arange(6.0, dtype=np.float32))
    with a_path() as path, case(file="written again"):
        for value in (base, base[4:].clone(), base.double(), [1], {"x": base}):
            torch.save(value, path)
            _check_same(torch.load(path), value)
    files = saved(torch, base), saved(torch, base[2:])
    for way in WAYS:
        with case(way=way):
            first, again = carried(torch, base, way), carried(torch, base, way)
            second = loaded(torch, files[1])
            first.fill_(9)
            assert_equal(again, np.arange(6.0, dtype=np.float32))
            assert_equal(second, np.arange(2.0, 6.0, dtype=np.float32))
            assert_equal(base, np.arange(6.0, dtype=np.float32))
        for kind in (list, tuple, dict, OrderedDict):
            with case(way=way, kind=kind.__name__):
                held = (base, base, base[4:])
                mapping = issubclass(kind, dict)
                got = carried(torch, kind(zip("abc", held, strict=True) if mapping else held), way)
                one, same, part = got.values() if mapping else got
                assert_same_object(one, same)
                part.fill_(9)
                assert_equal(one, np.array([0, 1, 2, 3, 9, 9], np.float32))


@clause("serialization.whole-storage", covers=["notes.save-views"], requires={"views"})
def a_saved_view_carries_its_whole_storage_unless_it_is_cloned(torch: Any, device: str) -> None:
    """Saving 5 elements of a tensor of 10000 saves all 10000; saving their clone saves 5."""
    for name in supported(ALL):
        with case(dtype=name):
            array = values((10_000,), name, "normal", 1)
            base = tensor_of(torch, device, array)
            size = base.element_size()
            for view, expected in ((base[10:15], array[10:15]), (base[7], array[7])):
                file, small = saved(torch, view), saved(torch, view.clone())
                assert_that(len(file) > 10_000 * size, "the storage is not in the file")
                assert_that(len(small) < 10_000 * size, "a clone was saved with more than itself")
                got, own = loaded(torch, file), loaded(torch, small)
                assert_equal(got, np.asarray(expected))
                assert_equal(own, np.asarray(expected))
                assert_equal(got.untyped_storage().nbytes(), 10_000 * size)
                assert_equal(own.untyped_storage().nbytes(), expected.size * size)


def _leaves(torch: Any, device: str) -> list[Any]:
    dtypes = [getattr(torch, name) for name in ("float32", "int64", "bool")]
    numbers = [0, -1, 255, 256, 2**31, -(2**63), 10**30, 1.5, -0.0, math.inf, math.nan, 5e-324,
               -256, 2**63, -(10**30), 2**1000]  # fmt: skip
    texts = ["", "text", "\u00fc\n\0", "x" * 300, b"bytes\0\xff"]
    tensors = [torch.ones(2, device=device), torch.tensor(3, device=device)]
    others = [None, True, False, 1 + 2j, torch.Size([2, 3]), torch.device("cpu")]
    return numbers + texts + others + dtypes + tensors


def _container(random: Random, leaves: list[Any], depth: int) -> Any:
    """A nested container, each leaf drawn from the leaves."""
    kind = random.choice(("list", "tuple", "dict", "OrderedDict") if depth else ("leaf",))
    if kind == "leaf" or random.random() < 0.2:
        return random.choice(leaves)
    parts = [_container(random, leaves, depth - 1) for _ in range(random.randrange(5))]
    if kind in ("list", "tuple"):
        return parts if kind == "list" else tuple(parts)
    keys = random.sample(["a", "b.weight", 3, -1, (1, "x"), "", True, None, 2.5], len(parts))
    pairs = zip(keys, parts, strict=True)
    return dict(pairs) if kind == "dict" else OrderedDict(pairs)


def _check_same(got: Any, expected: Any) -> None:
    """Equal in kind, order and value, to any depth."""
    if hasattr(expected, "storage_offset"):
        assert_equal(got, read(expected))
        return
    assert_equal(type(got), type(expected))
    if isinstance(expected, dict):
        assert_equal([*map(repr, got)], [*map(repr, expected)])
        for key in expected:
            _check_same(got[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert_equal(len(got), len(expected))
        for one, other in zip(got, expected, strict=True):
            _check_same(one, other)
    else:
        assert_equal(got, expected)


@clause(
    "serialization.containers",
    covers=["notes.save-everything", "hackmd.weights-only"],
    effort=3,
)
@for_all(seed=st.integers(0, 9999), way=ways, depth=st.integers(0, 4))
def nested_containers_survive_saving_and_loading(
    torch: Any, device: str, seed: int, way: str, depth: int
) -> None:
    """Dicts, ordered dicts, lists and tuples, nested, with numbers, text, None, sizes, dtypes,
    devices and tensors in them, are loaded as they were, also where only weights are allowed."""
    if depth == 0:
        value: Any = _leaves(torch, device)[seed % len(_leaves(torch, device))]
    else:
        value = _container(Random(seed), _leaves(torch, device), depth)
    _check_same(carried(torch, value, way), value)


@clause("serialization.large-containers", covers=["notes.save-everything"])
def large_and_shared_containers_survive(torch: Any, device: str) -> None:
    """Containers of thousands, long text, and hundreds of tensors are loaded whole; a list that
    stands in two places is one list afterwards, and one that holds itself does so still."""
    counts = np.arange(300)
    tensors = [tensor_of(torch, device, np.full(1 + n % 3, n)) for n in counts]
    for way in ("buffer", "path", "old format", "any pickle", "protocol 4"):
        for length in (257, 1001, 2500):
            with case(way=way, length=length):
                numbers = [n * 7 - 3000 for n in range(length)]
                whole = {
                    "list": numbers, "tuple": tuple(numbers), "set": set(numbers),
                    "dict": {f"key {n}": n for n in numbers}, "text": "t\u00fc" * length * 40,
                    "bytes": bytes(n % 256 for n in numbers), "texts": [*map(str, numbers)],
                    "deep": [numbers[:length // 2], (numbers[length // 2 :], {"x": numbers})],
                }  # fmt: skip
                got = carried(torch, whole, way)
                for kind, value in whole.items():
                    assert_equal(type(got[kind]), type(value))
                    assert_that(got[kind] == value, f"the {kind} is another")
                assert_equal([*got["dict"]], [*whole["dict"]])
                for kind, value in whole.items() if length == 1001 else ():
                    with case(alone=kind):
                        assert_that(carried(torch, value, way) == value, f"the {kind} is another")
        with case(way=way, tensors=len(tensors)):
            got = carried(torch, tensors, way)
            assert_equal([read(one).tolist() for one in got], [[n] * (1 + n % 3) for n in counts])
        with case(way=way, container="shared"):
            inner = [1, tensors[4]]
            itself: list[Any] = [inner, {"again": inner}]
            itself.append(itself)
            got = carried(torch, itself, way)
            assert_same_object(got[1]["again"], got[0])
            assert_same_object(got[2], got)
            assert_equal(got[0][1], read(tensors[4]))
            one, same = carried(torch, [inner, inner], way)
            assert_same_object(one, same)


@clause(
    "serialization.parameters",
    covers=["notes.save-everything"],
    requires={"autograd"},
    thorough=True,
)
def a_parameter_is_loaded_as_a_parameter(torch: Any, device: str) -> None:
    """A parameter is loaded as one, a tensor that requires gradients as one that does, and one
    that does not as one that does not, in every dtype that gradients have."""
    for turn, (name, way) in enumerate(product(supported(FLOATS), WAYS)):
        shape = ((3,), (), (2, 3), (0, 2), (1, 2, 2))[turn % 5]
        array = np.arange(math.prod(shape)).reshape(shape).astype(numpy_dtype(name))
        plain = tensor_of(torch, device, array)
        with case(dtype=name, way=way):
            got = carried(
                torch,
                {
                    "parameter": torch.nn.Parameter(plain),
                    "frozen": torch.nn.Parameter(plain, requires_grad=False),
                    "leaf": plain.clone().requires_grad_(),
                    "result": plain.clone().requires_grad_() * 1,
                    "plain": plain,
                },
                way,
            )
            # By itself as well as in a container.
            got["alone"] = carried(torch, torch.nn.Parameter(plain), way)
            for kind, tensor in got.items():
                assert_equal(tensor, array)
                is_parameter = kind in ("parameter", "frozen", "alone")
                assert_equal(isinstance(tensor, torch.nn.Parameter), is_parameter)
                assert_equal(tensor.requires_grad, kind not in ("frozen", "plain"))


@clause(
    "serialization.state-dict",
    covers=[
        "hackmd.state-dict-roundtrip",
        "hackmd.state-dict-only-weights",
        "hackmd.weights-only",
    ],
    requires={"autograd"},
    effort=0.2,
)
@for_all(model=st.sampled_from([*MODELS]), way=ways, seed=seeds)
def a_state_dict_carries_a_model_over(
    torch: Any, device: str, model: str, way: str, seed: int
) -> None:
    """state_dict() names every parameter and buffer and nothing else. Saved, loaded and put into
    a fresh model of the same structure it gives the same parameters, buffers and outputs."""
    build, names = MODELS[model]
    with seeded(torch, seed):
        source, fresh = build(torch.nn).to(device), build(torch.nn).to(device)
        inputs = torch.rand(7, 6).to(device)
        source(inputs)  # in training mode: moves the running averages
        state = source.state_dict()
        assert_equal(list(state), names)
        assert_equal({type(value) for value in state.values()}, {torch.Tensor})
        expected = {name: read(value) for name, value in state.items()}

        got = carried(torch, state, way)
        assert_equal(list(got), names)
        # By name, in whatever order the names come.
        given = {name: got[name] for name in (names, names[::-1], sorted(names))[seed % 3]}
        report = fresh.load_state_dict(given)
        assert_equal((list(report.missing_keys), list(report.unexpected_keys)), ([], []))
        assert_equal(sorted(given), sorted(names))
        for name, value in fresh.state_dict().items():
            with case(name=name):
                assert_equal(value, expected[name])
        source.eval(), fresh.eval()
        with torch.no_grad():
            assert_equal(fresh(inputs), read(source(inputs)))
        assert_that(
            all(parameter.requires_grad for parameter in fresh.parameters()),
            "a parameter no longer requires gradients",
        )
    # The copy is its own: what happens to it is not seen in the first model.
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.fill_(7)
    for name, value in source.state_dict().items():
        assert_equal(value, expected[name])


@clause(
    "serialization.other-structure",
    thorough=True,
    covers=["hackmd.state-dict-only-weights", "notes.load-strict"],
)
def a_model_of_another_structure_refuses_a_state_dict(torch: Any, device: str) -> None:
    """load_state_dict raises where a name is missing or unexpected or a size differs. With
    strict=False it reports missing and unexpected names instead, and loads the others."""
    nn = torch.nn
    # A parameter or buffer that is None stands in no state dict, and takes nothing from one.
    holder = nn.Linear(1, 1, bias=False, device=device)
    holder.register_buffer("nothing", None)
    for name in ("bias", "nothing"):
        with case(name=name, value=None):
            own = dict(holder.state_dict())
            assert_equal(list(own), ["weight"])
            beside = {**own, name: torch.ones(1, device=device)}
            assert_raises(holder.load_state_dict, beside)
            assert_raises(holder.load_state_dict, beside, strict=True)
            report = holder.load_state_dict(beside, strict=False)
            assert_equal((list(report.missing_keys), list(report.unexpected_keys)), ([], [name]))
            assert_that(getattr(holder, name) is None, f"{name} was set")
    # Several numbers are not one, nor is one number of another rank.
    single = nn.Linear(1, 1, device=device)
    one = {"weight": torch.ones(1, 1, device=device), "bias": torch.ones(1, device=device)}
    single.load_state_dict(one)
    for name, shapes in (
        ("weight", ((2, 1), (1, 2), (0, 1), (1,), (1, 1, 1), ())),
        ("bias", ((2,), (3,), (0,), (1, 1), ())),
    ):
        for shape in shapes:
            with case(name=name, shape=shape):
                other_size = {**one, name: torch.ones(shape, device=device)}
                assert_raises(single.load_state_dict, other_size)
                assert_raises(single.load_state_dict, other_size, strict=False)
    for model, (build, names) in MODELS.items():
        target = build(nn).to(device)
        good = {name: value.clone() for name, value in build(nn).to(device).state_dict().items()}
        for name in names:
            if name.endswith("num_batches_tracked"):
                continue  # state dicts of old releases lack it, and load
            with case(model=model, name=name):
                without = {key: value for key, value in good.items() if key != name}
                beside = {**good, f"{name}x": good[name]}
                renamed = {**without, f"{name}.x": good[name]}
                grown = {**good, name: torch.zeros(*good[name].shape, 2, device=device)}
                longer = {**good, name: torch.cat([good[name].reshape(-1)] * 3)}
                wrong = [without, beside, renamed, grown]
                if good[name].numel() != 1:  # one number fills nothing
                    first = good[name].reshape(-1)[:1]
                    wrong += [{**good, name: first}, {**good, name: first[0]}]
                for state in (*wrong, *([longer] if good[name].dim() == 1 else [])):
                    assert_raises(target.load_state_dict, state)
                    assert_raises(target.load_state_dict, state, strict=True)
                for state in wrong[3:]:
                    # Keys may differ then, but a name that is there has to fit.
                    assert_raises(target.load_state_dict, state, strict=False)
                for state, missing, unexpected in (
                    (without, [name], []),
                    (beside, [], [f"{name}x"]),
                    (renamed, [name], [f"{name}.x"]),
                ):
                    fresh = build(nn).to(device)
                    kept = read(fresh.state_dict()[name])
                    report = fresh.load_state_dict(state, strict=False)
                    assert_equal(list(report.missing_keys), missing)
                    assert_equal(list(report.unexpected_keys), unexpected)
                    for key, value in fresh.state_dict().items():
                        assert_equal(value, kept if key in missing else read(good[key]))
        for options in ({}, {"strict": True}, {"strict": False}):
            report = target.load_state_dict(good, **options)
            assert_equal((list(report.missing_keys), list(report.unexpected_keys)), ([], []))
        for other, (another, _) in MODELS.items():
            if other != model:
                with case(model=model, other=other):
                    assert_raises(another(nn).to(device).load_state_dict, good)


@clause("serialization.assign", covers=["notes.load-strict"], requires={"in-place"})
def loading_copies_and_assigning_swaps(torch: Any, device: str) -> None:
    """load_state_dict copies values into the parameters that are there, in their dtype; with
    assign=True the tensors of the state dict take their place, in the dtype that they have.
    Either way a parameter requires gradients as it did."""
    for name in supported(("float32", "float16", "bfloat16", "float64")):
        with case(dtype=name):
            dtype = getattr(torch, name)
            layer = torch.nn.Linear(3, 2, device=device)
            layer.bias.requires_grad_(False)
            weight, address = layer.weight, layer.weight.data_ptr()
            array = (np.arange(6).reshape(2, 3) / 4).astype(np.float32)
            state = {
                "weight": tensor_of(torch, device, array).to(dtype),
                "bias": torch.zeros(2, dtype=dtype, device=device),
            }
            layer.load_state_dict(state)
            assert_same_object(layer.weight, weight)
            assert_equal(layer.weight.data_ptr(), address)
            assert_equal(layer.weight, array)
            state["weight"].add_(1)
            assert_equal(layer.weight, array)
            assert_equal((layer.weight.requires_grad, layer.bias.requires_grad), (True, False))

            layer.load_state_dict(state, assign=True)
            assert_equal(layer.weight.data_ptr(), state["weight"].data_ptr())
            assert_equal(str(layer.weight.dtype), str(dtype))
            assert_equal(layer.weight.to(torch.float32), array + 1)
            state["weight"].sub_(1)
            assert_equal(layer.weight.to(torch.float32), array)
            assert_that(isinstance(layer.weight, torch.nn.Parameter), "it is no parameter now")
            assert_equal((layer.weight.requires_grad, layer.bias.requires_grad), (True, False))
    for layout, name, of in product(
        ("transposed", "stepped", "expanded"), supported(("float32", "float64")), ("plain", "own")
    ):
        arrangement = arrange(values((3, 4), name, "signed", 3), layout)
        weight = arrangement.of_tensor(tensor_of(torch, device, arrangement.base))
        expected = np.array(arrangement.of_array(arrangement.base))
        layer = torch.nn.Linear(4, 3, bias=False, device=device, dtype=weight.dtype)
        with case(layout=layout, dtype=name, tensors=of):
            layer.load_state_dict(
                {"weight": weight if of == "plain" else torch.nn.Parameter(weight)}
            )
            assert_equal(layer.weight.detach(), expected)
            assert_that(layer.weight.is_contiguous(), "the parameter lies otherwise now")
    for kind, dim in (("BatchNorm1d", 3), ("Linear", 2), ("Embedding", 2)):
        module = getattr(torch.nn, kind)(*[dim] * (1 if kind == "BatchNorm1d" else 2)).to(device)
        held = dict(module.state_dict(keep_vars=True))
        addresses = {key: tensor.data_ptr() for key, tensor in held.items()}
        state = {key: torch.full_like(tensor, 3) for key, tensor in held.items()}
        module.load_state_dict(state)
        for key, tensor in module.state_dict(keep_vars=True).items():
            with case(layer=kind, name=key):
                assert_same_object(tensor, held[key])
                assert_equal(tensor.data_ptr(), addresses[key])
                state[key].zero_()
                assert_equal(tensor.detach(), np.full(tuple(tensor.shape), 3, read(tensor).dtype))
        module.load_state_dict(state, assign=True)
        for key, tensor in module.state_dict().items():
            with case(layer=kind, assigned=key):
                assert_equal(tensor.data_ptr(), state[key].data_ptr())


@clause("serialization.extra-state", covers=["hackmd.state-dict-roundtrip"], requires={"autograd"})
def a_module_may_keep_more_in_its_state(torch: Any, device: str) -> None:
    """What get_extra_state() returns stands in the state_dict, under the module's path, and is
    handed to set_extra_state() when that is loaded; where it is missing or surplus, strict loading
    raises."""
    nn = torch.nn

    class Counting(nn.Module):  # type: ignore[misc,name-defined]  # torch is injected
        def __init__(self, count: int) -> None:
            super().__init__()
            self.count, self.weight = count, nn.Parameter(torch.ones(2, device=device))

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    source, fresh = (nn.Sequential(nn.ReLU(), nn.Sequential(Counting(n))) for n in (7, 0))
    state = source.state_dict()
    assert_equal(sorted(state), ["1.0._extra_state", "1.0.weight"])
    for way in WAYS:
        with case(way=way):
            fresh[1][0].count = 0
            report = fresh.load_state_dict(carried(torch, state, way))
            assert_equal((list(report.missing_keys), list(report.unexpected_keys)), ([], []))
            assert_equal((fresh[1][0].count, source[1][0].count), (7, 7))
    without = {name: value for name, value in state.items() if name.endswith("weight")}
    assert_raises(fresh.load_state_dict, without)
    missing = fresh.load_state_dict(without, strict=False).missing_keys
    assert_equal(list(missing), ["1.0._extra_state"])
    plain = nn.Sequential(nn.Linear(1, 1, device=device))
    assert_raises(plain.load_state_dict, {**plain.state_dict(), "0._extra_state": 1})


@clause("serialization.whole-model", covers=["notes.save-everything"], requires={"autograd"})
def a_model_can_be_saved_whole(torch: Any, device: str) -> None:
    """A module that is saved itself, and loaded with weights_only=False, has its parameters,
    buffers and those that are not persistent, which of them are trained, the mode of each of its
    submodules, and gives the same results."""
    for name, (build, names) in MODELS.items():
        if name == "nested" or name == "recurrent":
            continue  # their forward is a lambda, which no file holds
        ways_ = ("buffer", "train"), ("path", "eval"), ("old format", "mixed"), ("buffer", "mixed")
        for way, mode in ways_:
            with case(model=name, mode=mode, way=way), seeded(torch, 3):
                model = build(torch.nn).to(device)
                model.register_buffer("scratch", torch.rand(3).to(device), persistent=False)
                model(torch.rand(7, 6).to(device))
                next(model.parameters()).requires_grad_(False)
                model.train(mode == "train")
                if mode == "mixed":
                    model[2].train()
                old = {"_use_new_zipfile_serialization": False} if way == "old format" else {}
                if way == "path":
                    with a_path() as path:
                        torch.save(model, path)
                        got = torch.load(path, weights_only=False)
                else:
                    got = loaded(torch, saved(torch, model, **old), weights_only=False)
                assert_equal(list(got.state_dict()), names)
                for of in ("named_parameters", "named_buffers"):
                    pairs = [*zip(getattr(model, of)(), getattr(got, of)(), strict=True)]
                    for (key, value), (found, other) in pairs:
                        assert_equal((found, other.requires_grad), (key, value.requires_grad))
                        assert_equal(other.detach(), read(value))
                modes = [[module.training for module in one.modules()] for one in (got, model)]
                assert_equal(*modes)
                x = torch.rand(4, 6).to(device)
                got.eval(), model.eval()
                with torch.no_grad():
                    assert_equal(got(x), read(model(x)))


def _weights_only(torch: Any) -> list[dict[str, Any]]:
    """The spellings that allow weights only; the default does unless the environment objects."""
    objects = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0") not in (
        "0",
        "n",
        "no",
        "false",
    )
    return [{"weights_only": True}] + ([] if objects else [{}])


@clause("serialization.weights-only", thorough=True, covers=["hackmd.weights-only"])
def a_file_that_would_run_code_is_refused(torch: Any, device: str) -> None:
    """With weights_only=True, which is the default, a file with anything in it but tensors and
    plain containers is refused, and nothing that it names is called; with weights_only=False
    the same file loads, and runs what it names."""
    weights = {"weight": torch.arange(3.0, device=device), "list": [1, "x", None]}
    plain = saved(torch, weights)
    old = {"_use_new_zipfile_serialization": False}
    files: dict[str, bytes] = {}
    for name, make in UNSAFE.items():
        files[name] = saved(torch, make())
        files[f"{name}, old format"] = saved(torch, make(), **old)
        files[f"{name}, beside weights"] = saved(torch, {**weights, "x": make()})
    for name, content in RAW.items():
        files[f"{name} in an archive"] = with_pickle(plain, content)
    unharmed = dict(files)
    files.update({f"{name} alone": content for name, content in RAW.items()})
    with a_path() as path:
        for name, content in files.items():
            with case(file=name):
                Path(path).write_bytes(content)
                EXECUTED.clear()
                for options in _weights_only(torch):
                    assert_that(
                        refused(torch.load, io.BytesIO(content), **options),
                        "a buffer was loaded",
                    )
                    assert_that(refused(torch.load, path, **options), "a path was loaded")
                assert_that(
                    refused(torch.load, path, weights_only=True, mmap=True),
                    "it was loaded with mmap",
                )
                assert_equal(EXECUTED, [])
    for name in ("a call of a function", "an object", "in a dict", "REDUCE in an archive"):
        with case(file=name):
            loaded(torch, unharmed[name], weights_only=False)
            assert_that(EXECUTED, "nothing ran where any pickle was allowed")
            EXECUTED.clear()
    for options in _weights_only(torch):
        _check_same(loaded(torch, plain, **options), weights)
        _check_same(
            loaded(torch, with_pickle(plain, pickle.dumps([1, "x"], 2)), **options), [1, "x"]
        )


@clause("serialization.safe-globals", covers=["hackmd.weights-only"])
def a_class_that_is_declared_safe_is_loaded(torch: Any, device: str) -> None:
    """safe_globals([cls]) lets objects of the class be loaded while its block lasts, and no
    others; outside of it they are refused."""
    file = saved(torch, {"x": Plain(3), "y": torch.ones(2, device=device)})
    other = saved(torch, [Plain(3), Call(record)])
    for _ in range(2):
        assert_that(refused(loaded, torch, file, weights_only=True), "it was loaded undeclared")
        with torch.serialization.safe_globals([Plain]):
            got = loaded(torch, file, weights_only=True)
            assert_equal((type(got["x"]), got["x"].value), (Plain, 3))
            EXECUTED.clear()
            assert_that(refused(loaded, torch, other, weights_only=True), "a call was let pass")
            assert_equal([name for name in EXECUTED if name != "state"], [])


@clause("serialization.truncated", thorough=True, covers=["notes.save-file-like"])
def a_file_that_ends_too_early_is_refused(torch: Any, device: str) -> None:
    """A file that is cut off anywhere raises, in the current format and the old one, from a
    buffer and from a path, mapped or not."""
    value = {"a": torch.arange(5.0, device=device), "b": [1, 2.5, "x", None]}
    for old in (False, True):
        file = saved(torch, value, _use_new_zipfile_serialization=not old)
        _check_same(loaded(torch, file), value)
        kept = [cut for cut in range(len(file)) if not refused(loaded, torch, file[:cut])]
        with case(old_format=old, size=len(file)):
            assert_equal(kept, [])
        with a_path() as path:
            for mapped in (False,) if old else (False, True):
                Path(path).write_bytes(file)
                _check_same(torch.load(path, mmap=mapped), value)
                for cut in range(0, len(file), 50):
                    with case(old_format=old, cut=cut, mmap=mapped):
                        Path(path).write_bytes(file[:cut])
                        assert_that(refused(torch.load, path, mmap=mapped), "the file was loaded")


@clause("serialization.corrupted", covers=["notes.save-file-like"])
def a_file_that_is_no_saved_file_is_refused(torch: Any, device: str) -> None:
    """A file of which an end, the table of contents, the pickle or a record's length is damaged
    raises, and so does one that was never saved, and one that is not there. The elements
    themselves carry no check on loading (documented of set_crc32_options): a bit that flips in
    them is not noticed."""
    value = {"a": torch.arange(500.0, device=device), "b": [1, 2.5, "x", None]}
    file = saved(torch, value)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        records = {item.filename: archive.read(item) for item in archive.infolist()}
    [pickled] = [name for name in records if name.endswith("/data.pkl")]
    [data] = [name for name in records if name.endswith("/data/0")]
    end = file.rindex(b"PK\x05\x06")
    table = file.index(b"PK\x01\x02")
    damaged = {
        "nothing": b"",
        "text": b"this is no saved file\n" * 40,
        "noise": np.random.default_rng(0).bytes(len(file)),
        "zeros": bytes(len(file)),
        "backwards": file[::-1],
        "without its end": file[:end] + bytes(len(file) - end),
        "without its table": file[:table] + bytes(end - table) + file[end:],
        "without its pickle": archive_of({k: v for k, v in records.items() if k != pickled}),
        "with an empty pickle": archive_of({**records, pickled: b""}),
        "with half a pickle": archive_of({**records, pickled: records[pickled][:-20]}),
        "with zeros for its pickle": archive_of({**records, pickled: bytes(len(records[pickled]))}),
        "without the elements": archive_of({k: v for k, v in records.items() if k != data}),
        "with fewer elements": archive_of({**records, data: records[data][:-4]}),
        "another archive": archive_of({"a.txt": b"x" * 2000}),
    }
    options_of_load: list[dict[str, Any]] = [{}, {"weights_only": False}, {"map_location": "cpu"}]
    with a_path() as path:
        for name, content in damaged.items():
            with case(file=name):
                Path(path).write_bytes(content)
                for options in options_of_load:
                    assert_that(
                        refused(loaded, torch, content, **options),
                        f"a buffer was loaded with {options}",
                    )
                    assert_that(
                        refused(torch.load, path, **options),
                        f"a path was loaded with {options}",
                    )
        absent = f"{path}.absent"
        assert_that(refused(torch.load, absent), "a file that is not there was loaded")
        absent = os.path.join(absent, "file")
        assert_that(refused(torch.save, value, absent), "it was saved to no folder")
        Path(path).write_bytes(archive_of(records))
        _check_same(torch.load(path), value)


@clause("serialization.mmap", covers=["notes.save-file-like"], requires={"in-place"})
def a_mapped_file_is_read_lazily_and_never_written(torch: Any, device: str) -> None:
    """torch.load(path, mmap=True) maps the tensors' memory from the file instead of reading it;
    a write to a loaded tensor does not reach the file. It needs a path, and the current
    format."""
    for name in supported(ALL):
        with a_path() as path, case(dtype=name):
            array = values((5000,), name, "normal", 2)
            torch.save({"x": tensor_of(torch, "cpu", array)}, path)
            content = Path(path).read_bytes()
            got = torch.load(path, mmap=True)["x"]
            assert_equal(got, array)
            maps = Path("/proc/self/maps")
            if maps.exists():
                assert_that(path in maps.read_text(), "the file is not mapped to memory")
            got.zero_()
            assert_equal(got, np.zeros_like(array))
            assert_that(Path(path).read_bytes() == content, "the file was written to")
            assert_equal(torch.load(Path(path), mmap=True)["x"], array)
            assert_equal(torch.load(path, mmap=False)["x"], array)
            assert_raises(loaded, torch, content, mmap=True)
            del got


@clause("serialization.map-location", covers=["mlnotes.load-to-device"], effort=0.15)
@for_all(operand=operands(), dtype=st.sampled_from(ALL), old=st.booleans())
def a_checkpoint_is_loaded_for_the_device_that_map_location_names(
    torch: Any, device: str, operand: Operand, dtype: str, old: bool
) -> None:
    """map_location says where a checkpoint is loaded to: a device or its name, a dict from the
    devices saved from to those loaded to, or a function of each storage and where it was saved.
    Without it tensors return to the device that they were saved from."""
    for name in supported([dtype]):
        array = operand.array(name)
        source = operand.on(torch, device, name)
        file = saved(torch, {"x": source, "y": [source]}, _use_new_zipfile_serialization=not old)
        home = str(source.device)
        tag = "cpu" if home.startswith("cpu") else home
        asked: list[str] = []

        def to_cpu(storage: Any, location: str, asked: list[str] = asked) -> Any:
            asked.append(location)
            return storage

        def nowhere(storage: Any, location: str) -> None:
            return None

        for how, target, expected in (
            ("nothing", None, home),
            ("name", "cpu", "cpu"),
            ("device", torch.device("cpu"), "cpu"),
            ("back by name", home, home),
            ("dict", {tag: "cpu"}, "cpu"),
            ("other dict", {"nowhere:3": "meta"}, home),
            ("function", to_cpu, "cpu"),
            ("function of nothing", nowhere, home),
        ):
            with case(map_location=how):
                got = loaded(torch, file, map_location=target)
                assert_equal((str(got["x"].device), str(got["y"][0].device)), (expected,) * 2)
                assert_equal(got["x"], array)
                assert_equal(tuple(got["x"].stride()), tuple(source.stride()))
        assert_equal(asked, [tag])
        for allowed in (False, True):
            asked.clear()
            with case(map_location="function", weights_only=allowed):
                got = loaded(torch, file, map_location=to_cpu, weights_only=allowed)
                assert_equal((str(got["x"].device), asked), ("cpu", [tag]))
        for target in ("meta", torch.device("meta"), {tag: "meta"}):
            bare = loaded(torch, file, map_location=target)["x"]
            with case(map_location=str(target)):
                assert_equal((bare.device.type, tuple(bare.shape)), ("meta", array.shape))
                assert_equal(str(bare.dtype), str(source.dtype))
        assert_that(
            refused(loaded, torch, file, map_location="no such device"),
            "a device that does not exist was loaded to",
        )


@clause("serialization.random-states", covers=["notes.save-everything"], effort=0.3)
@for_all(seed=seeds, way=ways, skip=st.integers(0, 40))
def a_random_stream_goes_on_from_a_saved_state(
    torch: Any, device: str, seed: int, way: str, skip: int
) -> None:
    """The state of the global stream of random numbers, and that of a generator, survive saving
    and loading exactly: the numbers after it come again."""
    own = torch.Generator().manual_seed(seed)
    with seeded(torch, seed):
        torch.randn(skip), torch.rand(skip, generator=own)
        states = {"global": torch.get_rng_state(), "own": own.get_state()}
        before = {name: read(state) for name, state in states.items()}
        expected = _draws(torch, own)
        got = carried(torch, states, way)
        for name, state in got.items():
            assert_equal(state, before[name])
        torch.set_rng_state(got["global"])
        own.set_state(got["own"])
        assert_equal(_draws(torch, own), expected)


def _draws(torch: Any, own: Any) -> list[Any]:
    return [
        torch.rand(3).tolist(),
        torch.randn(17).tolist(),
        torch.randperm(9, generator=own).tolist(),
        torch.randint(1000, (5,), generator=own).tolist(),
        torch.randn(3, generator=own).tolist(),
    ]


@clause(
    "serialization.resumed-training",
    covers=["notes.optimizer-state", "notes.save-everything", "hackmd.state-dict-roundtrip"],
    requires={"autograd", "in-place"},
    effort=0.05,
)
@for_all(
    optimizer=st.sampled_from([*OPTIMIZERS]),
    way=ways,
    before=st.integers(0, 4),
    after=st.integers(1, 4),
    seed=seeds,
)
def a_resumed_run_goes_on_as_the_uninterrupted_one(
    torch: Any, device: str, optimizer: str, way: str, before: int, after: int, seed: int
) -> None:
    """A run that saves its model, optimizer, schedule and random state, and is resumed from the
    file by a fresh model and optimizer, ends in the same parameters, buffers, optimizer state
    and learning rates, bit by bit, as the run that was never interrupted."""
    with seeded(torch, seed):
        whole = Run(torch, device, optimizer)
        whole.train(before)
        middle = frozen(whole.checkpoint())
        whole.train(after)
        end = frozen(whole.checkpoint())
    with seeded(torch, seed):
        first = Run(torch, device, optimizer)
        first.train(before)
        checkpoint = carried(torch, first.checkpoint(), way)
        assert_equal(frozen(checkpoint), middle)
        torch.manual_seed(seed + 1)
        resumed = Run(torch, device, optimizer, rate=3.0)
        resumed.resume(checkpoint)
        assert_equal(frozen(resumed.checkpoint()), middle)
        resumed.train(after)
        got = frozen(resumed.checkpoint())
    for part in ("model", "optimizer", "schedule", "random"):
        with case(part=part):
            assert_equal(got[part], end[part])
    assert_that(got["model"] != middle["model"], "training moved nothing")
