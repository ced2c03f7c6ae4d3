# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the torch network for a process that serves nothing else; every refusal is a sentence that says what to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .bundle import read_bundle

if TYPE_CHECKING:
    from .placed import PlacedTorchNetwork

OLDEST_TORCH: Final = (2, 0)


class TorchUnfitError(ValueError):
    """The interpreter's torch is missing, broken or too old."""


def open_network(weights: str, device: str) -> PlacedTorchNetwork:
    """The network of a weight file on AUTO, CUDA, MPS or CPU.

    Raises:
        TorchUnfitError: this interpreter has no torch that can be used.
        BundleError: the weight file cannot be used.

    """
    _check_torch()
    from .placed import place

    return place(read_bundle(Path(weights)), device)


def _check_torch() -> None:
    """Say what is wrong with torch before anything is built on it."""
    wanted = ".".join(map(str, OLDEST_TORCH))
    advice = f"install torch {wanted} or newer there, or choose another Python in the preferences."
    try:
        import torch
    except ModuleNotFoundError as error:
        raise TorchUnfitError(f"The Python {sys.executable} has no {error.name}: {advice}") from error
    except (ImportError, OSError) as error:
        raise TorchUnfitError(f"The torch of {sys.executable} does not start ({_line(error)}): {advice}") from error
    version = str(torch.__version__)
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_TORCH:
        raise TorchUnfitError(f"The Python {sys.executable} has torch {version}: {advice}")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
