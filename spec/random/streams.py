"""Streams of random numbers: seeds, states, generators, and their independence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import (
    seeds,
    shapes,
)
from tenet.spec.cases.samplers import (
    BY_NAME,
    Sampler,
    numbers,
)
from tenet.spec.language import (
    assert_equal,
    assert_raises,
    assert_that,
    case,
    clause,
    dtype_name,
    for_all,
    read,
    supported,
)
from tenet.spec.model.dtypes import FLOATS
from tenet.spec.model.statistics import Law, agreement, serial_dependence
from tenet.spec.random.common import (
    DRAWN,
    LAWS,
    Shape,
    assert_fair,
    assert_unsurprising,
    drawn,
    start,
    surely_differ,
)

SEEDS = (0, 1, 2, 42, 1234567, 2**31 - 1, 2**31, 2**32 - 1, 2**40 + 5, 2**63 - 1, 2**64 - 1, -1,
         -(2**63))  # fmt: skip
"""A seed and the same with the last bit turned are two seeds."""

DISTURBANCES: tuple[Callable[[Any, str], Any], ...] = (
    lambda torch, device: torch.rand(1, device=device),
    # One normal number may leave the second of a pair behind.
    lambda torch, device: torch.randn(1, device=device),
    lambda torch, device: torch.randn(1, device=device, dtype=torch.float64),
    lambda torch, device: torch.randn(17, device=device),
    lambda torch, device: torch.randperm(5, device=device),
    lambda torch, device: torch.ones(3, device=device).bernoulli_(),
)
_disturb = st.sampled_from(range(len(DISTURBANCES)))


@clause(
    "random.seed-repeats",
    covers=["minicourse.seed-repeats", "minicourse.seed-fixes-sequence", "notes.rng-state"],
    effort=0.75,
)
@for_all(
    how=st.sampled_from(DRAWN),
    shape=shapes(max_rank=3, max_size=1100),
    seed=st.sampled_from(SEEDS),
    disturbance=_disturb,
)
def a_seed_fixes_the_sequence(
    torch: Any, device: str, how: tuple[str, str], shape: Shape, seed: int, disturbance: int
) -> None:
    """manual_seed(s) makes what follows repeat, element by element, whatever was drawn before:
    the first draw and the second, which differs from it. Another seed gives other numbers."""
    sampler = BY_NAME[how[0]]
    for name in supported(how[1:]):
        torch.manual_seed(seed)
        first, second = (
            read(drawn(torch, device, sampler, shape, name)),
            read(drawn(torch, device, sampler, shape, name)),
        )
        DISTURBANCES[disturbance](torch, device)
        torch.manual_seed(seed)
        assert_equal(drawn(torch, device, sampler, shape, name), first)
        assert_equal(drawn(torch, device, sampler, shape, name), second)
        if surely_differ(sampler.law, name, first.size):
            assert_that(not np.array_equal(first, second), "the second draw repeats the first")
            torch.random.manual_seed(seed ^ 1)
            other = read(drawn(torch, device, sampler, shape, name))
            assert_that(not np.array_equal(first, other), "another seed, the same numbers")


@clause("random.seed-repeats-everywhere", covers=["minicourse.seed-repeats"], thorough=True)
def a_seed_fixes_every_draw_of_every_rank(torch: Any, device: str) -> None:
    """What follows manual_seed(s) repeats with the seed, in every function that draws, every dtype
    and every number of dimensions, whatever was drawn before."""
    for shape in ((), (17,), (3, 5), (2, 3, 4), (2, 3, 2, 2)):
        draws = [(name, kind) for name, dtype in DRAWN for kind in supported([dtype])]
        torch.manual_seed(5)
        first = [read(drawn(torch, device, BY_NAME[name], shape, kind)) for name, kind in draws]
        torch.rand(shape, device=device)
        torch.manual_seed(5)
        for (name, kind), before in zip(draws, first, strict=True):
            with case(sampler=name, shape=shape, dtype=kind):
                assert_equal(drawn(torch, device, BY_NAME[name], shape, kind), before)


@clause("random.draws-differ", covers=["minicourse.rand-differs"])
def two_draws_differ(torch: Any, device: str) -> None:
    """Two draws without a seed between them differ, and so do draws after seed(), which seeds
    from a source that is different each time and returns the seed that it chose."""
    for name, dtype in DRAWN:
        for kind in supported([dtype]):
            with case(sampler=name, dtype=kind):
                sampler = BY_NAME[name]
                draws = [read(drawn(torch, device, sampler, (300,), kind)) for _ in range(3)]
                assert_that(not np.array_equal(draws[0], draws[1]), "the same numbers again")
                assert_that(not np.array_equal(draws[0], draws[2]), "the same numbers again")
                assert_that(not np.array_equal(draws[1], draws[2]), "the same numbers again")
    chosen = []
    for seed in (torch.seed, torch.random.seed, torch.seed):
        chosen.append(seed())
        assert_equal(torch.initial_seed(), chosen[-1])
        assert_that(isinstance(chosen[-1], int), f"seed() returned {chosen[-1]!r}")
        first = read(torch.rand(9, device=device))
        torch.manual_seed(chosen[-1])
        assert_equal(torch.rand(9, device=device), first)
    assert_that(len(set(chosen)) == 3, f"the seeds {chosen} repeat")
    orders = [torch.randperm(100, device=device).tolist() for _ in range(2)]
    assert_that(orders[0] != orders[1], "the same permutation again")


def _streams(torch: Any, device: str) -> list[tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """The functions that tell and set the state of the device's global stream, in pairs."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return [
            (torch.get_rng_state, torch.set_rng_state),
            (torch.random.get_rng_state, torch.random.set_rng_state),
        ]
    module = getattr(torch, kind)
    if kind == "mps":
        return [(module.get_rng_state, module.set_rng_state)]
    return [
        (lambda: module.get_rng_state(device), lambda state: module.set_rng_state(state, device))
    ]


