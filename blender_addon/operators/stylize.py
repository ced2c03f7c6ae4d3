# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.stylize: the selected armature's action in another style."""

from typing import Final

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..backend import PARTS, KeySettings, PanacheError, StyleSettings
from ..blocking import blocked_reason
from ..order import AUTOMATIC, Order
from ..preflight import check_active, finding_of
from ..properties import (
    DEFAULT_STYLE,
    KEY_ANGLE,
    KEY_DISTANCE,
    KEYS_ITEMS,
    PART_ITEMS,
    ROOT_ITEMS,
    SOURCE_ITEMS,
    reference_name,
)
from ..rig.take import armature_of
from ..stylizing import restyle_active

# Properties that the panel has under the same names.
_SHARED: Final = (
    *("source", "style", "amount", "seed", "root", "contacts", "parts"),
    *("pin_start", "pin_end", "keys", "key_angle", "key_distance", "calibration_frame"),
)


class PANACHE_OT_stylize(bpy.types.Operator):
    """Restyles what the active armature plays."""

    bl_idname = "panache.stylize"
    bl_label = "Stylize"
    bl_description = "Make a new action with the same performance in another style; the original is kept"
    bl_options = {"REGISTER", "UNDO"}

    # Nothing is remembered between calls: the panel's settings are, and a script means what it says.
    source: EnumProperty(name="Source", items=SOURCE_ITEMS, default="LABEL", options={"SKIP_SAVE"})
    style: StringProperty(name="Style", default=DEFAULT_STYLE, options={"SKIP_SAVE"})
    reference: StringProperty(name="Reference", description="Name of an action", options={"SKIP_SAVE"})
    amount: FloatProperty(name="Amount", default=1.0, min=0.0, max=1.5, options={"SKIP_SAVE"})
    seed: IntProperty(name="Seed", default=0, min=0, options={"SKIP_SAVE"})
    root: EnumProperty(name="Root", items=ROOT_ITEMS, default="PREDICTED", options={"SKIP_SAVE"})
    contacts: BoolProperty(name="Keep Contacts", default=True, options={"SKIP_SAVE"})
    parts: EnumProperty(name="Body Parts", items=PART_ITEMS, default=set(PARTS), options={"ENUM_FLAG", "SKIP_SAVE"})
    pin_start: BoolProperty(name="Pin Start", options={"SKIP_SAVE"})
    pin_end: BoolProperty(name="Pin End", options={"SKIP_SAVE"})
    keys: EnumProperty(name="Keys", items=KEYS_ITEMS, default="SPARSE", options={"SKIP_SAVE"})
    key_angle: FloatProperty(name="Angle", default=KEY_ANGLE, min=0.0, subtype="ANGLE", options={"SKIP_SAVE"})
    key_distance: FloatProperty(
        name="Distance", default=KEY_DISTANCE, min=0.0, subtype="DISTANCE", options={"SKIP_SAVE"}
    )
    calibration_frame: IntProperty(name="Calibration Frame", default=AUTOMATIC, min=AUTOMATIC, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey the button in the sidebar and say why; whoever calls from elsewhere is refused with a sentence."""
        drawn = context.region is not None and context.region.type == "UI"
        reason = blocked_reason(context) if drawn else ""
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Take from the panel what the caller did not say."""
        armature = armature_of(context)
        if armature is not None:
            settings = armature.panache
            for name in _SHARED:
                if not self.properties.is_property_set(name):
                    setattr(self, name, getattr(settings, name))
            self.reference = self.reference or reference_name(settings)
            for warning in _warnings(context, armature):
                self.report({"WARNING"}, warning)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Restyle, or say in one sentence why not."""
        try:
            action = restyle_active(context, self._order())
        except PanacheError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f'The armature plays "{action.name}"; the original is kept')
        return {"FINISHED"}

    def _order(self) -> Order:
        keys = KeySettings(self.keys, self.key_angle, self.key_distance)
        frame = None if self.calibration_frame == AUTOMATIC else self.calibration_frame
        return Order(self._settings(), self.reference, keys, frame)

    def _settings(self) -> StyleSettings:
        return StyleSettings(
            source=self.source,
            style=self.style,
            amount=self.amount,
            seed=self.seed,
            root=self.root,
            contacts=self.contacts,
            parts=frozenset(self.parts),
            pin_start=self.pin_start,
            pin_end=self.pin_end,
        )


def _warnings(context: bpy.types.Context, armature: bpy.types.Object) -> tuple[str, ...]:
    """What preflight warns of, for those too who did not look into the panel."""
    finding = finding_of(armature)
    if finding and finding.result:
        return finding.result.warnings
    try:
        return check_active(context).warnings
    except PanacheError:
        # The run itself is about to say what is wrong.
        return ()
