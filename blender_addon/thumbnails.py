# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons of the styles: pictures that come with Panache, and those of the user's own styles."""

from pathlib import Path
from typing import Any, Final

import bpy.utils.previews
import numpy as np

from .saved import picture_of

_FOLDER: Final = Path(__file__).parent / "thumbnails"
_COLLECTION: Final[list[Any]] = []
# Blender's own icon for what has no picture.
NOTHING: Final = 0
_SPOT: Final = 32


def style_icon(style: str) -> int:
    """Icon of a style of the model; 0 if it has no picture."""
    return _icon(_FOLDER / f"{style}.png")


def saved_icon(name: str) -> int:
    """Icon of a saved style; 0 if it has no picture."""
    path = picture_of(name)
    return _icon(path) if path else NOTHING


def colour_icon(colour: tuple[float, float, float]) -> int:
    """A spot of one colour (sRGB, 0 to 1)."""
    pictures, key = _pictures(), str(colour)
    found = pictures.get(key)
    if found is None:
        found = pictures.new(key)
        found.icon_size = (_SPOT, _SPOT)
        found.icon_pixels_float = _spot(colour)
    return int(found.icon_id)


def forget_thumbnails() -> None:
    """Give all pictures back to Blender."""
    while _COLLECTION:
        bpy.utils.previews.remove(_COLLECTION.pop())


def _icon(path: Path) -> int:
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return NOTHING
    # A style that was deleted and saved anew has another picture under the same name.
    pictures, key = _pictures(), f"{path}:{stamp}"
    found = pictures.get(key) or pictures.load(key, str(path), "IMAGE")
    return int(found.icon_id)


def _pictures() -> Any:  # noqa: ANN401
    if not _COLLECTION:
        _COLLECTION.append(bpy.utils.previews.new())
    return _COLLECTION[0]


def _spot(colour: tuple[float, float, float]) -> list[float]:
    """RGBA of a disc, row by row, the colours multiplied by alpha as Blender draws them."""
    way = np.arange(_SPOT) + 0.5 - _SPOT / 2
    alpha = np.clip(_SPOT * 0.36 - np.hypot(way[:, None], way[None, :]), 0.0, 1.0)[..., None]
    return np.concatenate([alpha * np.array(colour), alpha], axis=-1).ravel().tolist()
