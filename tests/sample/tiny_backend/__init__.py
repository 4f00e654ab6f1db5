"""What somebody else's package does to have its backend judged: one object, one entry point."""

from importlib import import_module

from tenet.harness.backend import Backend

backend = Backend(
    name="tiny",
    namespace=lambda: import_module("tiny_backend.torch"),
    lacks={
        "complex64": "tiny computes with real numbers",
        "complex128": "tiny computes with real numbers",
        "accelerator": "it computes on the CPU",
        "torchvision": "tiny brings no image transforms",
        "tensorboard": "tiny writes no event files",
    },
)
