# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.stylize: the selected armature's action in another style."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..backend import PARTS, PanacheError, StyleSettings
from ..properties import DEFAULT_STYLE, KEYS_ITEMS, PART_ITEMS, ROOT_ITEMS, SOURCE_ITEMS, reference_name
from ..rig.take import armature_of
from ..stylizing import restyle_active


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
    keys: EnumProperty(name="Keys", items=KEYS_ITEMS, default="EVERY_FRAME", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Take from the panel what the caller did not say."""
        armature = armature_of(context)
        if armature is not None:
            settings = armature.panache
            for name in ("source", "style", "amount", "seed", "root", "contacts", "parts"):
                if not self.properties.is_property_set(name):
                    setattr(self, name, getattr(settings, name))
            self.reference = self.reference or reference_name(settings)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Restyle, or say in one sentence why not."""
        try:
            action = restyle_active(context, self._settings(), self.reference)
        except PanacheError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f'The armature plays "{action.name}"; the original is kept')
        return {"FINISHED"}

    def _settings(self) -> StyleSettings:
        return StyleSettings(
            source=self.source,
            style=self.style,
            amount=self.amount,
            seed=self.seed,
            root=self.root,
            contacts=self.contacts,
            parts=frozenset(self.parts),
        )
