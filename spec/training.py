"""Training: small models that have to learn, and what must not be learned.

The data comes from NumPy. Where a threshold stands, the comment beside it says what was seen on
stock PyTorch over 50 seeds of data, weights and order; the margin is for backends that round
otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tenet.spec.cases import datasets, seeds, tensor_of
from tenet.spec.language import (
    assert_close,
    assert_equal,
    assert_metadata,
    assert_that,
    case,
    clause,
    for_all,
    read,
    supported,
)
from tenet.spec.model import optimizers, perceptron
from tenet.spec.model.layers import Array, likely, unit, wide
from tenet.spec.model.tolerance import Bound

SINGLE = ("float32", "float64")
starts = st.integers(0, 49)
"""Seeds of data, weights and order: those over which the thresholds were calibrated."""
_SETS = {"moons": datasets.moons, "wave": datasets.wave}
"""One of classes, and one of numbers."""
_METHODS: dict[str, Callable[..., tuple[Array, Array]]] = {
    "SGD": optimizers.sgd,
    "Adam": optimizers.adam,
    "AdamW": optimizers.adamw,
}


@contextmanager
def seeded(torch: Any, seed: int) -> Iterator[None]:
    """Random numbers from a seed; afterwards the CPU's stream goes on where it was.

    A device's own stream cannot be put back by documented means everywhere; no clause rests on it.
    """
    before = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def perceptron_of(torch: Any, device: str, widths: tuple[int, ...], dtype: str = "float32") -> Any:
    """Linear layers with ReLU between them."""
    nn, layers = torch.nn, []
    for before, after in pairwise(widths):
        layers += [nn.ReLU(), nn.Linear(before, after)]
    return nn.Sequential(*layers[1:]).to(device=device, dtype=getattr(torch, dtype))


def convolutional(torch: Any, device: str) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 4)
    ).to(device)


def samples(
    torch: Any, device: str, data: tuple[Array, Array], dtype: str = "float32"
) -> tuple[Any, Any]:
    """Examples, and labels or targets, as tensors; labels stay integers."""
    x, y = data
    targets = y if y.dtype.kind == "i" else y.astype(dtype)
    return tensor_of(torch, device, x.astype(dtype)), tensor_of(torch, device, targets)


def train(
    model: Any, loss_of: Callable[[Any, Any], Any], optimizer: Any, data: tuple[Any, Any],
    epochs: int, batch: int, seed: int,
) -> list[float]:  # fmt: skip
    """The documented loop over shuffled batches; the mean loss of every epoch."""
    x, y = data
    seen = []
    model.train()
    for epoch in range(epochs):
        order = datasets.order(len(x), 1000 * seed + epoch)
        total = 0.0
        for start in range(0, len(x), batch):
            chosen = order[start : start + batch].tolist()
            optimizer.zero_grad()
            loss = loss_of(model(x[chosen]), y[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        seen.append(total / len(x))
    return seen


def measure(torch: Any, model: Any, loss_of: Any, data: tuple[Any, Any]) -> tuple[float, float]:
    """Loss and accuracy, in eval mode under no_grad; accuracy of labels only."""
    x, y = data
    model.eval()
    with torch.no_grad():
        out = model(x)
        loss = loss_of(out, y).item()
    hits = read(out).argmax(1) == read(y) if out.shape[1] > 1 else np.zeros(1)
    return loss, float(hits.mean())


class Task(NamedTuple):
    """Something to learn, and what has to come out of it.

    epochs, batch, rates: of the training, and lr of SGD (with momentum 0.9) and of Adam; limit:
    the loss on unseen data that is not exceeded, unless there are labels: then the accuracy that
    is at least reached.
    """

    model: Callable[[Any, str], Any]
    data: Callable[[int, int], tuple[Array, Array]]
    samples: int
    epochs: int
    batch: int
    rates: dict[str, float]
    limit: float


TASKS = {
    "line": Task(lambda torch, device: perceptron_of(torch, device, (3, 1)),
                 datasets.line, 200, 10, 32, {"SGD": 0.05, "Adam": 0.1}, 0.1),
    "wave": Task(lambda torch, device: perceptron_of(torch, device, (1, 32, 1)),
                 datasets.wave, 256, 40, 32, {"SGD": 0.05, "Adam": 0.02}, 0.05),
    "moons": Task(lambda torch, device: perceptron_of(torch, device, (2, 16, 2)),
                  datasets.moons, 200, 30, 32, {"SGD": 0.2, "Adam": 0.03}, 0.8),
    "stripes": Task(convolutional, datasets.stripes, 512, 6, 64, {"SGD": 0.1, "Adam": 0.02}, 0.8),
}  # fmt: skip
OPTIMIZERS = ("SGD", "Adam")


def optimizer_of(torch: Any, model: Any, name: str, rate: float) -> Any:
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(torch.optim, name)(model.parameters(), lr=rate, **options)


def learn(torch: Any, device: str, task: Task, optimizer: str, seed: int) -> dict[str, float]:
    """Train a fresh model; the losses and accuracies before and after."""
    with seeded(torch, seed):
        model = task.model(torch, device)
    seen, unseen = (
        samples(torch, device, task.data(task.samples, start)) for start in (seed, seed + 1000)
    )
    labels = read(seen[1]).dtype.kind == "i"
    functional = torch.nn.functional
    loss_of = functional.cross_entropy if labels else functional.mse_loss
    before, _ = measure(torch, model, loss_of, unseen)
    used = optimizer_of(torch, model, optimizer, task.rates[optimizer])
    losses = train(model, loss_of, used, seen, task.epochs, task.batch, seed)
    after, accuracy = measure(torch, model, loss_of, unseen)
    _, remembered = measure(torch, model, loss_of, seen)
    return {
        "first": losses[0], "last": losses[-1], "before": before, "after": after,
        "accuracy": accuracy, "remembered": remembered,
    }  # fmt: skip


@clause(
    "training.regression",
    thorough=True,
    covers=["mlnotes.training-loop", "dlnotes.refinement"],
    requires={"autograd"},
    effort=0.012,
)
@for_all(seed=starts)
def regression_converges(torch: Any, device: str, seed: int) -> None:
    """The loop zero_grad, forward, loss, backward, step over shuffled batches lowers the mean
    squared error of a linear model and of a perceptron, with SGD and with Adam, on the examples
    and on unseen data of the same kind."""
    for name in ("line", "wave"):
        for optimizer in OPTIMIZERS:
            with case(data=name, optimizer=optimizer):
                found = learn(torch, device, TASKS[name], optimizer, seed)
                limit = TASKS[name].limit
                assert_that(found["after"] < limit, f"the loss on unseen data is {found['after']}")
                assert_that(found["last"] < limit, f"the loss on the examples is {found['last']}")
                # Worst seen: 0.028 (line) and 0.003 (wave); 0.006 of the loss before.
                assert_that(found["after"] < found["before"] / 10, f"before {found['before']}")


@clause(
    "training.classification",
    thorough=True,
    covers=["mlnotes.training-loop", "dlnotes.refinement", "hackmd.train-and-test-loops"],
    requires={"autograd"},
    effort=0.012,
)
@for_all(seed=starts)
def classification_converges(torch: Any, device: str, seed: int) -> None:
    """Cross entropy lets a perceptron tell two interlocking half circles apart and a small
    convolutional model four kinds of striped images, with SGD and with Adam, on unseen data."""
    for name in ("moons", "stripes"):
        for optimizer in OPTIMIZERS:
            with case(data=name, optimizer=optimizer):
                found = learn(torch, device, TASKS[name], optimizer, seed)
                right, limit = found["accuracy"], TASKS[name].limit
                # Worst seen: 0.880 (moons) and 0.902 (stripes); chance is 0.5 and 0.25.
                assert_that(right > limit, f"{right:.3f} of the unseen samples are right")
                remembered = found["remembered"]
                assert_that(remembered > limit, f"{remembered:.3f} of the examples are right")
                assert_that(found["last"] < found["first"], f"the loss rose to {found['last']}")


@clause(
    "training.loops",
    thorough=True,
    covers=["hackmd.train-and-test-loops", "mlnotes.training-loop"],
    requires={"autograd"},
    effort=0.012,
)
@for_all(seed=starts)
def train_and_test_loops_report_loss_and_accuracy(torch: Any, device: str, seed: int) -> None:
    """A train loop over a DataLoader (Adam, cross entropy, batches of 64) and a test loop under
    no_grad report loss and accuracy; on learnable images the accuracy on unseen ones rises well
    above chance, and the test loop leaves the model as it is."""
    data = torch.utils.data
    with seeded(torch, seed):
        loaders = [
            data.DataLoader(
                data.TensorDataset(*samples(torch, "cpu", datasets.stripes(count, start))),
                batch_size=64, shuffle=shuffle,
            )
            for count, start, shuffle in ((500, seed, True), (300, seed + 1000, False))
        ]  # fmt: skip
        model = convolutional(torch, device)
        loss_of = torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        reports = []
        for _ in range(6):
            model.train()
            for x, y in loaders[0]:
                optimizer.zero_grad()
                loss_of(model(x.to(device)), y.to(device)).backward()
                optimizer.step()
            kept = [read(parameter) for parameter in model.parameters()]
            model.eval()
            total, right = 0.0, 0
            with torch.no_grad():
                for x, y in loaders[1]:
                    out = model(x.to(device))
                    total += loss_of(out, y.to(device)).item() * len(x)
                    right += (out.argmax(1) == y.to(device)).sum().item()
            reports.append((total / 300, right / 300))
            for parameter, before in zip(model.parameters(), kept, strict=True):
                assert_equal(parameter, before)
    # Worst seen: an accuracy of 0.917, and a loss that fell from 1.0 to 0.26.
    assert_that(reports[-1][1] > 0.8, f"the accuracies are {[right for _, right in reports]}")
    assert_that(reports[-1][0] < reports[0][0], f"the losses are {[loss for loss, _ in reports]}")


@clause(
    "training.random-labels",
    thorough=True,
    covers=["hackmd.train-and-test-loops"],
    requires={"autograd"},
    effort=0.012,
)
@for_all(seed=starts)
def nothing_is_learned_from_random_labels(torch: Any, device: str, seed: int) -> None:
    """A model that is trained on labels that nothing explains fits its examples better than
    chance, and on held-out data stays at chance."""
    count = 1000
    x, _ = datasets.moons(32, seed)
    held_out, _ = datasets.moons(count, seed + 1000)
    for optimizer in OPTIMIZERS:
        with case(optimizer=optimizer), seeded(torch, seed):
            model = perceptron_of(torch, device, (2, 64, 2))
            seen = samples(torch, device, (x, datasets.labels_at_random(32, 2, seed)))
            unseen = samples(
                torch, device, (held_out, datasets.labels_at_random(count, 2, seed + 1))
            )
            loss_of = torch.nn.functional.cross_entropy
            rate = {"SGD": 0.1, "Adam": 0.03}[optimizer]
            used = optimizer_of(torch, model, optimizer, rate)
            losses = train(model, loss_of, used, seen, 60, 16, seed)
            _, accuracy = measure(torch, model, loss_of, unseen)
            # The held-out labels are coin tosses, whatever the model says.
            right = round(accuracy * count)
            assert_that(likely(right, count, 0.5), f"{right} of {count} coin tosses are foreseen")
            # Worst seen: 0.93 of the first loss; and 467 to 546 coin tosses foreseen.
            assert_that(losses[-1] < losses[0], f"the loss went from {losses[0]} to {losses[-1]}")


@clause("training.rate-zero", covers=["mlnotes.training-loop"], requires={"autograd"})
def with_rate_zero_nothing_is_learned(torch: Any, device: str) -> None:
    """With lr = 0 the loop leaves every parameter as it is, bit by bit, and with gradients that
    are never computed it does so at any rate."""
    for dtype in supported(SINGLE):
        data = samples(torch, device, datasets.moons(40, 0), dtype)
        for name in OPTIMIZERS:
            with case(optimizer=name, dtype=dtype):
                model = perceptron_of(torch, device, (2, 8, 2), dtype)
                before = [read(parameter) for parameter in model.parameters()]
                used = optimizer_of(torch, model, name, 0.0)
                train(model, torch.nn.functional.cross_entropy, used, data, 2, 16, 0)
                for parameter, start in zip(model.parameters(), before, strict=True):
                    assert_equal(parameter, start)
                    assert_that(bool(read(parameter.grad).any()), "there is no gradient")
                used = optimizer_of(torch, model, name, 0.5)
                used.zero_grad()
                used.step()
                for parameter, start in zip(model.parameters(), before, strict=True):
                    assert_equal(parameter, start)


@clause(
    "training.follows-reference",
    covers=["mlnotes.training-loop", "mlnotes.sgd", "mlnotes.adam"],
    requires={"autograd"},
    effort=0.1,
)
@for_all(
    how=st.sampled_from([(o, d, k) for o in _METHODS for d in SINGLE
                         for k in _SETS]),
    widths=st.sampled_from((8, 1, 5, 17, 33)),
    seed=starts,
)  # fmt: skip
def training_follows_the_reference(
    torch: Any, device: str, how: tuple[str, str, str], widths: int, seed: int
) -> None:
    """From the same weights, ten full-batch steps go through the same losses and end at the same
    weights as the same model trained in float64 NumPy."""
    optimizer, dtype, kind = how
    for name in supported([dtype]):
        x, y = _SETS[kind](37, seed)
        x, y = wide(x.astype(np.float32)), y if y.dtype.kind == "i" else wide(y.astype(np.float32))
        shape = (x.shape[1], widths, 2 if kind == "moons" else 1)
        weights = perceptron.initial(shape, seed)
        nn = torch.nn
        model = nn.Sequential(nn.Linear(*shape[:2]), nn.Tanh(), nn.Linear(*shape[1:]))
        model = model.to(device=device, dtype=getattr(torch, name))
        with torch.no_grad():
            for parameter, array in zip(model.parameters(), weights, strict=True):
                parameter.copy_(tensor_of(torch, device, array.astype(name)))
        options: dict[str, Any] = {"lr": 0.1, "momentum": 0.9}
        if optimizer != "SGD":
            # With a large eps small gradients do not turn into steps of random direction.
            options = {"lr": 0.05, "eps": 0.01}
        used = getattr(torch.optim, optimizer)(model.parameters(), **options)
        given = samples(torch, device, (x, y), name)
        loss_of = nn.functional.cross_entropy if kind == "moons" else nn.functional.mse_loss
        losses, ends = _reference(optimizer, weights, x, y, options)
        # Each step adds some roundings, of sums of 37 terms, and stretches those before it by
        # 1 + lr * curvature, over ten steps (and momentum, and 1 / eps) by less than 100.
        far = 100 * (37 + widths + 16) * unit(name)
        for step, expected in enumerate(losses):
            used.zero_grad()
            loss = loss_of(model(given[0]), given[1])
            with case(step=step):
                assert_close(loss, expected, Bound(name, 2, "training", far * (1 + expected)))
            loss.backward()
            used.step()
        for place, (parameter, end) in enumerate(zip(model.parameters(), ends, strict=True)):
            with case(parameter=place):
                assert_close(parameter, end, Bound(name, 2, "training", far))


def _reference(
    optimizer: str, weights: perceptron.Weights, x: Array, y: Array, options: dict[str, Any]
) -> tuple[list[float], list[Array]]:
    """The losses of ten steps, and the weights after them: each from all gradients so far."""
    method = _METHODS[optimizer]
    losses: list[float] = []
    history: list[list[Array]] = []
    now = list(weights)
    for _ in range(10):
        loss, gradients = perceptron.evaluate(now, x, y)
        losses.append(loss)
        history.append(gradients)
        now = [
            method(start, np.stack([each[place] for each in history]), **options)[0]
            for place, start in enumerate(weights)
        ]
    return losses, now


@clause(
    "training.repeats",
    covers=["mlnotes.training-loop"],
    requires={"autograd"},
    effort=0.02,
)
@for_all(seed=starts)
def the_same_seed_trains_the_same_model(torch: Any, device: str, seed: int) -> None:
    """After manual_seed a whole training run, with its initial weights, its shuffled batches and
    its dropout, repeats bit by bit; another seed gives another model."""
    data, nn = torch.utils.data, torch.nn

    def run(start: int) -> list[Array]:
        with seeded(torch, start):
            model = nn.Sequential(
                nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2)
            ).to(device)
            set_ = data.TensorDataset(*samples(torch, "cpu", datasets.moons(100, seed)))
            optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
            for _ in range(2):
                for x, y in data.DataLoader(set_, batch_size=16, shuffle=True):
                    optimizer.zero_grad()
                    nn.functional.cross_entropy(model(x.to(device)), y.to(device)).backward()
                    optimizer.step()
            return [read(parameter) for parameter in model.parameters()]

    first, again, other = run(seed), run(seed), run(seed + 1)
    for one, two, three in zip(first, again, other, strict=True):
        assert_that(one.tobytes() == two.tobytes(), "the second run differs from the first")
        assert_that((one != three).any(), "another seed gives the same model")


@clause("training.eval-average", covers=["mlnotes.eval-average"], effort=0.5)
@for_all(
    count=st.sampled_from((10, 1, 7, 64, 65, 100, 129)),
    batch=st.sampled_from((4, 1, 3, 32, 64, 200)),
    how=st.sampled_from([(kind, dtype) for kind in _SETS for dtype in SINGLE]),
    seed=seeds(),
)
def batches_weighted_by_their_size_average_to_the_whole(
    torch: Any, device: str, count: int, batch: int, how: tuple[str, str], seed: int
) -> None:
    """The mean losses of batches, weighted by their sizes, the last one smaller, average to the
    loss over the whole set; so do the counts of hits to its accuracy."""
    kind, dtype = how
    for name in supported([dtype]):
        x, y = _SETS[kind](count, seed)
        given = samples(torch, device, (x, y), name)
        weights = perceptron.initial((x.shape[1], 5, 2 if kind == "moons" else 1), seed)
        w = [tensor_of(torch, device, array.astype(name)) for array in weights]
        functional = torch.nn.functional
        loss_of = functional.cross_entropy if kind == "moons" else functional.mse_loss
        total, hits, sizes = 0.0, 0, []
        with torch.no_grad():
            for start in range(0, count, batch):
                part, target = (whole[start : start + batch] for whole in given)
                hidden = torch.tanh(functional.linear(part, w[0], w[1]))
                out = functional.linear(hidden, w[2], w[3])
                sizes.append(len(part))
                total += loss_of(out, target).item() * sizes[-1]
                if kind == "moons":
                    hits += (out.argmax(dim=1) == target).sum().item()
        assert_equal(sum(sizes), count)
        x = wide(x.astype(name))
        y = y if kind == "moons" else wide(y.astype(name))
        expected, _ = perceptron.evaluate(weights, x, y)
        off = abs(total / count - expected)
        # Inner products of 5 terms, a few functions, and the mean of a batch.
        allowed = (64 + 2 * batch) * unit(name) * (1 + expected)
        assert_that(off <= allowed, f"the average is off by {off}")
        if kind == "moons":
            out = np.tanh(x @ weights[0].T + weights[1]) @ weights[2].T + weights[3]
            near = np.abs(out[:, 0] - out[:, 1]) < 1e-4
            least = int(((out.argmax(1) == y) & ~near).sum())
            most = least + int(near.sum())
            assert_that(least <= hits <= most, f"{hits} hits, not {least}")


@clause("training.predictions", covers=["mlnotes.predictions-to-cpu"], requires={"autograd"})
def predictions_come_to_the_cpu_without_gradients(torch: Any, device: str) -> None:
    """Predictions in eval mode under no_grad do not require gradients and know no history, repeat
    from call to call although the model has dropout, and cpu() brings them over with their
    values; the model can be trained afterwards."""
    nn = torch.nn
    for dtype in supported(SINGLE):
        for guard in (torch.no_grad, torch.inference_mode):
            with case(dtype=dtype, guard=guard.__name__):
                model = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Dropout(0.5),
                                      nn.Linear(16, 3))  # fmt: skip
                model = model.to(device=device, dtype=getattr(torch, dtype))
                x, _ = samples(torch, device, datasets.moons(33, 0), dtype)
                tracked = model(x)
                assert_equal(tracked.requires_grad, True)
                model.eval()
                with guard():
                    found = [model(x) for _ in range(2)]
                    batches = [model(part).cpu() for part in x.split(8)]
                for out in (*found, *batches):
                    assert_equal((out.requires_grad, out.grad_fn), (False, None))
                home = found[0].cpu()
                assert_equal(home.device.type, "cpu")
                assert_metadata(home, shape=(33, 3), dtype=dtype)
                assert_equal(home, read(found[0]))
                assert_equal(found[1], read(found[0]))
                w = [wide(read(parameter)) for parameter in model.parameters()]
                kept = [wide(read(kept)) for kept in (model[1].running_mean, model[1].running_var)]
                hidden = (wide(read(x)) @ w[0].T + w[1] - kept[0]) / np.sqrt(kept[1] + 1e-5)
                expected = (hidden * w[2] + w[3]) @ w[4].T + w[5]
                bound = Bound(dtype, 2, "two layers", 1024 * unit(dtype))
                assert_close(found[0], expected, bound)
                assert_close(torch.cat(batches), expected, bound)
                model.train()
                model(x).sum().backward()
                assert_that(all(p.grad is not None for p in model.parameters()), "no gradient")
