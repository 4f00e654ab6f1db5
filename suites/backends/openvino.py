"""OpenVINO as a backend of torch.compile, on the CPU."""

from __future__ import annotations

from functools import cache, partial
from importlib import import_module
from typing import Any

from tenet.harness.backend import Backend

MODE = "openvino_f32"


@cache
def _namespace() -> Any:
    torch = import_module("torch")
    import_module("openvino.torch")  # registers the backend
    registry = import_module("torch._dynamo.backends.registry")
    # Where the processor has bfloat16, OpenVINO computes float32 in it unless it is told not to.
    exact = {"config": {"INFERENCE_PRECISION_HINT": "f32"}}
    compiler = partial(registry.lookup_backend("openvino"), options=exact)
    registry.register_backend(compiler, name=MODE)
    return torch


backend = Backend(
    name="openvino",
    namespace=_namespace,
    package="openvino",
    mode=MODE,
    cost=24,
    lacks={
        "accelerator": "it computes on the CPU",
        "autograd": "what it compiles requires no gradients, unless its option aot_autograd is set",
        "double-backward": "what torch.compile compiles is differentiated once",
    },
)
