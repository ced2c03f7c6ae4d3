# SPDX-License-Identifier: GPL-3.0-or-later
"""Training state on disk: tensors and plain values only, loaded without running any code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch


class CheckpointError(ValueError):
    """A checkpoint does not belong to this run; the message says what to do."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write in one step, so that a crash leaves the old one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path, settings: str, device: torch.device) -> dict[str, Any] | None:
    """State of an earlier run with the same settings, None if there is none."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state["settings"] != settings:
        raise CheckpointError(f"{path} was trained with other settings; choose another --out or delete it.")
    return state


def random_state(rng: np.random.Generator) -> dict[str, Any]:
    """State of both random generators that training draws from."""
    return {"numpy": rng.bit_generator.state, "torch": torch.get_rng_state()}


def restore_random_state(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Continue both generators where random_state saw them."""
    rng.bit_generator.state = state["numpy"]
    torch.set_rng_state(state["torch"].cpu())
