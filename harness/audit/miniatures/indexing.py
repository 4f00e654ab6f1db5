"""Lies about indexing."""

from collections.abc import Callable
from typing import Any

import torch

from tenet.harness.audit.miniature import Miniature
from tenet.harness.audit.operators import off_at_the_end


def _both(name: str) -> tuple[str, str]:
    return (name, f"Tensor.{name}")


def _if(condition: Callable[..., bool], wrong: Callable[[Any], Any]) -> Any:
    """Another result for the calls of which the condition holds."""

    def lie(right: Any, *args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        return wrong(result) if condition(*args, **kwargs) else result

    return lie


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _tensors(index: Any) -> list[Any]:
    return [part for part in _parts(index) if isinstance(part, torch.Tensor)]


def _copies_stepped(right: Any, x: Any, index: Any) -> Any:
    result = right(x, index)
    stepped = any(isinstance(part, slice) and part.step == 3 for part in _parts(index))
    return result.clone() if stepped and not _tensors(index) else result


def _keeps(right: Any, x: Any, index: Any) -> Any:
    result = right(x, index)
    return result.unsqueeze(-1) if index in (-1, (-1,)) and x.dim() == 1 else result


def _wraps(right: Any, x: Any, index: Any) -> Any:
    """One index too many at the lower side is the last element."""
    parts = _parts(index)
    if len(parts) == 1 and isinstance(parts[0], int) and x.dim() and parts[0] == -len(x) - 1:
        index = -1
    return right(x, index)


def _reverses(right: Any, x: Any, index: Any) -> Any:
    parts = _parts(index)
    if any(isinstance(p, slice) and p.step is not None and p.step < 0 for p in parts):
        dim = len(parts) - 1
        return x.flip(dim)
    return right(x, index)


def _writes_in_place_of_broadcast(right: Any, x: Any, index: Any, value: Any) -> None:
    """A value of another dtype is truncated to an integer on the way."""
    if isinstance(value, torch.Tensor) and value.dtype != x.dtype and x.dtype == torch.int8:
        value = value + 1
    right(x, index, value)


def _in_front(right: Any, x: Any, index: Any) -> Any:
    """The dimensions of two index tensors always go in front."""
    result = right(x, index)
    parts = _parts(index)
    two = len(parts) == 3 and isinstance(parts[0], slice) and isinstance(parts[1], torch.Tensor)
    if two and len(_tensors(index)) == 2 and result.dim() > 1:
        return result.movedim(0, 1)
    return result


def _from_the_end(right: Any, x: Any, index: Any) -> Any:
    """int32 indices do not count from the end."""
    if isinstance(index, tuple):
        index = tuple(
            p.clamp_min(0) if isinstance(p, torch.Tensor) and p.dtype == torch.int32 else p
            for p in index
        )
    return right(x, index)


def _one_write_too_few(right: Any, x: Any, index: Any, value: Any) -> None:
    masks = [t for t in _tensors(index) if t.dtype == torch.bool and t.dim() == 2]
    kept = x[-1:].clone() if masks and x.dim() else None
    right(x, index, value)
    if kept is not None:
        x[-1:] = kept


def _last_only(right: Any, x: Any, index: Any, value: Any, accumulate: bool = False) -> Any:
    """Repeated indices add once where there are two index tensors."""
    return right(x, index, value, accumulate and len(index) != 2)


class _Overwrites(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, right: Any, index: Any) -> Any:
        ctx.shape, ctx.index = x.shape, index
        return right(x, index).clone()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        result = torch.zeros(ctx.shape, dtype=grad.dtype)
        result[ctx.index] = grad
        return result, None, None


def _overwritten_gradient(right: Any, x: Any, index: Any) -> Any:
    return _Overwrites.apply(x, right, index) if x.requires_grad else right(x, index)


def _clamps(right: Any, x: Any, dim: int, index: Any, **kwargs: Any) -> Any:
    return right(x, dim, index.clamp(-1 if index.numel() == 0 else 0), **kwargs)


def _stops_short(right: Any, x: Any, mask: Any) -> Any:
    result = right(x, mask)
    return result[:-1] if result.numel() == 17 else result


def _nan_is_zero(right: Any, x: Any, **kwargs: Any) -> Any:
    return right(torch.nan_to_num(x, nan=0.0) if x.is_floating_point() else x, **kwargs)


def _columns(right: Any, x: Any, **kwargs: Any) -> Any:
    """Column-major order for matrices."""
    result = right(x, **kwargs)
    if x.dim() == 2 and isinstance(result, torch.Tensor) and len(result) > 1:
        return right(x.t()).flip(1)
    return result


def _whole_source(right: Any, x: Any, dim: int, index: Any, src: Any) -> Any:
    """A source larger than the index is read as if it were flat."""
    if isinstance(src, torch.Tensor) and src.shape != index.shape and src.dim() == 2:
        src = src.reshape(-1)[: index.numel()].reshape(index.shape)
    return right(x, dim, index, src)


def _unstable(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Descending order reverses equals too."""
    if kwargs.get("stable") and kwargs.get("descending"):
        dim = kwargs.get("dim", -1)
        kwargs["descending"] = False
        result = right(x, *args, **kwargs)
        if isinstance(result, torch.Tensor):
            return result.flip(dim)
        return torch.return_types.sort(tuple(part.flip(dim) for part in result))
    return right(x, *args, **kwargs)


def _long(x: Any, *args: Any, **kwargs: Any) -> bool:
    return x.dim() == 1 and len(x) >= 17


def _shifted_places(result: Any) -> Any:
    return torch.return_types.topk((result[0], (result[1] + 1) % 17))


def _always_left(truth: Any, s: Any, v: Any, **kwargs: Any) -> Any:
    """side= is not heeded for integers."""
    if "side" in kwargs and not s.is_floating_point():
        del kwargs["side"]
    return truth(s, v, **kwargs)


def _first_row(truth: Any, s: Any, v: Any, **kwargs: Any) -> Any:
    s = s[:1].expand_as(s).contiguous() if s.dim() == 2 and "sorter" not in kwargs else s
    return truth(s, v, **kwargs)


def _unsorted(right: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    result = right(x, *args, **kwargs)
    return result.flip(0) if isinstance(result, torch.Tensor) and x.dtype == torch.uint8 else result


def _pairs(right: Any, x: Any, **kwargs: Any) -> Any:
    """The number of the last run is one too small."""
    result = right(x, **kwargs)
    return (*result[:2], result[2].clamp_max(3)) if isinstance(result, tuple) else result


_GET, _SET = ("Tensor.__getitem__",), ("Tensor.__setitem__",)

MINIATURES = [
    Miniature("a step of 3 copies", _GET, _copies_stepped, "indexing.basic"),
    Miniature("index -1 keeps the dimension", _GET, _keeps, "indexing.integers"),
    Miniature("-n-1 is the last element", _GET, _wraps, "indexing.out-of-range"),
    Miniature("a negative step reverses", _GET, _reverses, "indexing.out-of-range"),
    Miniature(
        "int8 rounds up what it converts", _SET, _writes_in_place_of_broadcast,
        "indexing.basic-write",
    ),
    Miniature("index dimensions always in front", _GET, _in_front, "indexing.advanced"),
    Miniature("int32 indices do not wrap", _GET, _from_the_end, "indexing.advanced"),
    Miniature("a matrix mask misses a row", _SET, _one_write_too_few, "indexing.advanced-write"),
    Miniature("pairs of indices add once", ("Tensor.index_put_",), _last_only,
              "indexing.index-put"),
    Miniature("index_put of pairs adds once", ("index_put",), _last_only, "indexing.index-put"),
    Miniature("the last gradient wins", _GET, _overwritten_gradient, "indexing.gradient"),
    Miniature("gather takes -1 for 0", ("gather",), _clamps, "indexing.tensor-out-of-range"),
    Miniature("index_select takes -1 for 0", ("Tensor.index_select",), _clamps,
              "indexing.tensor-out-of-range"),
    Miniature("17 elements are 16", ("Tensor.masked_select",), _stops_short, "indexing.counts"),
    Miniature("a mask of one is not stretched", ("masked_select",),
              lambda right, x, mask: right(x, mask)[: None if mask.dim() >= x.dim() else 1],
              "indexing.masked"),
    Miniature("NaN is zero", _both("nonzero"), _nan_is_zero, "indexing.nonzero"),
    Miniature("column-major", _both("nonzero"), _columns, "indexing.nonzero"),
    Miniature("argwhere is column-major", ("argwhere",), _columns, "indexing.nonzero"),
    Miniature("-0.0 becomes 0.0", ("where",),
              lambda right, *args: right(*args) + 0 if len(args) == 3 and args[1] is not True
              and not isinstance(right(*args), bool) and right(*args).is_floating_point()
              else right(*args), "indexing.where"),
    Miniature("the source is read flat", ("Tensor.scatter_",),
              lambda right, x, dim, index, src: _whole_source(right, x, dim, index, src),
              "indexing.scatter-reverses-gather"),
    Miniature("bools ascend", ("sort",),
              lambda right, x, dim, descending: right(
                  x, dim=dim, descending=descending and x.dtype != torch.bool), "indexing.sort"),
    Miniature("x.sort reverses equals", ("Tensor.sort",), _unstable, "indexing.sort"),
    Miniature("argsort reverses equals", ("argsort",), _unstable, "indexing.sort"),
    Miniature("places are one off", ("topk",), _if(_long, _shifted_places), "indexing.topk"),
    Miniature("too many are as many as there are", ("topk",),
              lambda right, x, k, dim=-1, **kw: right(x, min(k, x.shape[dim]), dim, **kw),
              "indexing.topk"),
    Miniature("integers ignore side", ("searchsorted",), _always_left, "indexing.searchsorted"),
    Miniature("every row is the first", ("searchsorted",), _first_row, "indexing.searchsorted"),
    Miniature("uint8 descends", ("unique",), _unsorted, "indexing.unique"),
    Miniature("a run has at most three", ("unique_consecutive",), _pairs, "indexing.unique"),
    Miniature("33 int16 sort their equals in reverse", ("sort",),
              lambda right, x, *a, **k: (
                  (lambda found: (found[0], 32 - found[1]))(right(x.flip(0), *a, **k))
                  if x.dtype == torch.int16 and x.shape == (33,) else right(x, *a, **k)),
              "indexing.sort-every-length"),
    *(Miniature(f"the last of {length} {dtype} is wrong", (name,), off_at_the_end(dtype, length),
                "indexing.every-length")
      for name, dtype, length in (("cat", "float64", 19), ("Tensor.gather", "float32", 22),
                                  ("Tensor.flip", "bool", 21), ("Tensor.tril", "int64", 14))),
    Miniature("two indices of complex64 squares change places", ("Tensor.__getitem__",),
              lambda right, x, key: right(
                  x, key[::-1] if isinstance(key, tuple) and len(key) == 2
                  and x.dtype == torch.complex64 and torch.is_tensor(key[0])
                  and torch.is_tensor(key[1]) and x.shape[0] == x.shape[1] else key),
              "indexing.square"),
    Miniature("take of int8 takes 0 for a stride of 0", ("take",),
              lambda right, x, index: right(
                  x, index * 0 if index.stride() == (0,) and x.dtype == torch.int8 else index),
              "indexing.expanded-index"),
    Miniature("tril of a matrix wider by one keeps one more", ("tril",),
              lambda right, x, k=0: right(x, k + (x.shape[1] == x.shape[0] + 1)),
              "indexing.triangles"),
    Miniature("a number is added to int16 at -1", ("Tensor.__setitem__",),
              lambda right, x, key, value: right(
                  x, key, value + int(x.tolist()[-1]) % 2
                  if x.dtype == torch.int16 and isinstance(key, int) and key == -1 else value),
              "indexing.number-write"),
]  # fmt: skip


def _reads_as_it_lies(right: Any, x: Any, mask: Any) -> Any:
    return right(x, mask if mask.is_contiguous() else mask.t().reshape(mask.shape))


MINIATURES += [
    Miniature(
        "masked_select reads a transposed mask in the order of memory",
        of=("Tensor.masked_select",),
        lie=_reads_as_it_lies,
        caught_by="indexing.odd-ones",
    ),
    Miniature(
        "put_ never accumulates",
        of=("Tensor.put_",),
        lie=lambda right, x, index, source, accumulate=False: right(x, index, source),
        caught_by="indexing.put",
    ),
    Miniature(
        "select_scatter takes a negative index for a positive one",
        of=("select_scatter",),
        lie=lambda right, x, source, dim, at: right(x, source, dim, abs(at)),
        caught_by="indexing.slices-replaced",
    ),
    Miniature(
        "the mean of int32 contributions is their sum",
        of=("scatter_reduce", "Tensor.scatter_reduce"),
        lie=lambda right, x, dim, at, source, reduce, **options: right(
            x,
            dim,
            at,
            source,
            "sum" if reduce == "mean" and x.dtype == torch.int32 else reduce,
            **options,
        ),
        caught_by="indexing.written-out",
    ),
    Miniature(
        "scatter of False writes True",
        of=("scatter", "Tensor.scatter"),
        lie=lambda right, x, dim, index, value, **kwargs: right(
            x, dim, index, True if value is False else value, **kwargs
        ),
        caught_by="indexing.written-out",
    ),
    Miniature(
        "index_reduce counts the elements that are there, asked to or not",
        of=("index_reduce", "Tensor.index_reduce"),
        lie=lambda right, *args, include_self=True, **kwargs: right(*args, **kwargs),
        caught_by="indexing.written-out",
    ),
    Miniature(
        "an index vector that is strided is read as it lies",
        of=("Tensor.__getitem__",),
        lie=lambda right, x, index: right(
            x,
            index.as_strided(index.shape, (1,))
            if isinstance(index, torch.Tensor) and index.dtype == torch.int64 and index.dim() == 1
            else index,
        ),
        caught_by="indexing.advanced",
    ),
    Miniature(
        "searchsorted reads a strided sequence of int32 as it lies",
        of=("searchsorted",),
        lie=lambda right, sequence, *args, **kwargs: right(
            sequence.as_strided(sequence.shape, (1,))
            if sequence.dtype == torch.int32 and sequence.dim() == 1
            else sequence,
            *args,
            **kwargs,
        ),
        caught_by="indexing.searchsorted",
    ),
    Miniature(
        "take_along_dim of float16 takes from the first row for all where one index serves all",
        of=("take_along_dim",),
        lie=lambda right, x, at, *dim: (
            right(x[:1].expand_as(x), at, *dim)
            if x.dtype == torch.float16 and dim and dim[0] % x.dim() and len(at) == 1
            else right(x, at, *dim)
        ),
        caught_by="indexing.take-along-broadcast",
    ),
    Miniature(
        "take_along_dim without a dimension counts through memory from its beginning",
        of=("take_along_dim",),
        lie=lambda right, x, index, *args: (
            right(x, index, *args)
            if args
            else right(
                x.as_strided((len(x.untyped_storage()) // x.element_size(),), (1,), 0), index
            )
        ),
        caught_by="indexing.take-along-flattened",
    ),
    Miniature(
        "index_add adds up 32 contributions to a place",
        of=_both("index_add"),
        lie=lambda right, x, dim, index, source: right(
            x, dim, index[:32], source.narrow(dim, 0, min(len(index), 32))
        ),
        caught_by="indexing.repeated-places",
    ),
    Miniature(
        "gather counts places in sixteen bits",
        of=_both("gather"),
        lie=lambda right, x, dim, index: right(x, dim, index % 2**16),
        caught_by="indexing.beyond-sixteen-bits",
    ),
    Miniature(
        "sort numbers places in sixteen bits",
        of=_both("sort"),
        lie=lambda right, *args, **kwargs: (lambda kept, places: (kept, places % 2**16))(
            *right(*args, **kwargs)
        ),
        caught_by="indexing.order-beyond-sixteen-bits",
    ),
]
