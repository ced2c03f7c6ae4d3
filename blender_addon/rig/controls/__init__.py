# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs whose mapped bones follow keyed controls: what the controls do, and how to set them for a new motion."""

from .finding import Controls, find_controls, find_controls_steps
from .solving import solve_controls, solve_controls_steps

__all__ = ["Controls", "find_controls", "find_controls_steps", "solve_controls", "solve_controls_steps"]
