# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel remembers of an armature. The operator's own properties are declared in operators/stylize.py."""

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

DEFAULT_STYLE = "elderly"

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
KEYS_ITEMS = (("EVERY_FRAME", "Every Frame", "One key on every frame, and on every key of the original"),)


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


class PanacheJoint(bpy.types.PropertyGroup):
    """One line of the bone map; ``name`` is the joint."""

    bone: StringProperty(name="Bone")


class PanacheSettings(bpy.types.PropertyGroup):
    """Panel settings of one armature object."""

    source: EnumProperty(name="Source", description="Where the style comes from", items=SOURCE_ITEMS, default="LABEL")
    style: EnumProperty(
        name="Style",
        description="How the character should move",
        items=style_items,
        default=style_number(DEFAULT_STYLE),
    )
    reference: PointerProperty(name="Reference", description="Action in the wanted style", type=bpy.types.Action)
    amount: FloatProperty(
        name="Amount",
        description="0 is the original, 1 the style, above 1 an exaggeration",
        default=1.0,
        min=0.0,
        max=1.5,
        subtype="FACTOR",
    )
    seed: IntProperty(name="Seed", description="Another number gives another variation", default=0, min=0)
    root: EnumProperty(name="Root", description="Path of the character", items=ROOT_ITEMS, default="PREDICTED")
    contacts: BoolProperty(name="Keep Contacts", description="Planted feet stay planted", default=True)
    parts: EnumProperty(
        name="Body Parts",
        description="What the style may change",
        items=PART_ITEMS,
        options={"ENUM_FLAG"},
        default=set(PARTS),
    )
    joints: CollectionProperty(type=PanacheJoint)
    family: StringProperty(name="Rig")
    confidence: FloatProperty(name="Confidence", min=0.0, max=1.0, subtype="FACTOR")


def reference_name(settings: PanacheSettings) -> str:
    """Name of the chosen reference action, empty if there is none."""
    return settings.reference.name if settings.reference else ""
