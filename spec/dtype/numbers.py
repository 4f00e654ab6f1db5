"""Numbers that leave a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import regimes, seeds, tensor_of
from tenet.spec.cases import values as values_of
from tenet.spec.dtype.common import named
from tenet.spec.language import assert_equal, case, clause, for_all, supported
from tenet.spec.model.casting import nearest
from tenet.spec.model.dtypes import ALL, FLOATS, Category, category


@clause("dtype.item", covers=["dlnotes.item-float32-rounding"], effort=6)
@for_all(dtype=st.sampled_from(ALL), regime=regimes(), seed=seeds())
def item_gives_the_rounded_number(
    torch: Any, device: str, dtype: str, regime: str, seed: int
) -> None:
    """item() and tolist() give the number that the tensor really holds as a Python number: the
    rounded one for a float, exact for every integer; float(), int(), bool() and complex() too.
    tolist() nests as the shape does."""
    for name in supported([dtype]):
        array = values_of((7,), name, regime, seed)
        plain = array.astype(np.float64).tolist() if name in FLOATS else array.tolist()
        x = tensor_of(torch, device, array)
        column = torch.stack([x, x], 1)
        if regime != "special":  # nan is not equal to itself
            assert_equal(x.tolist(), plain)
            assert_equal(column.tolist(), [[number, number] for number in plain])
            assert_equal(column.t().tolist(), [plain, plain])
            assert_equal(column.reshape(7, 1, 2).tolist(), [[[n, n]] for n in plain])
        for place_of, number in enumerate(plain):
            with case(dtype=name, number=number):
                element = x[place_of]
                _assert_number(element.item(), number)
                _assert_number(column[place_of : place_of + 1, :1].item(), number)
                _assert_number(element.tolist(), number)
                assert_equal(bool(element), bool(number))
        real = category(name) is not Category.COMPLEX
        if real and np.isfinite(plain[0]):
            assert_equal(int(x[0]), int(plain[0]))
            _assert_number(float(x[0]), float(plain[0]))
        _assert_number(complex(x[0]), complex(plain[0]))


def _assert_number(got: Any, expected: Any) -> None:
    if isinstance(expected, complex) and isinstance(got, complex):
        assert_equal(got.real, expected.real)
        assert_equal(got.imag, expected.imag)
    else:
        assert_equal(got, expected)


@clause("dtype.item-rounding", covers=["dlnotes.item-float32-rounding"])
def item_of_a_literal_is_its_rounding(torch: Any, device: str) -> None:
    """item() of tensor(3.14) is 3.140000104904175, the float32 nearest to 3.14; in float64 it
    is 3.14 itself, in float16 3.140625, in bfloat16 3.140625."""
    literals = (3.14, 0.1, -2.7, 1 / 3, 16777217.0, 1e-45, 65519.0, 65520.0, 2049.0, 2051.0)
    for literal in (*literals, 1e-8, 257.0, 259.0, -0.0):
        exact = np.asarray(literal)
        for name in supported(FLOATS):
            rounded = float(nearest(exact, name))
            dtype = named(torch, name)
            with case(literal=literal, dtype=name):
                if np.isfinite(rounded) or name == "float64":
                    assert_equal(torch.tensor(literal, dtype=dtype, device=device).item(), rounded)
                    assert_equal(
                        torch.tensor([[literal]], dtype=dtype, device=device).item(), rounded
                    )
                wide = torch.tensor(literal, dtype=torch.float32, device=device)
                single = nearest(nearest(exact, "float32"), name)
                assert_equal(wide.to(dtype).item(), float(single))
    assert_equal(torch.tensor(3.14, device=device).item(), 3.140000104904175)
    assert_equal(torch.tensor([3.14], device=device).item(), 3.140000104904175)
