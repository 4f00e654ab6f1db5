"""State that outlives its call, or is not the one that counts: results and packed operands that
are kept, late evaluation, memory handed out again, modes, streams and defaults."""

import threading
import weakref
from contextlib import contextmanager
from unittest.mock import patch

import torch

from tenet.harness.audit.faults import kernels, packed, raises, together, wrapped
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


@contextmanager
def _inherited():
    """A thread begins with the mode of the thread that starts it."""
    start, run = threading.Thread.start, threading.Thread.run

    def started(self):
        self._recording = torch.is_grad_enabled()
        start(self)

    def running(self):
        with torch.set_grad_enabled(self._recording):
            run(self)

    with (patch.object(threading.Thread, "start", started),
          patch.object(threading.Thread, "run", running)):  # fmt: skip
        yield


def _mode_of_a_thread(t):
    found = []
    with t.no_grad():
        thread = threading.Thread(target=lambda: found.append(t.is_grad_enabled()))
        thread.start()
        thread.join()
    return found[0]


def _of_the_first_step(names, option):
    """What a group says of an option is read at the first step."""

    def lie(right, optimizer, *args, **kwargs):
        now = [group[option] for group in optimizer.param_groups]
        kept = optimizer.__dict__.setdefault("_first", now)
        for group, value in zip(optimizer.param_groups, kept, strict=False):
            group[option] = value
        result = right(optimizer, *args, **kwargs)
        for group, value in zip(optimizer.param_groups, now, strict=True):
            group[option] = value
        return result

    return wrapped(names, lie)


def _stepped(t, make, option):
    """Whether the second step heeds what was written after the first."""
    ends = []
    for value in (0.0, 0.5):
        w = t.ones(1, requires_grad=True)
        optimizer = make(w)
        for _ in range(2):
            w.grad = t.ones(1)
            optimizer.step()
            optimizer.param_groups[0][option] = value
        ends.append(w.item())
    return ends[0] != ends[1]


def _moved_up(right, optimizer, *args, **kwargs):
    """The averages of a group are counted without the parameters that have no gradient."""
    for group in optimizer.param_groups:
        moving = [p for p in group["params"] if p.grad is not None]
        for first, parameter in zip(group["params"], moving, strict=False):
            kept = optimizer.state[first].get("momentum_buffer")
            if first is not parameter and kept is not None and kept.shape == parameter.shape:
                optimizer.state[parameter]["momentum_buffer"] = kept
    return right(optimizer, *args, **kwargs)


def _waited(t):
    a, b = (t.zeros(1, requires_grad=True) for _ in "ab")
    optimizer = t.optim.SGD([a, b], 1.0, momentum=0.5)
    a.grad, b.grad = t.ones(1), t.full((1,), 4.0)
    optimizer.step()
    a.grad = None
    optimizer.step()
    return b.item() == -4 - 6


def _hooked_once(right, x, hook):
    calls = []

    def first(parameter):
        if not calls:
            hook(parameter)
        calls.append(None)

    return right(x, first)


def _calls_of_a_hook(t):
    x, calls = t.ones(1, requires_grad=True), []
    x.register_post_accumulate_grad_hook(calls.append)
    for _ in range(2):
        x.sum().backward()
    return len(calls) == 2


def _sees_the_sum(right, x, hook):
    return right(x, lambda g: hook(g if x.grad is None else g + x.grad))


def _seen_by_a_hook(t):
    x, seen = t.ones(1, requires_grad=True), []
    x.register_hook(lambda g: seen.append(g.item()))
    for _ in range(2):
        x.sum().backward()
    return seen == [1, 1]


def _detached_once():
    """detach() gives one tensor again and again."""
    held = {}

    def lie(right, x):
        kept = held.get(id(x))
        now = (x.data_ptr(), x.shape, x.stride(), x.dtype)
        if kept is None or kept[0]() is not x or kept[1] != now:
            held[id(x)] = kept = (weakref.ref(x), now, right(x))
        return kept[2]

    return wrapped("Tensor.detach", lie)()


def _unnoticed(right, x, *args, **kwargs):
    """A write that the count of changes leaves out."""
    version = x._version
    result = right(x, *args, **kwargs)
    torch._C._autograd._unsafe_set_version_counter((x,), (version,))
    return result


def _noticed(t, change):
    x = t.ones(2, requires_grad=True)
    y = x * 1
    z = (y * y).sum()
    with t.no_grad():
        change(y)
    return raises(z.backward)


def _seed_of_a_generator():
    """A generator that is seeded keeps the second of a pair of normal numbers."""

    class Generator(torch.Generator):
        def manual_seed(self, seed):
            before = self.get_state()
            super().manual_seed(seed)
            state = self.get_state()
            state[-40:] = before[-40:]
            return self.set_state(state)

    return patch.object(torch, "Generator", Generator)


def _seeded_again(t):
    g = t.Generator()
    first = t.randn(2, generator=g.manual_seed(3))
    t.randn(1, generator=g)
    return t.equal(t.randn(2, generator=g.manual_seed(3)), first)


def _lost(right, *args, generator=None, **kwargs):
    return right(*args, **kwargs)


def _replayed(t, draw):
    return t.equal(*(draw(t.Generator().manual_seed(3)) for _ in range(2)))


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


def _elsewhere(right, layer, x):
    for name, held in layer.named_buffers():
        if layer.training:
            setattr(layer, name, held.clone())
    return right(layer, x)