@clause("random.state", covers=["notes.rng-state"], effort=3)
@for_all(
    how=st.sampled_from(DRAWN),
    shape=shapes(max_rank=2, max_size=300),
    disturbance=_disturb,
    seed=seeds(),
)
def a_saved_state_replays_the_stream(
    torch: Any, device: str, how: tuple[str, str], shape: Shape, disturbance: int, seed: int
) -> None:
    """get_rng_state gives the state of the global stream as bytes of its own, and set_rng_state
    replays from there, in the middle of a stream, as often as it is called."""
    sampler = BY_NAME[how[0]]
    for (get, put), name in product(_streams(torch, device), supported(how[1:])):
        start(torch, device, seed)
        DISTURBANCES[disturbance](torch, device)
        state = get()
        assert_that(dtype_name(state.dtype) == "uint8", f"a state of {state.dtype}")
        saved = read(state)
        first, second = (
            read(drawn(torch, device, sampler, shape, name)),
            read(drawn(torch, device, sampler, shape, name)),
        )
        for before in (disturbance, disturbance - 1):
            DISTURBANCES[before](torch, device)
            put(state)
            assert_equal(drawn(torch, device, sampler, shape, name), first)
            assert_equal(drawn(torch, device, sampler, shape, name), second)
            get()
        assert_equal(state, saved)


@clause("random.generator", covers=["notes.generator"], effort=4)
@for_all(
    how=st.sampled_from([how for how in DRAWN if BY_NAME[how[0]].takes_generator]),
    shape=shapes(max_rank=2, max_size=300),
    seed=st.sampled_from(SEEDS),
    disturbance=_disturb,
)
def a_generator_is_a_stream_of_its_own(
    torch: Any, device: str, how: tuple[str, str], shape: Shape, seed: int, disturbance: int
) -> None:
    """Two generators of one seed give the same numbers, whatever is drawn elsewhere meanwhile;
    drawing from one with generator= leaves the global stream, and every other, as it is;
    get_state and set_state replay it."""
    sampler, disturb = BY_NAME[how[0]], DISTURBANCES[disturbance]
    for name in supported(how[1:]):
        one, two = torch.Generator(device=device), torch.Generator(torch.device(device))
        for kind in supported([("float32", "float64")[seed % 2]]):
            # What is left of a pair of normal numbers is gone with the seed.
            torch.randn(1, dtype=getattr(torch, kind), device=device, generator=one)
        assert_equal(one.manual_seed(seed).initial_seed() % 2**64, seed % 2**64)
        start(torch, device, 7)
        quiet = [read(torch.rand(6, device=device)) for _ in range(3)]
        start(torch, device, 7)
        first = read(drawn(torch, device, sampler, shape, name, generator=one))
        assert_equal(torch.rand(6, device=device), quiet[0])
        state = one.get_state()
        saved = read(state)
        torch.Generator(device=device).manual_seed(seed)
        second = read(drawn(torch, device, sampler, shape, name, generator=one))
        assert_equal(torch.rand(6, device=device), quiet[1])
        one.get_state()
        assert_equal(state, saved)
        one.set_state(state)
        assert_equal(drawn(torch, device, sampler, shape, name, generator=one), second)
        assert_equal(torch.rand(6, device=device), quiet[2])
        disturb(torch, device)
        two.manual_seed(seed)
        assert_equal(drawn(torch, device, sampler, shape, name, generator=two), first)
        disturb(torch, device)
        assert_equal(drawn(torch, device, sampler, shape, name, generator=two), second)
        assert_equal(state, saved)
        if surely_differ(sampler.law, name, first.size):
            assert_that(not np.array_equal(first, second), "the second draw repeats the first")
            one.manual_seed(seed ^ 1)
            other = read(drawn(torch, device, sampler, shape, name, generator=one))
            assert_that(not np.array_equal(first, other), "another seed, the same numbers")


