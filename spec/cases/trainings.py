"""Small models with the names of their state, and small training runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tenet.spec.language import read


@contextmanager
def seeded(torch: Any, seed: int) -> Iterator[None]:
    """The global stream of random numbers starts at `seed`, and is put back afterwards."""
    before = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def _perceptron(nn: Any) -> Any:
    return nn.Sequential(
        nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 2)
    )


def _convolutional(nn: Any) -> Any:
    return nn.Sequential(
        nn.Unflatten(1, (1, 6)),
        nn.Conv1d(1, 3, 2),
        nn.BatchNorm1d(3),
        nn.Flatten(),
        nn.Linear(15, 2),
    )


def _normalised(nn: Any) -> Any:
    return nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 4, bias=False), nn.Tanh(), nn.PReLU())


def _nested(nn: Any) -> Any:
    inner = nn.ModuleDict({"first": nn.Linear(6, 3), "rest": nn.ModuleList([nn.Linear(3, 2)])})
    inner.forward = lambda x: inner["rest"][0](inner["first"](x).relu())
    return inner


def _recurrent(nn: Any) -> Any:
    layer = nn.GRU(6, 3, num_layers=2, batch_first=True)
    whole = nn.ModuleDict({"gru": layer})
    whole.forward = lambda x: layer(x.unsqueeze(1))[0].squeeze(1)
    return whole


_BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
MODELS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    # Each with the names of its state.
    "perceptron": (
        _perceptron,
        ["0.weight", "0.bias", *(f"1.{part}" for part in _BATCH_NORM), "4.weight", "4.bias"],
    ),
    "convolutional": (
        _convolutional,
        ["1.weight", "1.bias", *(f"2.{part}" for part in _BATCH_NORM), "4.weight", "4.bias"],
    ),
    "normalised": (_normalised, ["0.weight", "0.bias", "1.weight", "3.weight"]),
    "nested": (_nested, ["first.weight", "first.bias", "rest.0.weight", "rest.0.bias"]),
    "recurrent": (
        _recurrent,
        [
            f"gru.{kind}_l{n}"
            for n in (0, 1)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ],
    ),
}


OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD with momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "Adam": ("Adam", {"lr": 0.01}),
    "Adam with amsgrad": ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    "AdamW": ("AdamW", {"lr": 0.02, "betas": (0.8, 0.95)}),
    "RMSprop": ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}),
    "Adagrad": ("Adagrad", {"lr": 0.1, "lr_decay": 0.01}),
}


class Run:
    """A small training run: random data, noise, and a learning rate that falls."""

    def __init__(self, torch: Any, device: str, optimizer: str, *, rate: float = 1.0) -> None:
        self.torch, self.device = torch, device
        nn = torch.nn
        self.model = nn.Sequential(
            nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 1)
        ).to(device)
        name, options = OPTIMIZERS[optimizer]
        groups = [
            {"params": list(self.model[0].parameters())},
            {"params": list(self.model[3].parameters()), "lr": options["lr"] / 2 * rate},
        ]
        own = {**options, "lr": options["lr"] * rate}
        self.optimizer = getattr(torch.optim, name)(groups, **own)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=2, gamma=0.5)

    def train(self, steps: int) -> None:
        torch = self.torch
        for _ in range(steps):
            # Drawn on the CPU, so that one random state is all the state there is.
            inputs = torch.rand(5, 4)
            inputs = (inputs * (torch.rand(5, 4) > 0.3)).to(self.device)
            self.optimizer.zero_grad()
            loss = ((self.model(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()

    def checkpoint(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": self.torch.get_rng_state(),
        }

    def resume(self, checkpoint: dict[str, Any]) -> None:
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.schedule.load_state_dict(checkpoint["schedule"])
        self.torch.set_rng_state(checkpoint["random"])


def frozen(value: Any) -> Any:
    """A copy of nested state in which the bytes of a tensor stand for it."""
    if isinstance(value, dict):
        return {key: frozen(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [frozen(part) for part in value]
    if hasattr(value, "storage_offset"):
        return str(value.dtype), tuple(value.shape), read(value).tobytes()
    return value