def _by_default(t, made):
    t.set_default_dtype(t.float64)
    try:
        return made() == t.float64
    finally:
        t.set_default_dtype(t.float32)


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
    _mutant("array-by-place", "a tensor has one array, whatever its shape becomes",
            wrapped("Tensor.numpy", lambda right, x, **k: x.__dict__.setdefault(
                "_array", right(x, **k))),
            lambda t: (lambda x: [x.numpy(), x.t_(), x.numpy()])(t.ones(1, 2))[2].shape == (2, 1),
            "numpy"),
    _mutant("capsule-shares", "from_dlpack(copy=True) copies nothing",
            wrapped("from_dlpack", lambda right, x, copy=None, **k: right(x, **k)),
            lambda t: (lambda x: [t.from_dlpack(x, copy=True).fill_(3), x[0]])(t.ones(2))[1] == 1,
            "numpy"),
    _mutant("detached-once", "detach() gives one tensor again and again", _detached_once,
            lambda t: (lambda x: [x.detach().requires_grad_(), x.detach()])(
                t.ones(1))[1].requires_grad is False, "autograd"),
    _mutant("threads", "a thread begins with the mode of the one that starts it", _inherited,
            _mode_of_a_thread, "autograd"),
    _mutant("hook-once", "register_post_accumulate_grad_hook is for one backward",
            wrapped("Tensor.register_post_accumulate_grad_hook", _hooked_once), _calls_of_a_hook,
            "autograd"),
    _mutant("hook-sees-the-sum", "a hook sees what is added up",
            wrapped("Tensor.register_hook", _sees_the_sum), _seen_by_a_hook, "autograd"),
    _mutant("mask-unnoticed", "a write by a mask is no change of what was saved",
            wrapped("Tensor.__setitem__", lambda right, x, index, value: (
                _unnoticed if getattr(index, "dtype", None) is torch.bool else lambda r, *a: r(*a)
            )(right, x, index, value)),
            lambda t: _noticed(t, lambda y: y.__setitem__(y > 0, 3.0)), "autograd"),
    _mutant("refill-unnoticed", "a random refill is no change of what was saved",
            wrapped("Tensor.normal_", _unnoticed), lambda t: _noticed(t, lambda y: y.normal_()),
            "autograd"),
    _mutant("first-momentum", "SGD keeps the momentum of its first step",
            _of_the_first_step("optim.SGD.step", "momentum"),
            lambda t: _stepped(t, lambda w: t.optim.SGD([w], 1.0, momentum=0.25), "momentum"),
            "optim"),
    _mutant("first-decay", "AdamW keeps the weight_decay of its first step",
            _of_the_first_step("optim.AdamW.step", "weight_decay"),
            lambda t: _stepped(t, lambda w: t.optim.AdamW([w], 1.0), "weight_decay"), "optim"),
    _mutant("moved-up", "the averages of SGD are counted without what has no gradient",
            wrapped("optim.SGD.step", _moved_up), _waited, "optim"),
    _mutant("last-rate", "a StepLR that loads a state reports the rate that it had",
            wrapped("optim.lr_scheduler.StepLR.load_state_dict",
                    lambda right, schedule, state: right(
                        schedule, {**state, "_last_lr": schedule._last_lr})),
            lambda t: (lambda schedule: [schedule.load_state_dict(
                {**schedule.state_dict(), "_last_lr": [7.0]}), schedule.get_last_lr()])(
                t.optim.lr_scheduler.StepLR(t.optim.SGD([t.ones(1)], 1.0), 1))[1] == [7.0],
            "optim"),
    _mutant("seeded-generator", "a generator that is seeded keeps the second of a pair",
            _seed_of_a_generator, _seeded_again, "random"),
    _mutant("generator-of-out", "rand with out= draws from the global stream",
            wrapped("rand", lambda right, *a, **k: (_lost if k.get("out") is not None
                                                    else lambda r, *b, **o: r(*b, **o))(
                right, *a, **k)),
            lambda t: _replayed(t, lambda g: t.rand(3, out=t.empty(3), generator=g)), "random"),
    _mutant("generator-of-init", "trunc_normal_ draws from the global stream",
            wrapped("nn.init.trunc_normal_", _lost),
            lambda t: _replayed(t, lambda g: t.nn.init.trunc_normal_(t.empty(3), generator=g)),
            "random"),
    _mutant("one-split", "without a generator every random split is the same",
            wrapped("utils.data.random_split", lambda right, data, lengths, **k: right(
                data, lengths, **({"generator": torch.Generator().manual_seed(0)} | k))),
            lambda t: t.get_rng_state().equal([t.utils.data.random_split(range(9), [9]),
                                               t.get_rng_state()][1]) is False, "data"),
    _mutant("statistics-elsewhere", "batch norm keeps its averages in new tensors",
            wrapped("nn.BatchNorm1d.forward", _elsewhere),
            lambda t: (lambda layer: [layer.state_dict()["running_mean"], layer(t.ones(2, 1)),
                                      layer.running_mean])(t.nn.BatchNorm1d(1))[0].item() > 0,
            "nn"),
    _mutant("normal-in-single", "normal() of numbers is float32, whatever the default",
            wrapped("normal", lambda right, mean, std, *a, **k: right(
                mean, std, *a, **({"dtype": torch.float32} | k) if a else k)),
            lambda t: _by_default(t, lambda: t.normal(0.0, 1.0, (2,)).dtype), "dtype"),
    _mutant("layers-in-single", "a new Linear is float32, whatever the default",
            wrapped("nn.Linear.__init__", lambda right, layer, *a, **k: right(
                layer, *a, **({"dtype": torch.float32} | k))),
            lambda t: _by_default(t, lambda: t.nn.Linear(1, 1).weight.dtype), "dtype"),
]  # fmt: skip