@clause("random.generator-object", covers=["notes.generator"])
def a_generator_knows_its_device_seed_and_state(torch: Any, device: str) -> None:
    """A Generator tells its device and its seed; seed() chooses a new one each time and returns
    it; a clone goes on from the same state on its own; manual_seed replays it, permutations
    included. A generator of another device is refused."""
    generator = torch.Generator(device=device)
    assert_equal(generator.device.type, device.partition(":")[0])
    for seed in SEEDS:
        with case(seed=seed):
            generator.manual_seed(seed)
            assert_equal(generator.initial_seed() % 2**64, seed % 2**64)
            orders = [read(_order(torch, device, generator)) for _ in range(2)]
            generator.manual_seed(seed)
            assert_equal(generator.initial_seed() % 2**64, seed % 2**64)
            assert_equal(_order(torch, device, generator), orders[0])
            clone = generator.clone_state()
            assert_equal(_order(torch, device, generator), orders[1])
            assert_equal(_order(torch, device, clone), orders[1])
    for length in (2, 99, 100, 257, 1025, 4099, 40000):
        with case(permutation=length):
            started = generator.manual_seed(length)
            order = read(torch.randperm(length, device=device, generator=started))
            torch.randperm(length, device=device)
            again = torch.randperm(length, device=device, generator=generator.manual_seed(length))
            assert_equal(again, order)
    chosen = [generator.seed() for _ in range(3)]
    assert_equal(generator.initial_seed(), chosen[-1])
    assert_that(len(set(chosen)) == 3, f"the seeds {chosen} repeat")
    order = read(_order(torch, device, generator))
    assert_equal(_order(torch, device, generator.manual_seed(chosen[-1])), order)
    assert_raises(generator.manual_seed, 2**64)
    if generator.device.type != "cpu":
        assert_raises(torch.rand, 2, device=device, generator=torch.Generator())


