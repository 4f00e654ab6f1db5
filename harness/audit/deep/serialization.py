"""What is read back differs from what was written."""

import torch

from tenet.harness.audit.faults import raises, wrapped
from tenet.harness.audit.mutant import Mutant


def _mutant(slug, says, names, lie, proof, *sections):
    return Mutant(f"serialization.{slug}", says, ("serialization", *sections),
                  wrapped(names, lie), proof)  # fmt: skip


def _again(t, thing, **k):
    from io import BytesIO

    stream = BytesIO()
    t.save(thing, stream)
    stream.seek(0)
    return t.load(stream, **k)


def _tensors(change):
    """Every tensor that is loaded, in containers too, is changed."""

    def walk(thing):
        if type(thing) is torch.Tensor:
            return change(thing)
        if type(thing) is dict:
            return {name: walk(value) for name, value in thing.items()}
        if type(thing) in (list, tuple):
            return type(thing)(walk(value) for value in thing)
        return thing

    return lambda right, *a, **k: walk(right(*a, **k))


def _shared(t):
    x = t.ones(4)
    return (lambda a, b: a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())(
        *_again(t, [x, x[1:]])
    )


MUTANTS = [
    _mutant("unshared", "views are loaded with memory of their own", "load",
            _tensors(lambda x: x.clone() if x.storage_offset() else x), _shared),
    _mutant("packed", "strided tensors are loaded contiguous", "load",
            _tensors(lambda x: x.contiguous()),
            lambda t: _again(t, t.ones(2, 3).t()).stride() == (1, 3)),
    _mutant("requires-grad", "loaded tensors of float64 do not require gradients", "load",
            _tensors(lambda x: x.detach() if x.dtype == torch.float64 else x),
            lambda t: _again(t, t.ones(1, dtype=t.float64, requires_grad=True)).requires_grad),
    _mutant("minus-zero", "-0.0 is loaded as 0.0", "load",
            _tensors(lambda x: x.add_(0.0) if x.dtype == torch.float32 and not x.requires_grad
                     and x.is_contiguous() else x),
            lambda t: bool(_again(t, t.tensor([-0.0])).signbit())),
    _mutant("bfloat16", "the last of 17 bfloat16 is loaded as the one before", "load",
            _tensors(lambda x: x[[*range(16), 15]] if x.dtype == torch.bfloat16
                     and x.dim() == 1 and len(x) == 17 else x),
            lambda t: _again(t, t.arange(17).bfloat16())[16] == 16),
    _mutant("empty-shape", "tensors without elements are loaded as vectors", "load",
            _tensors(lambda x: x.flatten() if x.numel() == 0 else x),
            lambda t: _again(t, t.ones(2, 0)).dim() == 2),
    _mutant("strict", "load_state_dict takes surplus names", "nn.Module.load_state_dict",
            lambda right, m, state, strict=True, **k: right(
                m, {n: v for n, v in state.items() if n in m.state_dict()}, strict, **k),
            lambda t: raises(lambda: t.nn.Linear(1, 1, bias=False).load_state_dict(
                {"weight": t.ones(1, 1), "other": t.ones(1)}))),
    _mutant("buffers", "state_dict forgets integer buffers", "nn.Module.state_dict",
            lambda right, m, *a, **k: type(d := right(m, *a, **k))(
                (n, v) for n, v in d.items() if v.is_floating_point()),
            lambda t: "num_batches_tracked" in t.nn.BatchNorm1d(1).state_dict(), "nn"),
    _mutant("weights-only", "weights_only=True is ignored", "load",
            lambda right, *a, **k: right(*a, **{**k, "weights_only": False}),
            lambda t: raises(lambda: _again(t, raises, weights_only=True))),
    _mutant("copies-half", "load_state_dict of a matrix leaves its last row",
            "nn.Module.load_state_dict",
            lambda right, m, state, *a, **k: _keeping(right, m, state, *a, **k),
            lambda t: (lambda m: (m.load_state_dict({"weight": t.full((2, 2), 9.0)}),
                                  m.weight.sum().item() == 36)[1])(t.nn.Linear(2, 2, bias=False)),
            "nn"),
    _mutant("twins", "a tensor that a list holds twice is loaded as two", "load",
            lambda right, *a, **k: (lambda x: [one.view_as(one) if isinstance(one, torch.Tensor)
                                    else one for one in x] if type(x) is list else x)(
                                        right(*a, **k)),
            lambda t: (lambda x: x[0] is x[1])(_again(t, [t.ones(1)] * 2))),
    _mutant("lax-sizes", "strict=False passes over tensors of another size",
            "nn.Module.load_state_dict",
            lambda right, m, state, strict=True, **k: right(m, state if strict else {
                n: v for n, v in state.items()
                if n not in (own := m.state_dict()) or own[n].shape == v.shape}, strict, **k),
            lambda t: raises(lambda: t.nn.Linear(1, 1).load_state_dict(
                {"weight": t.ones(2, 1)}, strict=False)), "nn"),
    _mutant("parameters", "Parameters are loaded as tensors", "load",
            lambda right, *a, **k: (lambda x: x.detach().requires_grad_(x.requires_grad)
                                    if isinstance(x, torch.nn.Parameter) else x)(right(*a, **k)),
            lambda t: isinstance(_again(t, t.nn.Parameter(t.ones(1))), t.nn.Parameter)),
    _mutant("first-of-several", "a parameter of one number takes the first of several",
            "nn.Module.load_state_dict", lambda right, m, state, *a, **k: right(m, {
                n: v[:1] if v.dim() == 1 and n in (own := m.state_dict()) and own[n].shape == (1,)
                and len(v) else v for n, v in state.items()}, *a, **k),
            lambda t: raises(lambda: t.nn.Linear(1, 1).load_state_dict(
                {"weight": t.ones(1, 1), "bias": t.ones(3)})), "nn"),
    _mutant("twins-by-name", "a tensor that a dict holds under two names is loaded as two", "load",
            lambda right, *a, **k: (lambda x: {n: v.clone() if i and isinstance(v, torch.Tensor)
                                               and v is next(iter(x.values())) else v
                                               for i, (n, v) in enumerate(x.items())}
                                    if type(x) is dict else x)(right(*a, **k)),
            lambda t: (lambda x, r: r["a"] is r["b"])(
                one := t.ones(1), _again(t, {"a": one, "b": one}))),
    _mutant("trusted-times", "a span of time passes for a weight", "load",
            lambda right, file, *a, **k: right(file, *a, **{**k, "weights_only": False})
            if k.get("weights_only", True) and hasattr(file, "getvalue")
            and b"timedelta" in file.getvalue() else right(file, *a, **k),
            lambda t: raises(lambda: _again(t, _span()))),
]  # fmt: skip


