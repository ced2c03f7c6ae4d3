# SPDX-License-Identifier: GPL-3.0-or-later
"""Panache inside Blender: operators, one panel, and the reader and writer of rigs.

This package translates: it turns Blender's data into core's and back. What motion means is decided in ``core``,
which only ``backend.py`` reaches.
"""

from .registration import register, unregister

__all__ = ["register", "unregister"]