_CHOOSING: dict[str, Callable[[Any, Any, Any], Any]] = {
    # Of 50 weights: an order or a choice of them.
    "randperm": lambda torch, w, g: torch.randperm(50, device=w.device, generator=g),
    "randperm(dtype)": lambda torch, w, g: torch.randperm(
        50, dtype=torch.int32, device=w.device, generator=g
    ),
    "multinomial": lambda torch, w, g: torch.multinomial(w, 30, generator=g),
    "multinomial, replacing": lambda torch, w, g: torch.multinomial(w, 30, True, generator=g),
    "multinomial of rows": lambda torch, w, g: torch.multinomial(w.expand(3, 50), 30, generator=g),
    "randperm(out=)": lambda torch, w, g: torch.randperm(50, out=w.new_empty(50), generator=g),
    "rand(out=)": lambda torch, w, g: torch.rand(50, out=w.new_empty(50), generator=g),
    "randn(out=)": lambda torch, w, g: torch.randn(50, out=w.new_empty(50), generator=g),
    "randint(out=)": lambda torch, w, g: torch.randint(
        9**9, (50,), out=w.new_empty(50, dtype=torch.int64), generator=g
    ),
    "normal(out=)": lambda torch, w, g: torch.normal(w, w, out=w.new_empty(50), generator=g),
    "bernoulli(out=)": lambda torch, w, g: torch.bernoulli(w / 2, out=w.new_empty(50), generator=g),
    "multinomial(out=)": lambda torch, w, g: torch.multinomial(
        w, 30, True, out=w.new_empty(30, dtype=torch.int64), generator=g
    ),
    "init.uniform_": lambda torch, w, g: torch.nn.init.uniform_(w.new_empty(50), generator=g),
    "init.normal_": lambda torch, w, g: torch.nn.init.normal_(w.new_empty(50), generator=g),
    "init.trunc_normal_": lambda torch, w, g: torch.nn.init.trunc_normal_(
        w.new_empty(50), generator=g
    ),
    "init.xavier_uniform_": lambda torch, w, g: torch.nn.init.xavier_uniform_(
        w.new_empty(8, 9), generator=g
    ),
    "init.xavier_normal_": lambda torch, w, g: torch.nn.init.xavier_normal_(
        w.new_empty(8, 9), generator=g
    ),
    "init.kaiming_uniform_": lambda torch, w, g: torch.nn.init.kaiming_uniform_(
        w.new_empty(8, 9), generator=g
    ),
    "init.kaiming_normal_": lambda torch, w, g: torch.nn.init.kaiming_normal_(
        w.new_empty(8, 9), generator=g
    ),
    "init.orthogonal_": lambda torch, w, g: torch.nn.init.orthogonal_(
        w.new_empty(8, 9), generator=g
    ),
    "Tensor.multinomial": lambda torch, w, g: w.multinomial(30, generator=g),
    "Tensor.multinomial, replacing": lambda torch, w, g: w.multinomial(30, True, generator=g),
    "Tensor.multinomial of one": lambda torch, w, g: w.expand(60, 50).multinomial(1, generator=g),
}


@clause("random.generator-chooses", covers=["notes.generator", "notes.distributions"])
def orders_and_choices_come_from_the_generator_alone(torch: Any, device: str) -> None:
    """randperm and multinomial, with and without replacement, what draws into out=, and nn.init
    draw from the generator that they are given and repeat with its seed, whatever is drawn
    elsewhere; the global stream stays."""
    weights = torch.ones(50, device=device)
    generator = torch.Generator(device=device)
    start(torch, device, 7)
    quiet = read(torch.rand(6, device=device))
    for name, draw in _CHOOSING.items():
        with case(draw=name):
            start(torch, device, 7)
            first = read(draw(torch, weights, generator.manual_seed(3)))
            second = read(draw(torch, weights, generator))
            assert_equal(torch.rand(6, device=device), quiet)
            assert_equal(draw(torch, weights, generator.manual_seed(3)), first)
            other = read(draw(torch, weights, generator.manual_seed(4)))
            # One in 50! and 50^30 by chance.
            assert_that(not np.array_equal(first, second), "the second draw repeats the first")
            assert_that(not np.array_equal(first, other), "another seed, the same choice")


def _order(torch: Any, device: str, generator: Any) -> Any:
    return torch.randperm(50, device=device, generator=generator)


