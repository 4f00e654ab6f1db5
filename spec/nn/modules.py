"""Modules: what they hold, how they are walked, moved and printed."""

from __future__ import annotations

import io
import operator
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import layouts, tensor_of, values
from tenet.spec.language import (
    assert_equal,
    assert_metadata,
    assert_raises,
    assert_same_object,
    assert_that,
    case,
    clause,
    dtype_name,
    for_all,
    read,
    supported,
)
from tenet.spec.model import layers
from tenet.spec.model.dtypes import INTEGERS, numpy_dtype
from tenet.spec.model.tolerance import rounded
from tenet.spec.nn.common import FLOATS, SINGLE, Shape, filled, laid_out


def _modules(torch: Any) -> Any:
    """Modules as users write them: classes that derive from nn.Module."""
    nn = torch.nn

    class Scaled(nn.Module):  # type: ignore[misc,name-defined]  # torch is injected
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.second = nn.Linear(4, 2, bias=False)
            self.scale = nn.Parameter(torch.full((2,), 2.0))
            self.fixed = nn.Parameter(torch.zeros(1), requires_grad=False)
            self.plain = torch.ones(5)
            self.nothing = None
            self.register_buffer("count", torch.tensor([7, 2**24 + 1]))
            self.register_buffer("offset", torch.full((2,), 0.5))
            self.register_buffer("scratch", torch.ones(3), persistent=False)
            self.calls: list[Any] = []

        def forward(self, x: Any, *, twice: bool = False) -> Any:
            self.calls.append(twice)
            out = self.second(nn.functional.relu(self.first(x))) * self.scale + self.offset
            return out * 2 if twice else out

    return Scaled


NAMES = ["first.bias", "first.weight", "fixed", "scale", "second.weight"]
KEPT = ["count", "first.bias", "first.weight", "fixed", "offset", "scale", "second.weight"]


@clause("nn.module-forward", covers=["hackmd.module-forward"])
def calling_a_module_runs_its_forward(torch: Any, device: str) -> None:
    """A module's layers are what its __init__ assigns; calling the module runs forward with the
    arguments given and returns what forward returns, and parameters() yields the parameters of
    the module and of every layer in it, in the order of named_parameters()."""
    for name in supported(SINGLE):
        model = _modules(torch)().to(device=device, dtype=getattr(torch, name))
        arrays = {key: values(tuple(p.shape), name, "signed", 5 * turn)
                  for turn, (key, p) in enumerate(model.named_parameters())}  # fmt: skip
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                parameter.copy_(tensor_of(torch, device, arrays[key]))
        x = values((5, 3), name, "signed", 3)
        hidden = np.maximum(layers.linear(x, arrays["first.weight"], arrays["first.bias"]), 0)
        expected = hidden @ arrays["second.weight"].T * arrays["scale"] + np.asarray(0.5, name)
        given = tensor_of(torch, device, x)
        assert_equal(model(given), expected)
        assert_equal(model(given, twice=True), 2 * expected)
        assert_equal(model.calls, [False, True])
        assert_equal(model.forward(given), expected)
        found = [read(parameter) for parameter in model.parameters()]
        names = [key for key, _ in model.named_parameters()]
        assert_equal(sorted(names), NAMES)
        for key, array in zip(names, found, strict=True):
            with case(parameter=key, dtype=name):
                assert_that((array == arrays[key]).all(), "it is another parameter")
    bare = torch.nn.Module()
    assert_equal(list(bare.parameters()), [])
    assert_raises(bare, 1)


