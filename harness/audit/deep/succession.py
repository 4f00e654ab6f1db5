"""What was kept from one call for the next, or done later than it was asked for."""

import weakref

import torch

from tenet.harness.audit.faults import kernels, packed, together, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, fault, proof, *sections):
    return Mutant(f"succession.{slug}", says, sections, fault, proof)


def _lain(*tensors):
    return tuple((x.shape, x.dtype, x.stride()) for x in tensors)


def _again(names, key, other, how=kernels):
    """A call of the key of the one before it is made with something of that: other(now, then)."""

    def fault():
        held = {}

        def lie(right, *args, **kwargs):
            try:
                now = key(*args, **kwargs)
            except (AttributeError, IndexError, TypeError):
                now = None
            then = held.get("call") if now is not None and held.get("key") == now else None
            held.update(key=now, call=(args, kwargs))
            if then is not None:
                args, kwargs = other((args, kwargs), then)
            return right(*args, **kwargs)

        return how(names, lie)()

    return fault


def _option(name, default=None):
    return lambda now, then: (now[0], {**now[1], name: then[1].get(name, default)})


def _rest(now, then):
    return (now[0][0], *then[0][1:]), now[1]


def _interned(names, place, when=lambda *args: True):
    """A Python number is the first that was equal to it: True is 1, and 1 is 1.0."""

    def fault():
        held = {}

        def lie(right, *args, **kwargs):
            number = args[place] if len(args) > place else None
            if type(number) in (bool, int, float) and number == number and when(*args):
                kept = held.setdefault(number, number)
                args = (*args[:place], kept, *args[place + 1 :])
            return right(*args, **kwargs)

        return wrapped(names, lie)()

    return fault


def _kept(names, key, place=0):
    """The tensor at a place is taken from a copy until its key is another."""

    def fault():
        held = {}

        def lie(right, *args, **kwargs):
            x = args[place] if len(args) > place else None
            if not isinstance(x, torch.Tensor) or (x.requires_grad and torch.is_grad_enabled()):
                return right(*args, **kwargs)
            kept = held.get(id(x))
            now = (*key(x), x.shape, x.dtype)
            if kept is None or kept[0]() is not x or kept[1] != now:
                held[id(x)] = kept = (weakref.ref(x), now, x.detach().clone())
            return right(*args[:place], kept[2], *args[place + 1 :], **kwargs)

        return wrapped(names, lie)()

    return fault


def _late(names, change):
    """The result of a call follows its operand, if the next thing done to that is the change."""

    def fault():
        waiting = []

        def called(right, x, *args, **kwargs):
            result = right(x, *args, **kwargs)
            if not x.requires_grad and isinstance(result, torch.Tensor):
                waiting[:] = [(weakref.ref(x), weakref.ref(result), right, args, kwargs)]
            return result

        def changed(right, x, *args, **kwargs):
            result = right(x, *args, **kwargs)
            for source, into, call, rest, named in waiting:
                if source() is x and into() is not None:
                    into().data.copy_(call(x.detach(), *rest, **named))
            waiting.clear()
            return result

        return together(wrapped(names, called), wrapped(change, changed))()

    return fault


def _in_turns(names, buffers):
    """Results of one shape and dtype lie in so many buffers, which take turns."""

    def fault():
        held = {}

        def lie(right, *args, **kwargs):
            result = right(*args, **kwargs)
            if result.requires_grad or kwargs.get("out") is not None:
                return result
            ring = held.setdefault(_lain(result), [])
            if len(ring) == buffers:
                result = ring.pop(0).copy_(result)
            ring.append(result)
            return result

        return wrapped(names, lie)()

    return fault


def _outlived(names):
    """What is made of a tensor is overwritten when that is gone."""

    def lie(right, x, *args, **kwargs):
        if (
            not isinstance(x, torch.Tensor)
            or x.requires_grad
            or not (x.is_contiguous() and x.numel())
        ):
            return right(x, *args, **kwargs)
        held = x.data.view(x.shape)
        weakref.finalize(x, held.view(-1).fill_, x.dtype == torch.bool or 77)
        return right(held, *args, **kwargs)

    return wrapped(names, lie)


