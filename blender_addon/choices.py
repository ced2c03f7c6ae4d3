# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen from: the items of all enumerations, those in the weights and in the user's folder too."""

import zlib
from functools import lru_cache
from typing import Any, Final

import bpy

from .backend import PARTS, described_styles, has_weights, style_names
from .saved import saved_names
from .thumbnails import saved_icon, style_icon
from .translations import CONTEXT, noted, shown

# Chosen at first, of a model that has these.
_ELDERLY, _ACTIVE = "elderly", "active"
# Icons with a meaning of their own, for what has no picture.
_GONE: Final = "ERROR"

Item = tuple[str, str, str, int | str, int]

SOURCE_ITEMS: Final = (
    ("LABEL", "Style", "One of the styles that the model was trained on"),
    ("REFERENCE", "Action", "The style of another action in this file"),
    ("SAVED", "Saved", "A style that you saved under a name, in this or another file"),
    ("RANDOM", "Random", "A style drawn at random; the seed decides which"),
)
# For a model without styles of its own; each has the number that it has among all of them.
UNLABELLED_ITEMS: Final = tuple((*item, "NONE", number) for number, item in enumerate(SOURCE_ITEMS) if number)
ROOT_ITEMS: Final = (
    ("PREDICTED", "Predicted", "Travel as far as the new style would"),
    ("KEEP", "Keep", "Stay on the original path"),
    ("IN_PLACE", "In Place", "Stay where the clip begins"),
)
PART_ITEMS: Final = tuple((part, part.replace("_", " ").title(), "Let the style change this part") for part in PARTS)
KEYS_ITEMS: Final = (
    ("SPARSE", "Sparse", "Keys where the original has them, and as few more as the bounds allow"),
    ("EVERY_FRAME", "Every Frame", "One key on every frame, and on every key of the original"),
)


NO_OWN_STYLES: Final = noted("This model has no styles of its own: choose Action, Saved or Random as the source")
ONE_RESULT: Final = noted("A saved style gives one result only: choose Action or Random as the source")


def lacks_styles() -> bool:
    """Whether the model knows styles by reference and by chance only. Cheap enough to call while drawing."""
    return has_weights() and not style_names()


def source_of(source: str, *, is_chosen: bool, otherwise: str = "REFERENCE") -> str:
    """Where the style comes from: what nobody chose is ``otherwise`` for a model without styles of its own."""
    return otherwise if not is_chosen and lacks_styles() else source


def panel_source(settings: Any) -> str:  # noqa: ANN401
    """Where an armature's style comes from."""
    return source_of(settings.source, is_chosen=settings.is_property_set("source"))


def default_style() -> str:
    """The style that is chosen where nobody has chosen one. For registration."""
    names = described_styles()
    return _ELDERLY if _ELDERLY in names or not names else names[0]


def default_second_style() -> str:
    """The style that is mixed in where nobody has chosen one. For registration."""
    names = described_styles()
    return _ACTIVE if _ACTIVE in names or not names else names[-1]


def panel_style(settings: Any) -> str:  # noqa: ANN401
    """The model's own style that is chosen for an armature; empty if there is none to choose."""
    return settings.style if style_names() else ""


def second_style(settings: Any) -> str:  # noqa: ANN401
    """The style that is mixed in; empty if none was chosen and the model has none that could be taken."""
    return "" if lacks_styles() and not settings.is_property_set("mix_style") else settings.mix_style


def source_number(source: str) -> int:
    """Number of a source in a file."""
    return next(number for number, item in enumerate(SOURCE_ITEMS) if item[0] == source)


def style_number(style: str) -> int:
    """Number that stands for a style in a file; it must not change when another model knows other styles."""
    return zlib.crc32(style.encode()) & 0xFFFFFF


def saved_number(name: str) -> int:
    """Number that stands for a saved style in a dropdown, which the styles of the model may be in too."""
    return style_number(f"saved: {name}")


def style_title(style: str) -> str:
    """A style of the model as it is shown."""
    return style.replace("-", " ").title()


def style_items(_owner: object, _context: bpy.types.Context | None) -> list[Item]:
    """Dropdown of the styles in the weight file."""
    styles = style_names()
    # Grids of pictures do not translate by themselves.
    titles = tuple(shown(style_title(style), CONTEXT) for style in styles)
    return _of_model(styles, titles, tuple(style_icon(style) for style in styles))


def saved_items(settings: Any, _context: bpy.types.Context | None) -> list[Item]:  # noqa: ANN401
    """Dropdown of the user's own styles; the chosen one is in it although it may be on another computer."""
    names = saved_names()
    return _of_user(names, tuple(saved_icon(name) for name in names), _missing(settings.saved, names))


def mix_items(settings: Any, context: bpy.types.Context | None) -> list[Item]:  # noqa: ANN401
    """Dropdown of all styles that have a name."""
    styles, names = style_items(settings, context), saved_names()
    chosen = _missing(second_style(settings), (*names, *style_names()))
    return _joined(tuple(styles), tuple(_of_user(names, tuple(saved_icon(name) for name in names), chosen)))


# All three are cached because Blender does not keep the texts of a dynamic list alive.


@lru_cache(maxsize=8)
def _of_model(styles: tuple[str, ...], titles: tuple[str, ...], icons: tuple[int, ...]) -> list[Item]:
    return [
        (style, title, noted("A style that the model was trained on"), icon, style_number(style))
        for style, title, icon in zip(styles, titles, icons, strict=True)
    ]


@lru_cache(maxsize=32)
def _of_user(names: tuple[str, ...], icons: tuple[int, ...], missing: str) -> list[Item]:
    items: list[Item] = [
        (name, name, noted("A style that you saved"), icon, saved_number(name))
        for name, icon in zip(names, icons, strict=True)
    ]
    if missing:
        items.append((missing, missing, noted("This style is not among your saved ones"), _GONE, saved_number(missing)))
    return items


@lru_cache(maxsize=32)
def _joined(first: tuple[Item, ...], second: tuple[Item, ...]) -> list[Item]:
    return [*first, *second]


def _missing(chosen: str, names: tuple[str, ...]) -> str:
    return "" if chosen in names else chosen