@clause("nn.registry", covers=["notes.module-registry"])
def what_is_assigned_to_a_module_registers_itself(torch: Any, device: str) -> None:
    """Parameters, buffers and modules that are assigned as attributes are found by
    named_parameters, named_buffers, children, modules and state_dict; plain tensors are not, and
    a non-persistent buffer stays out of state_dict. What is deleted is gone."""
    nn = torch.nn
    model = _modules(torch)().to(device)
    assert_equal(sorted(name for name, _ in model.named_parameters()), NAMES)
    own = model.named_parameters(recurse=False)
    assert_equal(sorted(name for name, _ in own), ["fixed", "scale"])
    assert_equal(len(list(model.parameters(recurse=False))), 2)
    named = model.named_parameters(prefix="m")
    assert_equal(sorted(name for name, _ in named), [f"m.{name}" for name in NAMES])
    assert_equal([name for name, _ in model.named_buffers()], ["count", "offset", "scratch"])
    assert_equal([name for name, _ in model.named_children()], ["first", "second"])
    assert_equal([name for name, _ in model.named_modules()], ["", "first", "second"])
    assert_equal(list(model.children()), [model.first, model.second])
    assert_equal(list(model.modules()), [model, model.first, model.second])
    assert_equal(sorted(model.state_dict()), KEPT)
    for key, tensor in model.state_dict().items():
        assert_equal(tensor.requires_grad, False)
        owner: Any = model
        for part in key.split("."):
            owner = getattr(owner, part)
        assert_equal(tensor, read(owner))
        with case(shares=key):
            tensor.add_(1)
            assert_equal(tensor, read(owner))
    assert_same_object(model.get_submodule("first"), model.first)
    assert_same_object(model.get_parameter("first.bias"), model.first.bias)
    assert_same_object(model.get_buffer("offset"), model.offset)
    seen: list[Any] = []
    assert_same_object(model.apply(seen.append), model)
    # Children first, so that a module can change what its children were given.
    assert_equal([*map(id, seen)], [*map(id, [model.first, model.second, model])])
    deep = nn.Sequential(nn.Sequential(nn.Sequential(nn.Sequential(model.first), nn.ReLU())))
    for path, found in (
        ("", deep),
        ("0", deep[0]),
        ("0.0.0.0", model.first),
        ("0.0.1", deep[0][0][1]),
    ):
        with case(path=path):
            assert_same_object(deep.get_submodule(path), found)
    assert_same_object(deep.get_parameter("0.0.0.0.weight"), model.first.weight)
    for absent in ("1", "0.0.0.1", "0.0.0.0.weight", "0.0.0.0.0"):
        with case(path=absent):
            _refuses(AttributeError, deep.get_submodule, absent)
    seen.clear()
    assert_same_object(deep.apply(seen.append), deep)
    nested = [model.first, deep[0][0][0], deep[0][0][1], deep[0][0], deep[0], deep]
    assert_equal([*map(id, seen)], [*map(id, nested)])
    for wanted in (False, True):
        assert_same_object(deep.requires_grad_(wanted), deep)
        assert_equal([p.requires_grad for p in deep.parameters()], [wanted] * 2)
    deep.requires_grad_(False)
    assert_equal([p.requires_grad for p in deep.requires_grad_().parameters()], [True] * 2)
    holder = nn.Module()
    holder.kept = nn.Buffer(torch.ones(2))
    holder.passing = nn.Buffer(torch.zeros(3), persistent=False)
    assert_equal([name for name, _ in holder.named_buffers()], ["kept", "passing"])
    assert_equal(([*holder.state_dict()], list(holder.parameters())), (["kept"], []))
    del model.second
    model.third = nn.ModuleList([nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2, bias=False)])
    model.extra = nn.ParameterList([nn.Parameter(torch.zeros(1))])
    model.named = nn.ModuleDict({"left": nn.Linear(1, 1, bias=False)})
    model.register_parameter("late", nn.Parameter(torch.zeros(3)))
    model.register_parameter("absent", None)
    model.add_module("added", nn.Linear(2, 2))
    names = {name for name, _ in model.named_parameters()}
    assert_equal(names, {
        "scale", "fixed", "late", "first.weight", "first.bias", "third.0.weight", "third.0.bias",
        "third.2.weight", "extra.0", "named.left.weight", "added.weight", "added.bias",
    })  # fmt: skip
    assert_equal([len(model.third), len(model.extra), len(model.named)], [3, 1, 1])
    model.first = nn.Linear(3, 5)
    assert_metadata(model.state_dict()["first.weight"], shape=(5, 3))
    assert_raises(setattr, model, "scale", torch.ones(2))  # no tensor takes a parameter's place
    model.scale = nn.Parameter(torch.ones(4))
    assert_metadata(dict(model.named_parameters())["scale"], shape=(4,))
    model.offset = torch.ones(6)
    assert_metadata(model.state_dict()["offset"], shape=(6,))
    model.requires_grad_(False)
    assert_equal([p.requires_grad for p in model.parameters()], [False] * 12)


def _refuses(kind: type[Exception], call: Callable[..., object], *args: Any) -> None:
    """The call raises an error that attributes and dicts raise."""
    try:
        result = call(*args)
    except kind:
        return
    assert_that(False, f"no {kind.__name__}, but {result!r}")