def _fork(torch: Any, device: str, **more: Any) -> Any:
    """fork_rng for the CPU and the one device."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return torch.random.fork_rng(**(more or {"devices": []}))
    return torch.random.fork_rng(devices=[int(index or 0)], device_type=kind, **more)


@clause("random.fork", thorough=True, covers=["notes.rng-state"])
def a_fork_leaves_the_stream_as_it_found_it(torch: Any, device: str) -> None:
    """Inside fork_rng the stream goes on, and may be seeded anew; on leaving, also by an
    exception, it is back where it was: with the devices that are named or, where none are, all.
    enabled=False makes it do nothing."""
    kind = device.partition(":")[0]
    of_all = {} if kind in ("cpu", "cuda") else {"device_type": kind}
    for disturb, reseeds in product(DISTURBANCES, (False, True)):
        torch.manual_seed(11)
        before = read(torch.get_rng_state())
        expected_ = read(torch.rand(9, device=device))
        torch.manual_seed(11)
        with case(devices="all", seeded_inside=reseeds), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are many
            with torch.random.fork_rng(**of_all):
                if reseeds:
                    torch.manual_seed(5)
                disturb(torch, device)
            assert_equal(torch.get_rng_state(), before)
            assert_equal(torch.rand(9, device=device), expected_)
    for name in ("rand", "randn", "randint(high)", "bernoulli_()", "normal_()", "dropout"):
        sampler = BY_NAME[name]

        def draw(of: Sampler = sampler) -> np.ndarray:
            return read(drawn(torch, device, of, (35,), "float32"))

        for disturb, reseeds in product(DISTURBANCES, (False, True)):
            with case(sampler=name, seeded_inside=reseeds):
                torch.manual_seed(11)
                expected = [draw(), draw(), draw()]
                torch.manual_seed(11)
                assert_equal(drawn(torch, device, sampler, (35,), "float32"), expected[0])
                with _fork(torch, device):
                    if reseeds:
                        torch.manual_seed(5)
                    else:
                        assert_that(np.array_equal(draw(), expected[1]), "the fork starts anew")
                    disturb(torch, device)
                    with _fork(torch, device, enabled=True):
                        disturb(torch, device)
                assert_equal(drawn(torch, device, sampler, (35,), "float32"), expected[1])
                try:
                    with _fork(torch, device):
                        disturb(torch, device)
                        raise KeyError(name)
                except KeyError:
                    pass
                assert_equal(drawn(torch, device, sampler, (35,), "float32"), expected[2])
                torch.manual_seed(11)
                with _fork(torch, device, enabled=False):
                    draw()
                assert_equal(drawn(torch, device, sampler, (35,), "float32"), expected[1])


@clause("random.initial-seed", covers=["notes.rng-state"])
def initial_seed_tells_the_seed(torch: Any, device: str) -> None:
    """initial_seed tells the seed that manual_seed was given (a negative one modulo 2^64), also
    after numbers were drawn; manual_seed returns the generator; a seed beyond 64 bits raises.
    manual_seed seeds every device of the kind."""
    kind, _, index = device.partition(":")
    devices = [device]
    if kind != "cpu" and index:
        devices = [f"{kind}:{i}" for i in range(getattr(torch, kind).device_count())]
    for seed in SEEDS:
        with case(seed=seed):
            assert_equal(torch.manual_seed(seed).initial_seed() % 2**64, seed % 2**64)
            draws = [read(torch.rand(5, device=name)) for name in devices]
            assert_equal(torch.initial_seed() % 2**64, seed % 2**64)
            assert_equal(torch.random.initial_seed() % 2**64, seed % 2**64)
            torch.rand(1, device=device)
            torch.manual_seed(seed)
            for name, draw in zip(devices, draws, strict=True):
                assert_equal(torch.rand(5, device=name), draw)
    assert_raises(torch.manual_seed, 2**64)
    assert_raises(torch.manual_seed, -(2**63) - 1)


FAIR = ("rand", "randn", "uniform_()", "normal_()", "exponential_()", "rand_like", "randn_like",
        "normal(mean, std, size)", "normal(tensor, tensor)", "randint(0, 2)",
        "bernoulli_()")  # fmt: skip


def _bits(samples: np.ndarray, of: Law) -> np.ndarray:
    """Above the median or not: fair coins."""
    middle = 1 if of.discrete else of.points[np.argmin(np.abs(of.levels - 0.5))]
    return np.asarray(samples >= middle)


@clause("random.independence", thorough=True, covers=LAWS)
def samples_are_independent_of_each_other(torch: Any, device: str) -> None:
    """Whether a sample lies above the median tells nothing about one at any distance from it,
    in the next draw, or in a stream of another seed."""
    for name in FAIR:
        sampler = BY_NAME[name]
        for dtype in supported(FLOATS):
            with case(sampler=name, dtype=dtype):
                rows = [
                    _bits(numbers(drawn(torch, device, sampler, (257, 255), dtype)), sampler.law)
                    for _ in range(2)
                ]
                assert_fair(serial_dependence(rows[0].ravel()))
                assert_fair(agreement(rows[0].ravel(), rows[1].ravel()))
        for shape in ((2, 4000), (37, 111)):
            with case(sampler=name, seeds="neighbours", shape=shape):
                streams = []
                for seed in (*range(24), 2**31, 2**32 - 1):
                    torch.manual_seed(seed)
                    got = drawn(torch, device, sampler, shape, "float32")
                    streams.append(_bits(read(got), sampler.law).ravel() * 2.0 - 1)
                signs = np.stack(streams)
                for shift in (0, 1, 2, 4):
                    products = signs[:, shift:] @ signs[:, : signs.shape[1] - shift].T
                    np.fill_diagonal(products, 0)
                    trials = signs.shape[1] - shift
                    assert_unsurprising((products / trials + 1) / 2, trials, 0.5)
