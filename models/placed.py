# SPDX-License-Identifier: GPL-3.0-or-later
"""A torch network that knows where it runs."""

from __future__ import annotations

from typing import Final

import torch

from .bundle import Bundle
from .runtime import TorchNetwork

AUTO: Final = "AUTO"
CUDA, MPS, CPU = "CUDA", "MPS", "CPU"
# Convolutions this short lose more to waiting for a second thread than they gain.
_THREADS: Final = 1


class PlacedTorchNetwork(TorchNetwork):
    """A network on one device of this machine.

    Attributes:
        device: CUDA, MPS or CPU.
        software: name and version of the library.
        notes: sentences about why the device is another one than was asked for.

    """

    def __init__(self, bundle: Bundle, device: str, notes: tuple[str, ...] = ()) -> None:
        """Build the networks of a checked bundle on a device that is there."""
        super().__init__(bundle, device.lower(), _THREADS)
        self.device = device
        self.software = f"torch {torch.__version__}"
        self.notes = notes


def place(bundle: Bundle, device: str) -> PlacedTorchNetwork:
    """A network on the device that was asked for, or on the CPU with a note.

    Args:
        bundle: checked weights.
        device: AUTO for the fastest there is, else CUDA, MPS or CPU.

    """
    # TF32 rounds to ten bits: the result would differ visibly from the other engines'.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    there = [name for name, is_there in _DEVICES.items() if is_there()]
    if device == AUTO:
        return PlacedTorchNetwork(bundle, there[0])
    if device in there:
        return PlacedTorchNetwork(bundle, device)
    return PlacedTorchNetwork(bundle, CPU, (f"torch {torch.__version__} finds no {device}: the CPU is used instead.",))


_DEVICES: Final = {
    CUDA: lambda: torch.cuda.is_available(),
    MPS: lambda: torch.backends.mps.is_available(),
    CPU: lambda: True,
}