@clause("nn.registry-changes", covers=["notes.module-registry"])
def what_is_taken_out_or_replaced_is_no_longer_found(torch: Any, device: str) -> None:
    """None in the place of a parameter or buffer, del, and pop unregister; a buffer that is
    replaced stays persistent or not; recurse=False leaves out what submodules hold; a module that
    is held twice is walked once; keep_vars=True keeps the parameters themselves. Before
    super().__init__() nothing can be registered."""
    nn = torch.nn
    model = _modules(torch)().to(device)
    assert_equal([name for name, _ in model.named_buffers(recurse=False)],
                 ["count", "offset", "scratch"])  # fmt: skip
    outer = nn.Module()
    outer.inner, outer.again = model, model
    outer.add_module("absent", None)
    assert_equal(list(outer.named_buffers(recurse=False)), [])
    assert_equal(list(outer.named_parameters(recurse=False)), [])
    assert_equal(list(outer.buffers(recurse=False)), [])
    assert_equal(list(outer.parameters(recurse=False)), [])
    assert_equal([name for name, _ in outer.named_children()], ["inner"])
    assert_equal([*map(id, outer.children())], [id(model)])
    assert_equal(len(list(outer.modules())), 4)
    one, others = nn.ReLU(), [nn.Linear(1, 1) for _ in range(9)]
    several = nn.Sequential(one, *others[:5], one, nn.Sequential(one, *others[5:], others[0]))
    walked = [several, one, *others[:5], several[7], *others[5:]]
    assert_equal([*map(id, several.modules())], [*map(id, walked)])
    assert_equal([*map(id, several.children())], [*map(id, [one, *others[:5], several[7]])])
    assert_equal(len(list(several.parameters())), 18)
    assert_equal(len(list(outer.named_modules(remove_duplicate=False))), 7)
    assert_equal(len(list(outer.buffers())), 3)
    assert_equal(len(list(outer.parameters())), 5)
    assert_equal(len(list(outer.named_parameters(remove_duplicate=False))), 10)
    assert_equal(len(outer.state_dict()), 2 * len(KEPT))
    kept = model.state_dict(keep_vars=True)
    for name, parameter in model.named_parameters():
        with case(kept=name):
            assert_same_object(kept[name], parameter)
    # However deep: under its whole path, the tensors are those of the module itself, and stay so.
    deep = nn.Sequential(nn.Sequential(nn.Sequential(nn.BatchNorm1d(2), model))).to(device)
    norm = deep[0][0][0]
    held = norm.state_dict()
    norm(torch.tensor([[1.0, 2.0], [3.0, 8.0]], device=device))
    for name, tensor in norm.state_dict().items():
        with case(moved=name):
            assert_equal(held[name], read(tensor))
    for name, tensor in [*norm.state_dict().items(), *model.state_dict().items()]:
        path = f"0.0.{int(name not in norm.state_dict())}.{name}"
        with case(path=path):
            assert_equal(deep.state_dict()[path].data_ptr(), tensor.data_ptr())
    assert_equal(len(deep.state_dict()), 5 + len(KEPT))
    prefixed = list(model.state_dict(prefix="m."))
    assert_equal(prefixed, [f"m.{name}" for name in model.state_dict()])
    model.scratch = torch.zeros(4, device=device)
    assert_equal(sorted(model.state_dict()), KEPT)
    assert_metadata(dict(model.named_buffers())["scratch"], shape=(4,))
    assert_raises(setattr, model, "offset", [1.0])
    model.offset = None
    assert_equal([name for name, _ in model.named_buffers()], ["count", "scratch"])
    assert_that("offset" not in model.state_dict(), "a buffer that is None is in the state_dict")
    model.offset = torch.zeros(2, device=device)
    assert_that("offset" in model.state_dict(), "a buffer is not in the state_dict")
    model.scale = None
    del model.fixed, model.count
    _refuses(AttributeError, getattr, model, "count")
    assert_equal(hasattr(model, "fixed"), False)
    assert_equal(sorted(name for name, _ in model.named_parameters()),
                 ["first.bias", "first.weight", "second.weight"])  # fmt: skip
    assert_equal(sorted(model.state_dict()),
                 ["first.bias", "first.weight", "offset", "second.weight"])  # fmt: skip
    model.second = None
    assert_equal([name for name, _ in model.named_children()], ["first"])
    for name, (register, what) in product(
        ("a.b", "", "forward"),
        (
            (model.register_buffer, torch.ones(1)),
            (model.register_parameter, nn.Parameter(torch.ones(1))),
            (model.add_module, nn.ReLU()),
        ),
    ):
        with case(name=name, register=register.__name__):
            _refuses(KeyError, register, name, what)
            _refuses(KeyError, register, name, None)
    assert_raises(model.register_parameter, "late", torch.ones(1))

    class Hasty(nn.Module):  # type: ignore[misc,name-defined]  # torch is injected
        def __init__(self, what: Any) -> None:
            self.early = what
            super().__init__()

    for early in (nn.Linear(1, 1), nn.Parameter(torch.ones(1))):
        _refuses(AttributeError, Hasty, early)


