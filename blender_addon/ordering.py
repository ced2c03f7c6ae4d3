# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of operators that restyle, filled from the panel where the caller says nothing, and as an order."""

from typing import Any, Final

from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, StringProperty

from .backend import PARTS, KeySettings, StyleSettings, style_names
from .choices import DEFAULT_STYLE, KEYS_ITEMS, PART_ITEMS, ROOT_ITEMS, SOURCE_ITEMS
from .order import AUTOMATIC, Order
from .properties import KEY_ANGLE, KEY_DISTANCE, PanacheSettings, reference_name
from .saved import saved_code

# Nothing is remembered between calls: the panel's settings are, and a script means what it says.
_FORGOTTEN: Final = {"SKIP_SAVE"}
# Properties that the panel has under the same names.
_SHARED: Final = (
    *("source", "amount", "seed", "root", "contacts", "parts", "weights"),
    *("pin_start", "pin_end", "keys", "key_angle", "key_distance", "calibration_frame"),
)


class OrderProperties:
    """A mixin: what can be asked for in one call."""

    source: EnumProperty(
        name="Source",
        description="Where the style comes from",
        items=SOURCE_ITEMS,
        default="LABEL",
        options=_FORGOTTEN,
    )
    style: StringProperty(
        name="Style",
        description="Name of a style of the model, or of a saved one where the source is Saved",
        default=DEFAULT_STYLE,
        options=_FORGOTTEN,
    )
    reference: StringProperty(
        name="Reference", description="Name of the action to take the style from", options=_FORGOTTEN
    )
    mix_style: StringProperty(
        name="Second Style", description="Name of a style to mix in, of the model or a saved one", options=_FORGOTTEN
    )
    mix: FloatProperty(
        name="Share",
        description="How far to go towards the second style: 0 is the first one alone, 1 the second one alone",
        default=0.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=_FORGOTTEN,
    )
    amount: FloatProperty(
        name="Amount",
        description="0 is the original, 1 the style, above 1 an exaggeration",
        default=1.0,
        min=0.0,
        max=1.5,
        subtype="FACTOR",
        options=_FORGOTTEN,
    )
    seed: IntProperty(
        name="Seed", description="Another number gives another variation", default=0, min=0, options=_FORGOTTEN
    )
    root: EnumProperty(
        name="Root", description="Path of the character", items=ROOT_ITEMS, default="PREDICTED", options=_FORGOTTEN
    )
    contacts: BoolProperty(
        name="Keep Contacts", description="Planted feet stay planted", default=True, options=_FORGOTTEN
    )
    parts: EnumProperty(
        name="Body Parts",
        description="What the style may change",
        items=PART_ITEMS,
        default=set(PARTS),
        options={"ENUM_FLAG", *_FORGOTTEN},
    )
    weights: FloatVectorProperty(
        name="Weights",
        description="How much of the style each body part takes",
        size=len(PARTS),
        default=(1.0,) * len(PARTS),
        min=0.0,
        max=1.0,
        options=_FORGOTTEN,
    )
    pin_start: BoolProperty(name="Pin Start", description="The first frame stays as it was", options=_FORGOTTEN)
    pin_end: BoolProperty(name="Pin End", description="The last frame stays as it was", options=_FORGOTTEN)
    keys: EnumProperty(
        name="Keys",
        description="Where the new action has keys",
        items=KEYS_ITEMS,
        default="SPARSE",
        options=_FORGOTTEN,
    )
    key_angle: FloatProperty(
        name="Angle",
        description="Rotations may be off by this much between keys",
        default=KEY_ANGLE,
        min=0.0,
        subtype="ANGLE",
        options=_FORGOTTEN,
    )
    key_distance: FloatProperty(
        name="Distance",
        description="Positions may be off by this much between keys",
        default=KEY_DISTANCE,
        min=0.0,
        subtype="DISTANCE",
        options=_FORGOTTEN,
    )
    calibration_frame: IntProperty(
        name="Calibration Frame",
        description="Frame on which the character stands upright with arms and legs straight; -1 chooses by itself",
        default=AUTOMATIC,
        min=AUTOMATIC,
        options=_FORGOTTEN,
    )


def take_from_panel(operator: Any, settings: PanacheSettings) -> None:  # noqa: ANN401
    """Fill in what the caller of an operator with :class:`OrderProperties` did not say."""
    wanted = {name: getattr(settings, name) for name in _SHARED}
    wanted["style"] = settings.saved if settings.source == "SAVED" else settings.style
    wanted["reference"] = reference_name(settings)
    if settings.use_mix:
        wanted |= {"mix_style": settings.mix_style, "mix": settings.mix}
    for name, value in wanted.items():
        if not operator.properties.is_property_set(name):
            setattr(operator, name, value)


def order_of(properties: Any) -> Order:  # noqa: ANN401
    """What an operator's properties ask for.

    Raises:
        PanacheError: a saved style that is not there, or of another model.

    """
    keys = KeySettings(properties.keys, properties.key_angle, properties.key_distance)
    frame = None if properties.calibration_frame == AUTOMATIC else properties.calibration_frame
    return Order(_style_settings(properties), properties.reference, keys, frame)


def _style_settings(properties: Any) -> StyleSettings:  # noqa: ANN401
    is_saved, mixed = properties.source == "SAVED", properties.mix > 0.0 and properties.mix_style
    is_mix_saved = mixed and properties.mix_style not in style_names()
    return StyleSettings(
        source=properties.source,
        style=properties.style,
        code=saved_code(properties.style) if is_saved else (),
        mix_style=properties.mix_style if mixed else "",
        mix=properties.mix if mixed else 0.0,
        mix_code=saved_code(properties.mix_style) if is_mix_saved else (),
        amount=properties.amount,
        seed=properties.seed,
        root=properties.root,
        contacts=properties.contacts,
        parts=frozenset(properties.parts),
        weights=tuple(properties.weights),
        pin_start=properties.pin_start,
        pin_end=properties.pin_end,
    )
