# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of operators that restyle, filled from the panel where the caller says nothing, and as an order."""

from typing import Any, Final

from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, StringProperty

from . import fields
from .backend import KeySettings, StyleSettings, style_names
from .choices import default_style, panel_source, panel_style, second_style, source_of
from .order import AUTOMATIC, Order
from .properties import PanacheSettings, reference_name
from .saved import saved_code

# Nothing is remembered between calls: the panel's settings are, and a script means what it says.
_FORGOTTEN: Final = {"SKIP_SAVE"}
# Properties that the panel has under the same names.
_SHARED: Final = (
    *("source", "amount", "seed", "root", "contacts", "timing", "parts", "weights", "posture", "dynamics"),
    *("fade", "pin_start", "pin_end", "keys", "key_angle", "key_distance", "calibration_frame"),
)


class OrderProperties:
    """A mixin: what can be asked for in one call."""

    source: EnumProperty(**fields.SOURCE, options=_FORGOTTEN)
    style: StringProperty(
        name="Style",
        description="Name of a style of the model, or of a saved one where the source is Saved",
        default=default_style(),
        options=_FORGOTTEN,
    )
    reference: StringProperty(
        name="Reference", description="Name of the action to take the style from", options=_FORGOTTEN
    )
    mix_style: StringProperty(
        name="Second Style", description="Name of a style to mix in, of the model or a saved one", options=_FORGOTTEN
    )
    mix: FloatProperty(**fields.MIX, default=0.0, options=_FORGOTTEN)
    amount: FloatProperty(**fields.AMOUNT, options=_FORGOTTEN)
    seed: IntProperty(**fields.SEED, options=_FORGOTTEN)
    drawn: BoolProperty(**fields.DRAWN, options=_FORGOTTEN)
    root: EnumProperty(**fields.ROOT, options=_FORGOTTEN)
    contacts: BoolProperty(**fields.CONTACTS, options=_FORGOTTEN)
    timing: BoolProperty(**fields.TIMING, options=_FORGOTTEN)
    parts: EnumProperty(**fields.PARTS_FIELD, options={"ENUM_FLAG", *_FORGOTTEN})
    weights: FloatVectorProperty(**fields.WEIGHTS, options=_FORGOTTEN)
    posture: FloatProperty(**fields.POSTURE, options=_FORGOTTEN)
    dynamics: FloatProperty(**fields.DYNAMICS, options=_FORGOTTEN)
    fade: BoolProperty(**fields.FADE, options=_FORGOTTEN)
    pin_start: BoolProperty(**fields.PIN_START, options=_FORGOTTEN)
    pin_end: BoolProperty(**fields.PIN_END, options=_FORGOTTEN)
    keys: EnumProperty(**fields.KEYS, options=_FORGOTTEN)
    key_angle: FloatProperty(**fields.KEY_ANGLE, options=_FORGOTTEN)
    key_distance: FloatProperty(**fields.KEY_DISTANCE, options=_FORGOTTEN)
    calibration_frame: IntProperty(**fields.CALIBRATION_FRAME, options=_FORGOTTEN)


def take_from_panel(operator: Any, settings: PanacheSettings) -> None:  # noqa: ANN401
    """Fill in what the caller of an operator with :class:`OrderProperties` did not say."""
    wanted = {name: getattr(settings, name) for name in _SHARED} | {"source": panel_source(settings)}
    wanted["style"] = settings.saved if settings.source == "SAVED" else panel_style(settings)
    wanted["reference"] = reference_name(settings)
    if settings.use_mix:
        wanted |= {"mix_style": second_style(settings), "mix": settings.mix}
    for name, value in wanted.items():
        if not operator.properties.is_property_set(name):
            setattr(operator, name, value)


def order_of(operator: Any, otherwise: str = "REFERENCE") -> Order:  # noqa: ANN401
    """What an operator with :class:`OrderProperties` is asked for.

    Args:
        operator: that was called.
        otherwise: source of the style where nobody says one and the model has no styles of its own.

    Raises:
        PanacheError: a saved style that is not there, or of another model.

    """
    keys = KeySettings(operator.keys, operator.key_angle, operator.key_distance)
    frame = None if operator.calibration_frame == AUTOMATIC else operator.calibration_frame
    is_chosen = operator.properties.is_property_set("source")
    source = source_of(operator.source, is_chosen=is_chosen, otherwise=otherwise)
    return Order(_style_settings(operator, source), operator.reference, keys, frame)


def _style_settings(properties: Any, source: str) -> StyleSettings:  # noqa: ANN401
    is_saved, mixed = source == "SAVED", properties.mix > 0.0 and properties.mix_style
    is_mix_saved = mixed and properties.mix_style not in style_names()
    return StyleSettings(
        source=source,
        style=properties.style,
        code=saved_code(properties.style) if is_saved else (),
        mix_style=properties.mix_style if mixed else "",
        mix=properties.mix if mixed else 0.0,
        mix_code=saved_code(properties.mix_style) if is_mix_saved else (),
        amount=properties.amount,
        seed=properties.seed,
        drawn=properties.drawn,
        root=properties.root,
        contacts=properties.contacts,
        timing=properties.timing,
        parts=frozenset(properties.parts),
        weights=tuple(properties.weights),
        posture=properties.posture,
        dynamics=properties.dynamics,
        fade=properties.fade,
        pin_start=properties.pin_start,
        pin_end=properties.pin_end,
    )
