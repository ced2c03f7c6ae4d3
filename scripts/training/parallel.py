# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on several processes, one per GPU, as ``torchrun`` starts them.

Each draws clips of its own, and all take the same step by the mean of their gradients. Everything here does nothing in
a process that runs alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn


@contextmanager
def together(device: str) -> Generator[torch.device]:
    """Join the processes that torchrun started, if it did; gives the device of this one.

    Args:
        device: "cpu", "cuda" or "mps"; with several processes, each takes the CUDA device of its number.

    """
    if "WORLD_SIZE" not in os.environ:
        yield torch.device(device)
        return
    on_gpus = device.startswith("cuda")
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpus else torch.device(device)
    if on_gpus:
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if on_gpus else "gloo")
    try:
        yield own
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 for the one that writes files and prints."""
    return distributed.get_rank() if _is_joined() else 0


def share_weights(module: nn.Module) -> None:
    """Give every process the weights of the first."""
    if _is_joined():
        for tensor in module.state_dict().values():
            distributed.broadcast(tensor, 0)


def mean_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace the gradients by their mean over all processes, in one message.

    A parameter that this process had no use for counts with a gradient of zero.
    """
    if not _is_joined():
        return
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for parameter, mean in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad = mean.view_as(parameter).clone()


def any_of(flag: bool) -> bool:  # noqa: FBT001
    """Whether a flag is true in any process."""
    if not _is_joined():
        return flag
    value: Tensor = torch.tensor(float(flag), device="cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(value, distributed.ReduceOp.MAX)
    return bool(value)


def wait() -> None:
    """Go on when all processes are here."""
    if _is_joined():
        distributed.barrier()


def _is_joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
