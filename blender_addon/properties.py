# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel remembers of an armature; ordering.py has what operators are asked for, fields.py the common part."""

from collections.abc import Sequence

import bpy
from bpy.props import (
    BoolProperty,
    BoolVectorProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from . import fields
from .amount import slider_moved
from .backend import PARTS, style_names
from .choices import (
    SOURCE_ITEMS,
    UNLABELLED_ITEMS,
    Item,
    default_second_style,
    default_style,
    mix_items,
    panel_source,
    saved_items,
    saved_number,
    second_style,
    source_number,
    style_items,
    style_number,
)
from .mapping import correct
from .translations import CONTEXT

# On a library override of a linked character every setting is the animator's own.
OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}


def _number_of(name: str, styles: tuple[str, ...]) -> int:
    return style_number(name) if name in styles else saved_number(name)


def _choose_source(settings: "PanacheSettings", number: int) -> None:
    settings.source = SOURCE_ITEMS[number][0]


def _choose_saved(settings: "PanacheSettings", number: int) -> None:
    settings.saved = _name_of(number, saved_items(settings, None))


def _choose_mix(settings: "PanacheSettings", number: int) -> None:
    settings.mix_style = _name_of(number, mix_items(settings, None))


def _name_of(number: int, items: list[Item]) -> str:
    return next((item[0] for item in items if item[-1] == number), "")


def _touch(settings: "PanacheSettings", touched: Sequence[bool]) -> None:
    settings.parts = {part for part, is_touched in zip(PARTS, touched, strict=True) if is_touched}


def _choose(joint: "PanacheJoint", bone: str) -> None:
    joint.chosen = bone
    correct(joint.id_data)


class PanacheJoint(bpy.types.PropertyGroup):
    """One line of the bone map; ``name`` is the joint."""

    found: StringProperty(name="Found", description="Bone that was recognised", override=OVERRIDABLE)
    origin: StringProperty(name="Origin", description="How it was recognised: name or structure", override=OVERRIDABLE)
    chosen: StringProperty(name="Chosen", description="Bone that is used", override=OVERRIDABLE)
    bone: StringProperty(
        name="Bone",
        description="Bone that stands for this joint",
        get=lambda joint: joint.chosen,
        set=_choose,
        override=OVERRIDABLE,
    )


class PanacheSettings(bpy.types.PropertyGroup):
    """Panel settings of one armature object."""

    source: EnumProperty(**fields.SOURCE, override=OVERRIDABLE)
    unlabelled_source: EnumProperty(
        name="Source",
        description="Where the style comes from",
        items=UNLABELLED_ITEMS,
        get=lambda settings: source_number(panel_source(settings)),
        set=_choose_source,
        override=OVERRIDABLE,
    )
    style: EnumProperty(
        name="Style",
        description="How the character should move",
        items=style_items,
        translation_context=CONTEXT,
        default=style_number(default_style()),
        override=OVERRIDABLE,
    )
    reference: PointerProperty(
        name="Reference", description="Action in the wanted style", type=bpy.types.Action, override=OVERRIDABLE
    )
    saved: StringProperty(name="Saved Style", description="Name of a style that you saved", override=OVERRIDABLE)
    saved_choice: EnumProperty(
        name="Saved Style",
        description="One of the styles that you saved",
        items=saved_items,
        translation_context=CONTEXT,
        get=lambda settings: saved_number(settings.saved),
        set=_choose_saved,
        override=OVERRIDABLE,
    )
    use_mix: BoolProperty(name="Mix", description="Go part of the way to a second style", override=OVERRIDABLE)
    mix_style: StringProperty(
        name="Second Style",
        description="Name of the style to mix in",
        default=default_second_style(),
        override=OVERRIDABLE,
    )
    mix_choice: EnumProperty(
        name="Second Style",
        description="The style to mix in",
        items=mix_items,
        translation_context=CONTEXT,
        get=lambda settings: _number_of(second_style(settings), style_names()),
        set=_choose_mix,
        override=OVERRIDABLE,
    )
    mix: FloatProperty(**fields.MIX, default=0.5, override=OVERRIDABLE)
    amount: FloatProperty(**fields.AMOUNT, update=slider_moved, override=OVERRIDABLE)
    seed: IntProperty(**fields.SEED, override=OVERRIDABLE)
    root: EnumProperty(**fields.ROOT, override=OVERRIDABLE)
    contacts: BoolProperty(**fields.CONTACTS, override=OVERRIDABLE)
    timing: BoolProperty(**fields.TIMING, override=OVERRIDABLE)
    parts: EnumProperty(**fields.PARTS_FIELD, options={"ENUM_FLAG"}, override=OVERRIDABLE)
    touches: BoolVectorProperty(
        name="Body Part",
        description="Let the style change this part",
        size=len(PARTS),
        get=lambda settings: [part in settings.parts for part in PARTS],
        set=_touch,
        override=OVERRIDABLE,
    )
    weights: FloatVectorProperty(**fields.WEIGHTS, override=OVERRIDABLE)
    posture: FloatProperty(**fields.POSTURE, override=OVERRIDABLE)
    dynamics: FloatProperty(**fields.DYNAMICS, override=OVERRIDABLE)
    fade: BoolProperty(**fields.FADE, override=OVERRIDABLE)
    variation_count: IntProperty(
        name="Count",
        description="How many variations to show side by side",
        default=4,
        min=1,
        soft_max=8,
        override=OVERRIDABLE,
    )
    pin_start: BoolProperty(**fields.PIN_START, override=OVERRIDABLE)
    pin_end: BoolProperty(**fields.PIN_END, override=OVERRIDABLE)
    keys: EnumProperty(**fields.KEYS, override=OVERRIDABLE)
    key_angle: FloatProperty(**fields.KEY_ANGLE, override=OVERRIDABLE)
    key_distance: FloatProperty(**fields.KEY_DISTANCE, override=OVERRIDABLE)
    calibration_frame: IntProperty(**fields.CALIBRATION_FRAME, override=OVERRIDABLE)
    joints: CollectionProperty(
        name="Joints",
        description="Which bone is which joint",
        type=PanacheJoint,
        override={*OVERRIDABLE, "USE_INSERTION"},
    )
    signature: StringProperty(name="Signature", description="Skeleton that the bone map is of", override=OVERRIDABLE)
    is_users_map: BoolProperty(
        name="Own Map", description="Whether the user chose, confirmed or loaded the bone map", override=OVERRIDABLE
    )
    map_problem: StringProperty(name="Map Problem", description="Why the bone map cannot be used", override=OVERRIDABLE)
    family: StringProperty(
        name="Rig", description="Family of rigs that the bones were recognised as", override=OVERRIDABLE
    )
    confidence: FloatProperty(
        name="Confidence",
        description="How sure it is that the bones were recognised rightly",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        override=OVERRIDABLE,
    )


def reference_name(settings: PanacheSettings) -> str:
    """Name of the chosen reference action, empty if there is none."""
    return settings.reference.name if settings.reference else ""
