# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs whose mapped bones follow keyed controls: what the controls do, and how to set them for a new motion."""

from .finding import Controls, find_controls
from .solving import solve_controls

__all__ = ["Controls", "find_controls", "solve_controls"]
