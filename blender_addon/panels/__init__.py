# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab: style, amount and the button on top, the rest folded away."""

from typing import Final

from .main import PANACHE_PT_main
from .rig import PANACHE_PT_bone_map, PANACHE_PT_rig
from .settings import PANACHE_PT_advanced, PANACHE_PT_keys, PANACHE_PT_mix, PANACHE_PT_parts, PANACHE_PT_root

# In the order in which they stand below each other.
PANELS: Final = (
    PANACHE_PT_main,
    PANACHE_PT_mix,
    PANACHE_PT_rig,
    PANACHE_PT_bone_map,
    PANACHE_PT_root,
    PANACHE_PT_parts,
    PANACHE_PT_keys,
    PANACHE_PT_advanced,
)
