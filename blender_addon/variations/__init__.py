# SPDX-License-Identifier: GPL-3.0-or-later
"""Variations of what an armature plays, shown beside it to choose from. None of it is ever in the file."""