@clause("nn.containers", covers=["notes.module-registry", "hackmd.sequential"])
def containers_of_modules_are_lists_and_dicts(torch: Any, device: str) -> None:
    """ModuleList and Sequential are changed like lists: indexed from either end, sliced, extended,
    inserted into; ModuleDict like a dict, ParameterList like a list of parameters. What is in
    them is the same object, is found under its place or key, and follows train() and eval()."""
    nn = torch.nn
    a, b, c, d = layers_ = [nn.Linear(1, width) for width in (1, 2, 3, 4)]

    def held(container: Any) -> list[int]:
        """The widths, as every walk over it finds them."""
        found = [layer.out_features for layer in container]
        names = [f"{place}.{kind}" for place in range(len(found)) for kind in ("weight", "bias")]
        assert_equal([name for name, _ in container.named_parameters()], names)
        assert_equal([layer.out_features for layer in container.children()], found)
        assert_equal(len(container), len(found))
        return found

    for kind, make in (
        ("ModuleList", nn.ModuleList),
        ("Sequential", lambda of: nn.Sequential(*of)),
    ):
        with case(container=kind):
            listed = make(layers_)
            for place, layer in enumerate(layers_):
                assert_same_object(listed[place], layer)
                assert_same_object(listed[place - 4], layer)
            for wrong in (4, -5):
                assert_raises(operator.getitem, listed, wrong)
            for cut in (slice(1, 3), slice(None, None, 2), slice(-2, None), slice(0, 0)):
                part = listed[cut]
                assert_equal(type(part), type(listed))
                assert_equal([*map(id, part)], [*map(id, layers_[cut])])
            short = make([a])
            assert_same_object(short.append(c), short)
            short.insert(1, b)
            assert_equal(held(short), [1, 2, 3])
            short.insert(2, d)
            assert_equal(held(short), [1, 2, 4, 3])
            short.extend([a])
            short[0] = c
            del short[1]
            assert_equal([layer.out_features for layer in short], [3, 4, 3, 1])
            assert_same_object(short.pop(-1), a)
            # Whatever is taken out, the others close up.
            del short[0]
            assert_equal(held(short), [4, 3])
            short.extend([a, b])
            del short[1:3]
            assert_equal(held(short), [4, 2])
            short[-1] = c
            short.append(short.pop(0))
            assert_equal(held(short), [3, 4])
            assert_equal(held(make([a]) + make([b, c])), [1, 2, 3])
            short.eval()
            assert_equal([layer.training for layer in (a, b, c, d)], [True, True, False, False])
            short.train()
    named = nn.Sequential(OrderedDict(z=a, k=b, a=c))
    assert_equal([name for name, _ in named.named_children()], ["z", "k", "a"])
    assert_equal([layer.out_features for layer in named], [1, 2, 3])
    x = torch.ones(1, 1, device=device)
    assert_metadata(nn.Sequential(OrderedDict(z=b, a=nn.Flatten())).to(device)(x), shape=(1, 2))
    table = nn.ModuleDict({"x": a, "y": b})
    table["z"] = c
    table.update({"w": d})
    assert_equal([*table], ["x", "y", "z", "w"])
    assert_equal([*table.keys()], ["x", "y", "z", "w"])
    assert_equal([(key, id(value)) for key, value in table.items()],
                 [*zip("xyzw", map(id, (a, b, c, d)), strict=True)])  # fmt: skip
    assert_equal([*map(id, table.values())], [*map(id, (a, b, c, d))])
    assert_equal(("x" in table, "q" in table, len(table)), (True, False, 4))
    outer = nn.Module()
    outer.table = table
    assert_same_object(outer.eval(), outer)
    assert_equal([module.training for module in outer.modules()], [False] * 6)
    assert_equal([module.training for module in outer.train().modules()], [True] * 6)
    assert_same_object(table.pop("y"), b)
    del table["z"]
    assert_equal([name for name, _ in outer.named_children()], ["table"])
    left = [f"table.{key}.{kind}" for key in "xw" for kind in ("weight", "bias")]
    assert_equal([name for name, _ in outer.named_parameters()], left)
    _refuses(KeyError, operator.getitem, table, "y")
    table.clear()
    assert_equal((len(table), list(outer.parameters())), (0, []))
    first, second = (nn.Parameter(torch.ones(n)) for n in (1, 2))
    several = nn.ParameterList([first])
    several.append(first)
    several[1] = second
    assert_equal([name for name, _ in several.named_parameters()], ["0", "1"])
    assert_same_object(several[-1], second)
    assert_equal([tuple(p.shape) for p in several[1:]], [(2,)])
    by_name = nn.ParameterDict({"b": first, "a": second})
    assert_equal(sorted(name for name, _ in by_name.named_parameters()), ["a", "b"])
    assert_same_object(by_name["a"], second)
    assert_equal(("a" in by_name, "q" in by_name, len(by_name)), (True, False, 2))
    assert_same_object(by_name.pop("b"), first)
    assert_equal([(key, id(value)) for key, value in by_name.items()], [("a", id(second))])
    by_name.update({"c": first})
    del by_name["a"]
    assert_equal([(name, id(one)) for name, one in by_name.named_parameters()], [("c", id(first))])
    assert_same_object(several.extend([first, second]), several)
    assert_equal([*map(id, several)], [*map(id, (first, second, first, second))])
    listed = nn.ModuleList([a])
    listed += [b, c]
    assert_equal(held(listed), [1, 2, 3])


