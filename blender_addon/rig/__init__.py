# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Blender's armatures and core's rigs: take, guards, reader, stepping, rotation modes, writer, space."""