def _after(t, change, call, x):
    """Whether what a call gives afterwards is what it gives of a copy."""
    with t.no_grad():
        call(x)
        change(x)
        return bool((call(x) == call(x.clone())).all())


def _of_layer(t, layer, given, change, key="weight"):
    with t.no_grad():
        layer.eval()
        before = layer(given)
        change(getattr(layer, key))
        return not t.equal(layer(given), before)


MUTANTS = [
    _mutant("alpha", "alpha of float64 matrices is that of the sum before",
            _again("add.Tensor", lambda x, y, **k: _lain(x, y)
                   if x.dtype == torch.float64 and x.dim() == 2 else None, _option("alpha", 1)),
            lambda t: (lambda x: [t.add(x, x), t.add(x, x, alpha=3)])(
                t.ones(2, 2).double())[1][0, 0] == 4, "program", "elementwise"),
    _mutant("rounding-mode", "rounding_mode of float32 is that of the quotient before",
            _again("div.Tensor_mode", lambda x, y, **k: _lain(x, y)
                   if x.dtype == torch.float32 else None, _option("rounding_mode")),
            lambda t: (lambda x: [t.div(x, x, rounding_mode="trunc"),
                                  t.div(-x, x + 1, rounding_mode="floor")])(
                t.ones(2))[1][0] == -1, "program", "elementwise"),
    _mutant("softmax", "softmax of a square goes along the dimension of the one before",
            _again("_softmax _log_softmax", lambda x, dim, half: _lain(x)
                   if len({*x.shape}) == 1 < x.dim() else None, _rest),
            lambda t: (lambda x: [x.softmax(0), x.softmax(1)])(
                t.tensor([[0.0, 0], [5, 5]]))[1][0, 1] == 0.5, "program", "nn"),
    _mutant("bounds", "clamp has the two bounds of the clamp before",
            _again("clamp", lambda x, low, high: _lain(x)
                   if None not in (low, high) else None, _rest),
            lambda t: (lambda x: [x.clamp(0, 1), x.clamp(0, 2)])(t.tensor([5]))[1] == 2,
            "program", "elementwise"),
    _mutant("eps", "layer norm has the eps of the one before",
            _again("native_layer_norm", lambda x, *rest: _lain(x),
                   lambda now, then: ((*now[0][:4], then[0][4]), now[1])),
            lambda t: (lambda x, f: [f(x, (2,)), f(x, (2,), eps=3.0)])(
                t.tensor([-1.0, 1]), t.nn.functional.layer_norm)[1][1] == 0.5, "program", "nn"),
    _mutant("which-is-stretched", "x - y of shapes that the difference before had is y - x where "
            "that had them the other way round",
            _again("sub.Tensor", lambda x, y, **k: ({x.shape, y.shape}, x.dtype)
                   if x.shape != y.shape else None,
                   lambda now, then: (now[0] if now[0][0].shape == then[0][0].shape
                                      else now[0][::-1], now[1])),
            lambda t: (lambda x, y: [x - y, y - x])(t.zeros(2, 1), t.ones(1, 2))[1][0, 0] == 1,
            "program", "broadcasting"),
    _mutant("strides", "tanh reads a strided tensor as the contiguous one of its shape before it",
            _again("tanh", lambda x: (x.shape, x.dtype),
                   lambda now, then: ((packed(now[0][0]),), {})
                   if then[0][0].is_contiguous() else now),
            lambda t: (lambda x: [x.tanh(), x.t().tanh()])(
                t.tensor([[0.0, 0], [5, 5]]))[1][0, 1] > 0, "program", "elementwise"),
    _mutant("factor-by-equality", "a number that integers are multiplied by is the first that was "
            "equal to it", _interned("Tensor.__mul__", 1, lambda x, y: x.dtype == torch.int64),
            lambda t: [t.tensor([3]) * 1, t.tensor([3]) * 1.0][1].dtype == t.float32,
            "program", "promotion"),
    _mutant("norm-by-version", "a norm is kept until the version of its tensor is another",
            _kept("Tensor.norm linalg.vector_norm", lambda x: (x._version,)),
            lambda t: _after(t, lambda x: x.numpy().fill(3), lambda x: x.norm(), t.ones(1)),
            "program", "numpy"),
    _mutant("mask-by-place", "masked_select counts a mask once",
            _kept("Tensor.masked_select", lambda x: (x.data_ptr(),), 1),
            lambda t: _after(t, lambda m: m.fill_(False),
                             lambda m: t.ones(2).masked_select(m).sum(), t.ones(2).bool()),
            "program", "indexing"),
    _mutant("item-by-version", "item() is kept until the version of its tensor is another",
            _kept("Tensor.item", lambda x: (x._version,)),
            lambda t: (lambda x: [x.item(), x.numpy().fill(3), x.item()])(t.tensor(1.0))[2] == 3,
            "program", "numpy"),
    _mutant("late-sum", "a sum follows a tensor that is filled at once", _late("Tensor.sum",
            "Tensor.fill_"),
            lambda t: (lambda x: [x.sum(), x.fill_(7)])(t.ones(2))[0] == 2, "program", "inplace"),
    _mutant("late-cast", "double() follows a tensor that is added to at once",
            _late("Tensor.double", "Tensor.add_"),
            lambda t: (lambda x: [x.double(), x.add_(7)])(t.ones(2))[0][0] == 1,
            "program", "inplace"),
    _mutant("two-buffers", "running sums of one shape lie in two buffers, which take turns",
            _in_turns("Tensor.cumsum cumsum", 2),
            lambda t: [t.ones(2).cumsum(0), *(t.zeros(2).cumsum(0) for _ in range(2))][0][1] == 2,
            "program", "reduction"),
    _mutant("linear-by-version", "linear packs a weight until its version is another",
            _kept("nn.functional.linear", lambda w: (w.data_ptr(), w._version), 1),
            lambda t: _of_layer(t, t.nn.Linear(1, 1), t.ones(1, 1), lambda w: w.data.add_(7)),
            "nn"),
    _mutant("linear-by-tensor", "linear packs a weight until it is written to",
            _kept("nn.functional.linear", lambda w: (w._version,), 1),
            lambda t: _of_layer(t, t.nn.Linear(1, 1), t.ones(1, 1),
                                lambda w: setattr(w, "data", w.data + 7)), "nn"),
    _mutant("convolution-by-place", "conv1d packs a weight once",
            _kept("conv1d nn.functional.conv1d", lambda w: (w.data_ptr(),), 1),
            lambda t: _of_layer(t, t.nn.Conv1d(1, 1, 1), t.ones(1, 1, 1), lambda w: w.add_(7)),
            "nn"),
    _mutant("folded-statistics", "in eval mode batch norm takes its mean once",
            _kept("nn.functional.batch_norm", lambda x: (x.data_ptr(),), 1),
            lambda t: _of_layer(t, t.nn.BatchNorm1d(1), t.ones(1, 1), lambda m: m.add_(7),
                                "running_mean"), "nn"),
    _mutant("diagonal-outlived", "a diagonal is overwritten when its matrix is gone",
            _outlived("Tensor.diagonal"), lambda t: t.ones(2, 2).diagonal()[0] == 1, "view"),
    _mutant("pieces-outlived", "what unfold shows is overwritten when its tensor is gone",
            _outlived("Tensor.unfold"), lambda t: t.ones(4).unfold(0, 2, 1)[0, 0] == 1, "view"),
    _mutant("capsule-outlived", "what from_dlpack shows is overwritten when its tensor is gone",
            _outlived("from_dlpack"), lambda t: t.from_dlpack(t.ones(2))[0] == 1, "numpy"),
]  # fmt: skip
