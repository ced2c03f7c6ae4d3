# SPDX-License-Identifier: GPL-3.0-or-later
"""What an armature's settings and the operators both have, said once: arguments of Blender's property functions."""

import math
from typing import Any, Final

from .backend import PARTS
from .choices import KEYS_ITEMS, PART_ITEMS, ROOT_ITEMS, SOURCE_ITEMS
from .order import AUTOMATIC

Field = dict[str, Any]

# Bounds of sparse keys: what an animator does not see.
_KEY_ANGLE: Final = math.radians(0.25)
_KEY_DISTANCE: Final = 0.002
_SHARE: Final[Field] = {"min": 0.0, "max": 1.0, "subtype": "FACTOR"}
_STRENGTH: Final[Field] = {"default": 1.0, "min": 0.0, "max": 1.5, "subtype": "FACTOR"}

SOURCE: Final[Field] = {
    "name": "Source",
    "description": "Where the style comes from",
    "items": SOURCE_ITEMS,
    "default": "LABEL",
}
MIX: Final[Field] = {
    "name": "Share",
    "description": "How far to go towards the second style: 0 is the first one alone, 1 the second one alone",
    **_SHARE,
}
AMOUNT: Final[Field] = {
    "name": "Amount",
    "description": "0 is the original, 1 the style, above 1 an exaggeration",
    **_STRENGTH,
}
SEED: Final[Field] = {"name": "Seed", "description": "Another number gives another variation", "default": 0, "min": 0}
DRAWN: Final[Field] = {
    "name": "Draw",
    "description": "Take a style like that of the action, which the seed decides, instead of its own",
    "default": False,
}
ROOT: Final[Field] = {
    "name": "Root",
    "description": "Path of the character",
    "items": ROOT_ITEMS,
    "default": "PREDICTED",
}
CONTACTS: Final[Field] = {"name": "Keep Contacts", "description": "Planted feet stay planted", "default": True}
TIMING: Final[Field] = {
    "name": "Timing",
    "description": "The style may change how long the action takes: all of its keys move apart or together. "
    "Other objects and shape keys keep their time",
    "default": False,
}
PARTS_FIELD: Final[Field] = {
    "name": "Body Parts",
    "description": "What the style may change",
    "items": PART_ITEMS,
    "default": set(PARTS),
}
WEIGHTS: Final[Field] = {
    "name": "Weights",
    "description": "How much of the style each body part takes",
    "size": len(PARTS),
    "default": (1.0,) * len(PARTS),
    "min": 0.0,
    "max": 1.0,
}
POSTURE: Final[Field] = {
    "name": "Posture",
    "description": "How much of the lasting change there shall be: the stoop, the spread of the arms",
    **_STRENGTH,
}
DYNAMICS: Final[Field] = {
    "name": "Dynamics",
    "description": "How much of the changed movement there shall be: swings, bounces, the way over the floor",
    **_STRENGTH,
}
FADE: Final[Field] = {
    "name": "Fade Where Unsure",
    "description": "The style fades out where the model does not know what it sees and would guess",
    "default": True,
}
PIN_START: Final[Field] = {"name": "Pin Start", "description": "The first frame stays as it was"}
PIN_END: Final[Field] = {"name": "Pin End", "description": "The last frame stays as it was"}
KEYS: Final[Field] = {
    "name": "Keys",
    "description": "Where the new action has keys",
    "items": KEYS_ITEMS,
    "default": "SPARSE",
}
KEY_ANGLE: Final[Field] = {
    "name": "Angle",
    "description": "Rotations may be off by this much between keys",
    "default": _KEY_ANGLE,
    "min": 0.0,
    "soft_max": math.radians(5.0),
    "subtype": "ANGLE",
}
KEY_DISTANCE: Final[Field] = {
    "name": "Distance",
    "description": "Positions may be off by this much between keys",
    "default": _KEY_DISTANCE,
    "min": 0.0,
    "soft_max": 0.05,
    "precision": 4,
    "subtype": "DISTANCE",
}
CALIBRATION_FRAME: Final[Field] = {
    "name": "Calibration Frame",
    "description": "Frame on which the character stands upright with arms and legs straight; -1 chooses by itself",
    "default": AUTOMATIC,
    "min": AUTOMATIC,
}
