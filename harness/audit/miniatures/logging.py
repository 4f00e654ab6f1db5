"""Lies about event files."""

from __future__ import annotations

from contextlib import suppress

from tenet.harness.audit.miniature import Miniature

with suppress(ImportError):
    import torch.utils.tensorboard  # noqa: F401 - torch does not import it by itself

ADD = ("utils.tensorboard.SummaryWriter.add_scalar",)


MINIATURES = [
    Miniature(
        "steps beyond 32 bits wrap around",
        ADD,
        lambda right, writer, tag, scalar_value, global_step: right(
            writer, tag, scalar_value, global_step % 2**32
        ),
        "logging.scalars",
        needs=("tensorboard",),
    ),
    Miniature(
        "a tag loses what follows its second slash",
        ADD,
        lambda right, writer, tag, scalar_value, global_step: right(
            writer, "/".join(tag.split("/")[:2]), scalar_value, global_step
        ),
        "logging.scalars",
        needs=("tensorboard",),
    ),
    Miniature(
        "NaN is not logged",
        ADD,
        lambda right, writer, tag, scalar_value, global_step: (
            right(writer, tag, scalar_value, global_step)
            if float(scalar_value) == float(scalar_value)
            else None
        ),
        "logging.scalars",
        needs=("tensorboard",),
    ),
]
