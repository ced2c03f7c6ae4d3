# SPDX-License-Identifier: GPL-3.0-or-later
"""The torch worker as Blender's user meets it: which Python it runs in, when it starts and ends, and how it does."""