def _span():
    from datetime import timedelta

    return timedelta(1)


def _keeping(right, module, state, *args, **kwargs):
    kept = {n: p[-1].detach().clone() for n, p in module.named_parameters() if p.dim() == 2}
    result = right(module, state, *args, **kwargs)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name in kept and not kwargs.get("assign") and len(parameter):
                parameter[-1] = kept[name]
    return result


def _pairs(right, module, state, *a, **k):
    """The values are taken in their order, where the names are the same but for theirs."""
    own = module.state_dict()
    if set(own) == set(state) and list(own) != list(state):
        values = list(state.values())
        if all(v.shape == o.shape for v, o in zip(values, own.values(), strict=True)):
            state = dict(zip(own, values, strict=True))
    return right(module, state, *a, **k)


def _loaded_by_name(t):
    model = t.nn.Sequential(t.nn.Linear(1, 1, bias=False), t.nn.Linear(1, 1, bias=False))
    model.load_state_dict({"1.weight": t.full((1, 1), 5.0), "0.weight": t.ones(1, 1)})
    return model[1].weight.item() == 5


def _as_it_lies(right, module, state, *a, **k):
    """Square or not, a matrix that lies transposed is read as it lies in memory."""
    return right(module, {
        name: value.t().reshape(value.shape) if isinstance(value, torch.Tensor)
        and value.dim() == 2 and not value.is_contiguous() and value.t().is_contiguous()
        else value for name, value in state.items()}, *a, **k)  # fmt: skip


def _loaded_transposed(t):
    layer, weight = t.nn.Linear(2, 3, bias=False), t.arange(6.0).reshape(2, 3).t()
    layer.load_state_dict({"weight": weight})
    return bool((layer.weight == weight).all())


def _frozen(t):
    model = t.nn.Linear(1, 1).requires_grad_(False)
    return not _again(t, model, weights_only=False).weight.requires_grad


def _saved(t, value, **options):
    from io import BytesIO

    stream = BytesIO()
    t.save(value, stream, **options)
    stream.seek(0)
    return t.load(stream, weights_only=False)


MUTANTS += [
    _mutant("by-order", "load_state_dict takes values in their order, not by name",
            "nn.Module.load_state_dict", _pairs, _loaded_by_name, "nn"),
    _mutant("turned-weights", "load_state_dict reads transposed matrices as they lie",
            "nn.Module.load_state_dict", _as_it_lies, _loaded_transposed, "nn"),
    _mutant("long-dicts", "a dict is loaded up to its thousandth entry", "load",
            lambda right, *a, **k: (lambda cut: cut(right(*a, **k)))(
                lambda x: {n: dict(list(v.items())[:1000]) if type(v) is dict else v
                           for n, v in x.items()} if type(x) is dict else x),
            lambda t: len(_again(t, {"x": dict.fromkeys(range(1500))})["x"]) == 1500),
    _mutant("many-tensors", "a list of more than 256 tensors begins again", "load",
            lambda right, *a, **k: (lambda x: x[:256] + x[: len(x) - 256] if type(x) is list
                                    and len(x) > 256 else x)(right(*a, **k)),
            lambda t: _again(t, [t.tensor(n) for n in range(300)])[-1].item() == 299),
    _mutant("later-protocol", "by later protocols tensors are saved contiguous", "save",
            lambda right, value, *a, **k: right(
                value.contiguous() if k.get("pickle_protocol", 2) > 2
                and type(value) is torch.Tensor else value, *a, **k),
            lambda t: _saved(t, t.ones(2, 3).t(), pickle_protocol=4).stride() == (1, 3)),
    _mutant("sparse-made-dense", "sparse tensors are loaded dense", "load",
            _tensors(lambda x: x.to_dense() if x.layout is not torch.strided else x),
            lambda t: _again(t, t.eye(2).to_sparse()).is_sparse),
    _mutant("whole-and-trained", "every parameter of a model that is loaded is trained", "load",
            lambda right, *a, **k: (lambda x: x.requires_grad_(True) if isinstance(
                x, torch.nn.Module) else x)(right(*a, **k)),
            _frozen),
    _mutant("written-once", "what is saved to a path that is taken is not saved", "save",
            lambda right, value, file, *a, **k: None if isinstance(file, str) and (
                __import__("os").path.exists(file)) else right(value, file, *a, **k),
            lambda t: _written_again(t)),
]  # fmt: skip


def _written_again(t):
    from os.path import join
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = join(folder, "x.pt")
        t.save(1, path)
        t.save(2, path)
        return t.load(path) == 2