@clause("nn.module-hooks", covers=["hackmd.module-forward", "notes.hooks"], requires={"autograd"})
def hooks_of_a_module_see_and_replace_what_passes(torch: Any, device: str) -> None:
    """A forward hook sees a call's inputs and output, and what it returns replaces the output;
    a forward pre-hook's return replaces the inputs, alone or as a tuple; with_kwargs=True shows
    keyword arguments too. A full backward hook sees the gradients and may replace those of the
    inputs. They run in the order of registration (prepend=True: first), and end with remove(). A
    forward hook is called after a forward that raises where it was registered to be, always."""

    class Sum(torch.nn.Module):  # type: ignore[misc]  # torch is injected
        def forward(self, x: Any, *, plus: float = 0.0) -> Any:
            return x * 3 + plus

    def run(module: Any, **options: Any) -> tuple[list[float], list[float]]:
        x = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
        out = module(x, **options)
        out.sum().backward()
        return out.tolist(), x.grad.tolist()

    seen: list[Any] = []

    def looks(module: Any, inputs: Any, output: Any) -> None:
        seen.append((type(module), len(inputs), inputs[0].tolist(), output.tolist()))

    module = Sum()
    watching = module.register_forward_hook(looks)
    assert_equal(run(module), ([3.0, 6.0], [3.0, 3.0]))
    assert_equal(seen, [(Sum, 1, [1.0, 2.0], [3.0, 6.0])])
    changing = module.register_forward_hook(lambda m, i, o: o * 2)
    adding = module.register_forward_hook(lambda m, i, o: o + 1)
    assert_equal(run(module), ([7.0, 13.0], [6.0, 6.0]))
    changing.remove()
    assert_equal(run(module), ([4.0, 7.0], [3.0, 3.0]))
    ahead = module.register_forward_hook(lambda m, i, o: o * 10, prepend=True)
    seen.clear()
    assert_equal(run(module), ([31.0, 61.0], [30.0, 30.0]))
    assert_equal(seen[0][3], [30.0, 60.0])
    # Registered twice it runs twice, until each of its handles is removed.
    twice = module.register_forward_hook(looks)
    seen.clear()
    assert_equal((run(module)[0], len(seen)), ([31.0, 61.0], 2))
    twice.remove()
    seen.clear()
    assert_equal((run(module)[0], len(seen)), ([31.0, 61.0], 1))
    for handle in (ahead, adding, watching):
        handle.remove()
    seen.clear()
    assert_equal((run(module), seen), (([3.0, 6.0], [3.0, 3.0]), []))
    # One that removes itself is run to the end, and the next one runs all the same.
    once: Any = module.register_forward_hook(lambda m, i, o: (once.remove(), o + 1)[1])
    after = module.register_forward_hook(lambda m, i, o: o * 2)
    assert_equal(run(module)[0], [8.0, 14.0])
    assert_equal(run(module)[0], [6.0, 12.0])
    after.remove()

    for how, change in (("alone", lambda m, i: i[0] + 1), ("tuple", lambda m, i: (i[0] + 1,))):
        with case(pre_hook=how):
            handle = module.register_forward_pre_hook(change)
            assert_equal(run(module), ([6.0, 9.0], [3.0, 3.0]))
            handle.remove()
            assert_equal(run(module), ([3.0, 6.0], [3.0, 3.0]))
    handle = module.register_forward_pre_hook(
        lambda m, i, options: (i, {"plus": options["plus"] + 1}), with_kwargs=True
    )
    after = module.register_forward_hook(
        lambda m, i, options, o: o * options["plus"], with_kwargs=True
    )
    assert_equal(run(module, plus=4.0), ([40.0, 55.0], [15.0, 15.0]))
    handle.remove(), after.remove()

    slopes: list[Any] = []

    def backward(m: Any, inputs: Any, outputs: Any) -> Any:
        slopes.append((inputs[0].tolist(), outputs[0].tolist()))
        return (inputs[0] * 5,)

    handle = module.register_full_backward_hook(backward)
    assert_equal(run(module), ([3.0, 6.0], [15.0, 15.0]))
    assert_equal(slopes, [([3.0, 3.0], [1.0, 1.0])])
    handle.remove()
    before = module.register_full_backward_pre_hook(lambda m, outputs: (outputs[0] * 2,))
    assert_equal(run(module)[1], [6.0, 6.0])
    before.remove()
    order: list[str] = []
    for how, register in (
        ("pre", module.register_forward_pre_hook), ("forward", module.register_forward_hook),
        ("backward pre", module.register_full_backward_pre_hook),
        ("backward", module.register_full_backward_hook),
    ):  # fmt: skip
        order.clear()
        handles = [
            register(lambda *given, n=name: order.append(n), prepend=ahead)
            for name, ahead in (("a", False), ("b", False), ("c", True), ("d", True))
        ]
        with case(hooks=how, prepend=True):
            run(module)
            assert_equal(order, ["d", "c", "a", "b"])
            for handle in handles:
                handle.remove()
            run(module)
            assert_equal(len(order), 4)
    for always in (False, True):
        order.clear()
        handle = module.register_forward_hook(
            lambda *given: order.append("called"), always_call=always
        )
        with case(always_call=always):
            assert_raises(module, "no number")
            assert_equal(len(order), int(always))
            handle.remove()
    assert_equal(run(module), ([3.0, 6.0], [3.0, 3.0]))
    assert_equal(len(slopes), 1)


