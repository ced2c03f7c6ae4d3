# SPDX-License-Identifier: GPL-3.0-or-later
"""Translators between Blender's operators and Panache's use cases."""
