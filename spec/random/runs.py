"""Reproducible runs: deterministic algorithms, training, and loading."""

from __future__ import annotations

import os
import random as python_random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, product
from typing import Any

import numpy as np

from tenet.spec.cases import (
    tensor_of,
)
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    read,
    supported,
)
from tenet.spec.model.dtypes import ALL, numpy_dtype
from tenet.spec.random.common import (
    where,
)


@contextmanager
def deterministic(torch: Any, device: str) -> Iterator[None]:
    """Deterministic algorithms on, autotuning off, and all of it back as it was afterwards.

    cuBLAS is deterministic only with a workspace named in the environment, which it reads once a
    process: where it refuses, the mode warns instead of raising.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    tuning = torch.backends.cudnn.benchmark
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        try:
            torch.ones(2, 2, device=device) @ torch.ones(2, 2, device=device)
        except RuntimeError:
            torch.use_deterministic_algorithms(True, warn_only=True)
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        torch.backends.cudnn.benchmark = tuning
        if workspace is None:
            del os.environ["CUBLAS_WORKSPACE_CONFIG"]


def _nondeterministic(torch: Any, device: str, dtype: str) -> list[tuple[str, Callable[[], Any]]]:
    """Operations that fast implementations sum up, or write, in no fixed order."""
    x = (torch.arange(600, device=device) % 37 / 7).to(getattr(torch, dtype))
    index = torch.arange(600, device=device) % 5
    table, grid = x.reshape(20, 30), x.reshape(1, 1, 20, 30)
    functional = torch.nn.functional

    def gradient(of: Callable[[Any], Any], at: Any) -> Any:
        leaf = at.clone().requires_grad_()
        of(leaf).square().sum().backward()
        return leaf.grad

    return [
        ("index_add_", lambda: torch.zeros_like(x[:5]).index_add_(0, index, x)),
        ("index_add", lambda: torch.zeros_like(x[:5]).index_add(0, index, x, alpha=2)),
        ("scatter_add_", lambda: torch.zeros_like(x[:5]).scatter_add_(0, index, x)),
        ("scatter_reduce_",
         lambda: torch.zeros_like(x[:5]).scatter_reduce_(0, index, x, "mean")),
        ("index_put_",
         lambda: torch.zeros_like(x[:5]).index_put_((index,), x, accumulate=True)),
        ("index_copy_", lambda: torch.zeros_like(x[:5]).index_copy_(0, index, x)),
        ("put_", lambda: torch.zeros_like(x[:5]).put_(index, x, accumulate=True)),
        ("cumsum", lambda: x.cumsum(0)),
        ("sum", lambda: x.sum()),
        ("matmul", lambda: table @ table.t()),
        ("median", lambda: x.median()),
        ("bincount", lambda: torch.bincount(index, weights=x)),
        ("conv2d", lambda: functional.conv2d(grid, grid[:, :, :3, :3])),
        ("gather gradient", lambda: gradient(lambda t: t.gather(0, index), x[:5])),
        ("index gradient", lambda: gradient(lambda t: t[index], x[:5])),
        ("embedding gradient",
         lambda: gradient(lambda t: functional.embedding(index, t), table[:5])),
        ("conv2d gradient",
         lambda: gradient(lambda t: functional.conv2d(t, grid[:, :, :3, :3]), grid)),
        ("max_pool2d gradient",
         lambda: gradient(lambda t: functional.max_pool2d(t, 3, 1), grid)),
        ("interpolate gradient",
         lambda: gradient(lambda t: functional.interpolate(t, scale_factor=2, mode="bilinear"),
                          grid)),
    ]  # fmt: skip


@clause("random.deterministic", covers=["notes.deterministic-algorithms"],
        requires={"in-place", "autograd"})  # fmt: skip
def deterministic_operations_repeat_bit_by_bit(torch: Any, device: str) -> None:
    """With use_deterministic_algorithms(True) an operation gives the same bits each time that
    it is given the same input, or raises where it cannot; with False none raises for that. The
    switch tells its position, and warn_only=True makes it warn instead of raise."""
    for dtype in supported(("float32", "float64")):
        for name, operation in _nondeterministic(torch, device, dtype):
            with case(operation=name, dtype=dtype):
                reference = read(operation())
                assert_that(np.isfinite(reference).all(), "the operation gave no number")
                with deterministic(torch, device):
                    try:
                        first = read(operation())
                    except RuntimeError:
                        assert_raises(operation)
                        continue
                    for _ in range(3):
                        assert_equal(operation(), first)
    before = torch.are_deterministic_algorithms_enabled()
    try:
        for on, warns in ((True, False), (True, True), (False, False), (True, False)):
            torch.use_deterministic_algorithms(on, warn_only=warns)
            assert_equal(torch.are_deterministic_algorithms_enabled(), on)
            assert_equal(torch.is_deterministic_algorithms_warn_only_enabled(), warns)
            assert_equal(torch.get_deterministic_debug_mode(), (2 - warns) if on else 0)
        for mode, number in (("error", 2), ("warn", 1), (2, 2), (1, 1), ("default", 0), (0, 0)):
            torch.set_deterministic_debug_mode(mode)
            with case(debug_mode=mode):
                assert_equal(torch.get_deterministic_debug_mode(), number)
                assert_equal(torch.are_deterministic_algorithms_enabled(), number > 0)
                warns = torch.is_deterministic_algorithms_warn_only_enabled()
                assert_equal(warns, number == 1)
    finally:
        torch.use_deterministic_algorithms(before)


@clause("random.deterministic-fill", covers=["notes.deterministic-algorithms"])
def uninitialised_memory_is_filled_in_deterministic_mode(torch: Any, device: str) -> None:
    """In deterministic mode new memory holds NaN (the largest number for integers, True for
    bools), so that what reads it by mistake repeats too."""
    for name, shape in product(supported(ALL), ((), (0,), (7,), (3, 33), (1025,))):
        kind = numpy_dtype(name)
        with case(dtype=name, shape=shape):
            options = where(torch, device, name)
            like = torch.zeros(shape, **options)
            with deterministic(torch, device):
                made = (torch.empty(shape, **options), torch.empty_like(like),
                        like.new_empty(shape))  # fmt: skip
            for tensor in made:
                values = read(tensor)
                if kind.kind in "fcV":
                    assert_that(np.isnan(values.astype(np.complex128)).all(), f"it is {values}")
                else:
                    # Of what is left, only bool has no iinfo, which mypy cannot know.
                    most = True if name == "bool" else np.iinfo(kind).max  # type: ignore[type-var]
                    assert_equal(tensor, np.full(shape, most, kind))


class _Learner:
    """One training run: a small network with dropout, noise of NumPy, and a shuffled loader."""

    def __init__(self, torch: Any, device: str, seed: int) -> None:
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        python_random.seed(seed)
        nn = torch.nn
        x = torch.randn(40, 6, device=device)
        y = torch.randint(3, (40,), device=device)
        model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
        model = model.to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        data = torch.utils.data.TensorDataset(x, y)
        self.losses: list[float] = []
        for _ in range(2):
            for inputs, labels in torch.utils.data.DataLoader(data, batch_size=8, shuffle=True):
                noise = tensor_of(torch, device, np.random.standard_normal(6).astype(np.float32))
                scaled = inputs * python_random.uniform(0.9, 1.1) + noise * 0.1
                loss = nn.functional.cross_entropy(model(scaled), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                self.losses.append(loss.item())
        self.parameters = [read(parameter) for parameter in model.parameters()]


@contextmanager
def _host_randomness() -> Iterator[None]:
    """NumPy's and Python's global streams are left as they were."""
    kept, state = np.random.get_state(), python_random.getstate()
    try:
        yield
    finally:
        np.random.set_state(kept)
        python_random.setstate(state)


@clause("random.training-run", covers=["mlnotes.reproducible-run", "minicourse.seed-repeats"],
        requires={"autograd"})  # fmt: skip
def a_seeded_training_run_repeats_bit_by_bit(torch: Any, device: str) -> None:
    """With torch, NumPy and Python seeded, deterministic algorithms on and autotuning off, a
    whole training run (initial weights, shuffling, dropout, noise, Adam) repeats: every loss
    and every weight has the same bits. Another seed gives another run."""
    with deterministic(torch, device), _host_randomness():
        first = _Learner(torch, device, 1)
        torch.randn(3, device=device)
        again, other = _Learner(torch, device, 1), _Learner(torch, device, 2)
    assert_equal(again.losses, first.losses)
    for got, expected in zip(again.parameters, first.parameters, strict=True):
        assert_that(got.tobytes() == expected.tobytes(), "the trained weights differ")
    assert_that(len(first.losses) == 10, f"{len(first.losses)} steps were made")
    assert_that(other.losses != first.losses, "another seed gave the same losses")


class _Noisy:
    """A data set that draws random numbers for each item it loads; picklable for the workers."""

    def __init__(self, blank: Any) -> None:
        self.blank = blank

    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> tuple[int, Any, float]:
        return index, self.blank.clone().uniform_(), python_random.random()


def _batches(torch: Any, workers: int, seed: int, own: bool, epochs: int) -> list[tuple[Any, ...]]:
    """What the epochs load, batch by batch: the order, torch's noise, and in workers Python's."""
    if not workers:
        torch.manual_seed(3)  # items are loaded here, and draw from the global stream
    generator = torch.Generator()
    (generator if own else torch).manual_seed(seed)
    loader = torch.utils.data.DataLoader(
        _Noisy(torch.zeros(3)), batch_size=6, shuffle=True, num_workers=workers,
        generator=generator if own else None,
    )  # fmt: skip
    return [
        (order.tolist(), noise.tolist(), python.tolist() if workers else None)
        for _ in range(epochs)
        for order, noise, python in loader
    ]


@clause(
    "random.loader",
    thorough=True,
    covers=["minicourse.loader-randomness", "mlnotes.reproducible-run"],
)
def a_seeded_loader_repeats_its_order_and_its_noise(torch: Any, device: str) -> None:
    """A DataLoader whose generator is seeded repeats its order and what its workers draw, batch
    by batch, whatever else was drawn; without a generator the global seed does it. No two
    workers and no two epochs draw the same, and another seed gives another order."""
    with _host_randomness():
        for workers, own, epochs in ((0, True, 2), (0, False, 2), (2, True, 2), (2, False, 1)):
            with case(workers=workers, own_generator=own):
                first = _batches(torch, workers, 5, own, epochs)
                torch.rand(4)
                assert_equal(_batches(torch, workers, 5, own, epochs), first)
                order = [batch[0] for batch in first]
                assert_equal(sorted(chain.from_iterable(order[:4])), list(range(24)))
                assert_that(order[:4] != order[4:], "both epochs have the same order")
                other = [batch[0] for batch in _batches(torch, 0, 6, own, 1)]
                assert_that(other != order[:4], "another seed gave the same order")
                noise = {tuple(item) for batch in first for item in batch[1]}
                assert_equal(len(noise), 24 * epochs)
                if workers:
                    python = {value for batch in first for value in batch[2]}
                    assert_equal(len(python), 24 * epochs)