_SIZES = {
    "Linear": (3, 2), "Conv1d": (2, 3, 2), "Conv2d": (2, 3, 2), "ConvTranspose1d": (2, 3, 2),
    "ConvTranspose2d": (2, 3, 2), "BatchNorm1d": (3,), "BatchNorm2d": (3,), "LayerNorm": (3,),
    "GroupNorm": (1, 2), "Embedding": (5, 2), "PReLU": (2,),
}  # fmt: skip
METHODS = {"float64": "double", "float32": "float", "float16": "half", "bfloat16": "bfloat16"}


def _conversions(torch: Any, device: str, name: str) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Every spelling that brings a module to a device and a dtype."""
    dtype = getattr(torch, name)
    example = torch.ones(1, dtype=dtype, device=device)
    yield "to(device, dtype)", lambda module: module.to(device, dtype)
    yield "to(dtype)", lambda module: module.to(device).to(dtype)
    yield "to(device=, dtype=)", lambda module: module.to(device=device, dtype=dtype)
    yield "to(tensor)", lambda module: module.to(example)
    yield "to(device, dtype) by name", lambda module: module.to(str(device), dtype)
    yield METHODS[name], lambda module: getattr(module.to(device=device), METHODS[name])()


def _of_images(torch: Any, device: str) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Conv2d(3, 4, (1, 3))).to(device)


@clause("nn.module-conversion", covers=["notes.module-registry", "hackmd.module-to-device"])
def a_module_moves_and_converts_as_a_whole(torch: Any, device: str) -> None:
    """to(device) moves every parameter and buffer of a module and of its submodules, and returns
    the module itself. to(dtype), half, bfloat16, float and double convert what is floating-point
    and leave integers and bools; gradients go along, and the values are kept. A layer that is made
    with dtype= and device= holds all that is its own in that dtype, on that device."""
    for name in supported(METHODS):
        wanted = torch.device(device).type
        for how, convert in _conversions(torch, device, name):
            with case(spelling=how, dtype=name):
                model = _modules(torch)()
                before = {key: read(value) for key, value in model.state_dict().items()}
                model.scale.grad = torch.full((2,), 3.0)
                whole = {kind: torch.tensor([0, 1, 1]).to(getattr(torch, kind))
                         for kind in supported(("bool", *INTEGERS))}  # fmt: skip
                for kind, tensor in whole.items():
                    model.register_buffer(f"of_{kind}", tensor, persistent=False)
                assert_same_object(convert(model), model)
                for kind in whole:
                    kept = model.get_buffer(f"of_{kind}")
                    assert_equal(kept, np.array([0, 1, 1], kind))
                    assert_equal((kind, kept.device.type), (kind, wanted))
                for key, tensor in model.state_dict().items():
                    old = before[key]
                    assert_equal(tensor.device.type, wanted)
                    assert_equal(tensor, old if key == "count" else rounded(old, name))
                assert_equal(model.scratch.device.type, wanted)
                assert_metadata(model.scratch, dtype=name)
                assert_equal(dtype_name(model.plain.dtype), "float32")
                assert_equal(model.scale.grad, np.full(2, 3, numpy_dtype(name)))
                found = all(isinstance(p, torch.nn.Parameter) for p in model.parameters())
                assert_that(found, "a parameter became a plain tensor")
                assert_equal((model.scale.requires_grad, model.fixed.requires_grad), (True, False))
        for kind, sizes in _SIZES.items():
            with case(made=kind, dtype=name):
                made = getattr(torch.nn, kind)(*sizes, device=device, dtype=getattr(torch, name))
                held = {**dict(made.named_parameters()), **dict(made.named_buffers())}
                for key, tensor in held.items():
                    expected = "int64" if key == "num_batches_tracked" else name
                    assert_equal((key, dtype_name(tensor.dtype)), (key, expected))
                    assert_equal((key, tensor.device.type), (key, wanted))
                    trained = (isinstance(tensor, torch.nn.Parameter), tensor.requires_grad)
                    assert_equal((key, *trained), (key, *[key in ("weight", "bias")] * 2))
    model = _modules(torch)()
    names = [dtype_name(p.dtype) for p in model.to(device).parameters()]
    assert_equal(names, ["float32"] * 5)
    for name in supported(METHODS):
        with case(spelling="type", dtype=name):
            # Of this one everything is converted.
            norm = torch.nn.Sequential(torch.nn.BatchNorm1d(2, device=device))
            assert_same_object(norm.type(getattr(torch, name)), norm)
            kinds = {dtype_name(one.dtype) for one in (*norm.parameters(), *norm.buffers())}
            assert_equal(kinds, {name})
    assert_same_object(model.cpu(), model)
    assert_equal({p.device.type for p in (*model.parameters(), *model.buffers())}, {"cpu"})
    image = _of_images(torch, device)
    weights = [read(p) for p in image.parameters()]
    assert_same_object(image.to(memory_format=torch.channels_last), image)
    for parameter, weight in zip(image.parameters(), weights, strict=True):
        assert_equal(parameter.detach(), weight)
        last = parameter.dim() != 4 or parameter.is_contiguous(memory_format=torch.channels_last)
        assert_that(last, "the channels of a kernel do not come last")


@clause("nn.module-print", covers=["hackmd.module-print"])
def printing_a_model_shows_its_tree(torch: Any, device: str) -> None:
    """The text of a model names its class and, line by line and further in the deeper it lies,
    every layer by its attribute, its class and its arguments; extra_repr adds to it."""
    nn = torch.nn
    model = _modules(torch)()
    model.body = nn.Sequential(nn.Conv2d(1, 2, kernel_size=3, padding=1, stride=2, dilation=(1, 2),
                                         bias=False), nn.ReLU(),
                               nn.Sequential(nn.Dropout(p=0.25)))  # fmt: skip
    lines = str(model).splitlines()
    assert_equal(repr(model), str(model))
    expected = (
        (0, "Scaled(", ()), (2, "(first): Linear(", ("in_features=3", "out_features=4")),
        (2, "(second): Linear(", ("in_features=4", "out_features=2", "bias=False")),
        (2, "(body): Sequential(", ()),
        (4, "(0): Conv2d(1, 2", ("kernel_size=(3, 3)", "padding=(1, 1)", "stride=(2, 2)",
                               "dilation=(1, 2)", "bias=False")), (4, "(1): ReLU(", ()),
        (4, "(2): Sequential(", ()), (6, "(0): Dropout(", ("p=0.25",)),
        (4, ")", ()), (2, ")", ()), (0, ")", ()),
    )  # fmt: skip
    assert_equal(len(lines), len(expected))
    for line, (depth, begins, names) in zip(lines, expected, strict=True):
        with case(line=begins):
            assert_that(line.startswith(" " * depth + begins), f"the line is {line!r}")
            assert_that(all(name in line for name in names), f"the line is {line!r}")
    assert_equal(str(nn.ReLU()), "ReLU()")

    class Named(nn.Module):  # type: ignore[misc,name-defined]  # torch is injected
        def extra_repr(self) -> str:
            return "size=3"

    assert_equal(str(Named()), "Named(size=3)")


@clause("nn.sequential", covers=["hackmd.sequential", "hackmd.flatten-module"])
def sequential_applies_its_layers_in_order(torch: Any, device: str) -> None:
    """Sequential applies its layers one after the other, is indexed, sliced and iterated like a
    list, and takes an OrderedDict of names. Flatten, Linear(784, 512), ReLU, Linear(512, 512),
    ReLU, Linear(512, 10) map (N, 28, 28) to (N, 10)."""
    nn = torch.nn
    for name in supported(SINGLE):
        widths = ((6, 4), (4, 5), (5, 2))
        arrays = [(values((o, i), name, "signed", i), values((o,), name, "signed", o))
                  for i, o in widths]  # fmt: skip
        linears = [
            filled(torch, device, nn.Linear(i, o), weight=w, bias=b)
            for (i, o), (w, b) in zip(widths, arrays, strict=True)
        ]
        model = nn.Sequential(
            nn.Flatten(), linears[0], nn.ReLU(), linears[1], nn.ReLU(), linears[2]
        )
        for count in (1, 2, 7, 0, 33):
            x = values((count, 2, 3), name, "signed", count)
            expected = x.reshape(count, 6)
            outputs: list[np.ndarray] = []
            for weight, bias in arrays:
                x_or_hidden = np.maximum(expected, 0) if outputs else expected
                expected = layers.linear(x_or_hidden, weight, bias)
                outputs.append(expected)
            given = tensor_of(torch, device, x)
            with case(samples=count, dtype=name):
                assert_equal(model(given), expected)
                assert_equal(model[:2](given), outputs[0])
                assert_equal(model[:4](given), outputs[1])
        assert_same_object(model[1], linears[0])
        assert_same_object(model[-1], linears[2])
        assert_equal(len(model), 6)
        assert_equal(list(model), [model[number] for number in range(6)])
        wanted = [f"{number}.{kind}" for number in (1, 3, 5) for kind in ("weight", "bias")]
        assert_equal([key for key, _ in model.named_parameters()], wanted)
        named = nn.Sequential(OrderedDict(down=linears[0], up=linears[1]))
        assert_same_object(named.up, linears[1])
        assert_equal([key for key, _ in named.named_children()], ["down", "up"])
    big = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
        nn.Linear(512, 10),
    ).to(device)  # fmt: skip
    for count in (1, 5, 64):
        image = torch.rand(count, 28, 28, device=device)
        assert_metadata(big(image), shape=(count, 10), dtype="float32")
    assert_equal(sum(parameter.numel() for parameter in big.parameters()), 669706)


@clause("nn.flatten", covers=["hackmd.flatten-module"], effort=5)
@for_all(
    shape=st.sampled_from([(2, 3), (3, 28, 28), (1, 1, 1), (2, 3, 4, 5), (0, 3, 2), (5, 0, 2),
                           (7, 9), (5,), (2, 1, 3, 1), (1, 17, 33), (2, 1, 3, 1, 2)]),
    layout=layouts(),
    dtype=st.sampled_from([*FLOATS, "int64", "bool", "uint8"]),
    bounds=st.sampled_from([(1, -1), (0, -1), (0, 1), (1, 2), (-2, -1), (2, 3), (0, -2)]),
)  # fmt: skip
def flatten_keeps_the_batch_dimension(
    torch: Any, device: str, shape: Shape, layout: str, dtype: str, bounds: tuple[int, int]
) -> None:
    """Flatten() joins all dimensions but the first, in order; Flatten(start, end) joins those from
    start to end."""
    for name in supported([dtype]):
        x = values(shape, name, "small")
        given = laid_out(torch, device, x, layout)
        if len(shape) > 1:
            assert_equal(torch.nn.Flatten()(given), x.reshape(shape[0], prod(shape[1:])))
        start, end = (bound % len(shape) if -len(shape) <= bound < len(shape) else None
                      for bound in bounds)  # fmt: skip
        if start is not None and end is not None and start <= end:
            joined = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
            assert_equal(torch.nn.Flatten(*bounds)(given), x.reshape(joined))
            start_end = {"start_dim": bounds[0], "end_dim": bounds[1]}
            assert_equal(torch.nn.Flatten(**start_end)(given), x.reshape(joined))


@clause("nn.tied-parameters", covers=["notes.tied-parameters"], requires={"autograd"})
def a_parameter_used_twice_is_one_parameter(torch: Any, device: str) -> None:
    """A parameter that two layers share is listed once, gathers the gradients of both uses, and
    is changed for both by one assignment; it is still shared after the model, or its state_dict,
    is saved and loaded, and after it is moved."""
    nn = torch.nn
    for name in supported(SINGLE):
        dtype = getattr(torch, name)
        first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        second.weight = first.weight
        model = nn.Sequential(first, second).to(device=device, dtype=dtype)
        weight = values((3, 3), name, "signed", 4)
        filled(torch, device, first, weight=weight)
        with case(dtype=name):
            assert_same_object(second.weight, first.weight)
            assert_equal([key for key, _ in model.named_parameters()], ["0.weight"])
            both = [key for key, _ in model.named_parameters(remove_duplicate=False)]
            assert_equal(both, ["0.weight", "1.weight"])
            assert_equal(len(list(model.parameters())), 1)
            assert_equal(list(model.state_dict()), ["0.weight", "1.weight"])
            x, above = values((4, 3), name, "signed", 9), values((4, 3), name, "signed", 17)
            out = model(tensor_of(torch, device, x))
            hidden = x @ weight.T
            assert_equal(out, hidden @ weight.T)
            out.backward(tensor_of(torch, device, above))
            expected = above.T @ hidden + (above @ weight).T @ x
            assert_equal(second.weight.grad, expected)
            with torch.no_grad():
                second.weight.mul_(2)
            assert_equal(first.weight, 2 * weight)
            file = io.BytesIO()
            torch.save(model, file)
            file.seek(0)
            loaded = torch.load(file, weights_only=False)
            assert_same_object(loaded[1].weight, loaded[0].weight)
            assert_equal(loaded[1].weight, 2 * weight)
            file = io.BytesIO()
            torch.save(model.state_dict(), file)
            file.seek(0)
            state = torch.load(file, weights_only=True)
            state["0.weight"].add_(1)
            assert_equal(state["1.weight"], 2 * weight + 1)
            loaded.load_state_dict(model.state_dict())
            assert_same_object(loaded[1].weight, loaded[0].weight)
            assert_equal(loaded[0].weight, 2 * weight)
