# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel remembers of an armature. The operator's own properties are declared in operators/stylize.py."""

import math
import zlib
from functools import lru_cache

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .backend import PARTS, style_names
from .mapping import correct
from .order import AUTOMATIC

DEFAULT_STYLE = "elderly"
# On a library override of a linked character every setting is the animator's own.
OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}

SOURCE_ITEMS = (
    ("LABEL", "Style", "One of the styles that the model was trained on"),
    ("REFERENCE", "Reference", "The style of another action in this file"),
    ("RANDOM", "Random", "A style drawn at random; the seed decides which"),
)
ROOT_ITEMS = (
    ("PREDICTED", "Predicted", "Travel as far as the new style would"),
    ("KEEP", "Keep", "Stay on the original path"),
    ("IN_PLACE", "In Place", "Stay where the clip begins"),
)
PART_ITEMS = tuple((part, part.replace("_", " ").title(), "Let the style change this part") for part in PARTS)
KEYS_ITEMS = (
    ("SPARSE", "Sparse", "Keys where the original has them, and as few more as the bounds allow"),
    ("EVERY_FRAME", "Every Frame", "One key on every frame, and on every key of the original"),
)
# Bounds of sparse keys: what an animator does not see.
KEY_ANGLE = math.radians(0.25)
KEY_DISTANCE = 0.002


def style_number(style: str) -> int:
    """Number that stands for a style in a file; it must not change when another model knows other styles."""
    return zlib.crc32(style.encode()) & 0x7FFFFFFF


@lru_cache(maxsize=4)
def _items_of(styles: tuple[str, ...]) -> list[tuple[str, str, str, str, int]]:
    """Cached, because Blender does not keep the texts of a dynamic list alive."""
    return [(name, name.replace("-", " ").title(), f"Move like: {name}", "NONE", style_number(name)) for name in styles]


def style_items(
    _settings: "PanacheSettings", _context: bpy.types.Context | None
) -> list[tuple[str, str, str, str, int]]:
    """Dropdown of the styles in the weight file."""
    return _items_of(style_names())


def _choose(joint: "PanacheJoint", bone: str) -> None:
    joint.chosen = bone
    correct(joint.id_data)


class PanacheJoint(bpy.types.PropertyGroup):
    """One line of the bone map; ``name`` is the joint."""

    found: StringProperty(description="Bone that was recognised", override=OVERRIDABLE)
    origin: StringProperty(description="How it was recognised: name or structure", override=OVERRIDABLE)
    chosen: StringProperty(description="Bone that is used", override=OVERRIDABLE)
    bone: StringProperty(
        name="Bone",
        description="Bone that stands for this joint",
        get=lambda joint: joint.chosen,
        set=_choose,
        override=OVERRIDABLE,
    )


class PanacheSettings(bpy.types.PropertyGroup):
    """Panel settings of one armature object."""

    source: EnumProperty(
        name="Source",
        description="Where the style comes from",
        items=SOURCE_ITEMS,
        default="LABEL",
        override=OVERRIDABLE,
    )
    style: EnumProperty(
        name="Style",
        description="How the character should move",
        items=style_items,
        default=style_number(DEFAULT_STYLE),
        override=OVERRIDABLE,
    )
    reference: PointerProperty(
        name="Reference", description="Action in the wanted style", type=bpy.types.Action, override=OVERRIDABLE
    )
    amount: FloatProperty(
        name="Amount",
        description="0 is the original, 1 the style, above 1 an exaggeration",
        default=1.0,
        min=0.0,
        max=1.5,
        subtype="FACTOR",
        override=OVERRIDABLE,
    )
    seed: IntProperty(
        name="Seed", description="Another number gives another variation", default=0, min=0, override=OVERRIDABLE
    )
    root: EnumProperty(
        name="Root", description="Path of the character", items=ROOT_ITEMS, default="PREDICTED", override=OVERRIDABLE
    )
    contacts: BoolProperty(
        name="Keep Contacts", description="Planted feet stay planted", default=True, override=OVERRIDABLE
    )
    parts: EnumProperty(
        name="Body Parts",
        description="What the style may change",
        items=PART_ITEMS,
        options={"ENUM_FLAG"},
        default=set(PARTS),
        override=OVERRIDABLE,
    )
    pin_start: BoolProperty(name="Pin Start", description="The first frame stays as it was", override=OVERRIDABLE)
    pin_end: BoolProperty(name="Pin End", description="The last frame stays as it was", override=OVERRIDABLE)
    keys: EnumProperty(
        name="Keys",
        description="Where the new action has keys",
        items=KEYS_ITEMS,
        default="SPARSE",
        override=OVERRIDABLE,
    )
    key_angle: FloatProperty(
        name="Angle",
        description="Rotations may be off by this much between keys",
        default=KEY_ANGLE,
        min=0.0,
        soft_max=math.radians(5.0),
        subtype="ANGLE",
        override=OVERRIDABLE,
    )
    key_distance: FloatProperty(
        name="Distance",
        description="Positions may be off by this much between keys",
        default=KEY_DISTANCE,
        min=0.0,
        soft_max=0.05,
        precision=4,
        subtype="DISTANCE",
        override=OVERRIDABLE,
    )
    calibration_frame: IntProperty(
        name="Calibration Frame",
        description="Frame on which the character stands upright with arms and legs straight; -1 chooses by itself",
        default=AUTOMATIC,
        min=AUTOMATIC,
        override=OVERRIDABLE,
    )
    joints: CollectionProperty(type=PanacheJoint, override={*OVERRIDABLE, "USE_INSERTION"})
    signature: StringProperty(description="Skeleton that the bone map is of", override=OVERRIDABLE)
    is_users_map: BoolProperty(
        description="Whether the user chose, confirmed or loaded the bone map", override=OVERRIDABLE
    )
    map_problem: StringProperty(description="Why the bone map cannot be used", override=OVERRIDABLE)
    family: StringProperty(name="Rig", override=OVERRIDABLE)
    confidence: FloatProperty(name="Confidence", min=0.0, max=1.0, subtype="FACTOR", override=OVERRIDABLE)


def reference_name(settings: PanacheSettings) -> str:
    """Name of the chosen reference action, empty if there is none."""
    return settings.reference.name if settings.reference else ""
