"""The lattice of dtypes, and which casts it allows."""

from __future__ import annotations

from itertools import product
from typing import Any

from tenet.spec.cases.promoting import ones
from tenet.spec.language import assert_equal, assert_same_object, case, clause, supported
from tenet.spec.model.dtypes import ALL
from tenet.spec.model.promotion import KINDS, castable, promoted, result
from tenet.spec.promotion.common import DIMENSIONED


@clause("promotion.lattice", covers=["notes.promotion-lattice"], metadata_only=True)
def promote_types_is_the_least_upper_bound(torch: Any, device: str) -> None:
    """promote_types gives the lowest dtype above both: for every pair, in either order, and for
    a dtype with itself; joining a third gives the same dtype in whatever order they are joined."""
    dtypes = {name: getattr(torch, name) for name in supported(ALL)}
    for (first, one), (second, two) in product(dtypes.items(), repeat=2):
        with case(first=first, second=second):
            expected = getattr(torch, promoted(first, second))
            joined = torch.promote_types(one, two)
            assert_same_object(joined, expected)
            assert_same_object(torch.promote_types(type1=one, type2=two), expected)
            for third in dtypes:
                with case(third=third):
                    expected = getattr(torch, promoted(first, promoted(second, third)))
                    assert_same_object(torch.promote_types(joined, dtypes[third]), expected)


@clause("promotion.can-cast", covers=["notes.result-type"], metadata_only=True)
def can_cast_compares_categories(torch: Any, device: str) -> None:
    """A dtype can be cast to every dtype of its own or a higher category, whatever their widths,
    and to none of a lower one."""
    dtypes = {name: getattr(torch, name) for name in supported(ALL)}
    for (source, one), (target, two) in product(dtypes.items(), repeat=2):
        with case(source=source, target=target):
            assert_equal(torch.can_cast(one, two), castable(source, target))
            assert_equal(torch.can_cast(from_=one, to=two), castable(source, target))


@clause(
    "promotion.result-type",
    covers=["notes.result-type", "notes.promotion-categories", "notes.promotion-priority"],
    metadata_only=True,
)
def result_type_ranks_categories_and_operands(torch: Any, device: str) -> None:
    """Dimensioned tensors decide the dtype, then 0-d tensors, then Python numbers: a later one
    counts only with a category above all earlier ones. One element or none makes no tensor 0-d."""
    available = frozenset(supported(ALL))
    firsts, seconds = ones(torch, device, (3,)), ones(torch, device, (3,))
    tensors = [kind for kind in DIMENSIONED if kind.dtype in available]
    for left, right in product(KINDS, repeat=2):
        dtype = result(left, right)
        if dtype is None or not {left.dtype, right.dtype} <= available:
            continue
        with case(left=left, right=right):
            got = torch.result_type(firsts[left], seconds[right])
            assert_same_object(got, getattr(torch, dtype))
    for shape in ((1,), (0,), (1, 1, 1), (2, 0), (2, 1, 3, 1, 2)):
        others = ones(torch, device, shape, tuple(tensors))
        for left, right in product(tensors, KINDS):
            dtype = result(left, right)
            if dtype is None or right.dtype not in available:
                continue
            with case(left=left, right=right, shape=shape):
                expected = getattr(torch, dtype)
                assert_same_object(torch.result_type(others[left], seconds[right]), expected)
                assert_same_object(torch.result_type(seconds[right], others[left]), expected)
