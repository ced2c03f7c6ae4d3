# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own styles: where they are kept, which there are, and what one is."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import bpy

from .backend import (
    STYLE_SUFFIX,
    Model,
    PanacheError,
    SavedStyle,
    SavedStyleError,
    check_style_name,
    model_version,
    read_style,
    style_names,
    style_path,
    tidy_style_name,
    weights_path,
    write_style,
)
from .preferences import EXTENSION

_FOLDER: Final = "styles"
_PICTURE: Final = ".png"
_NO_FOLDER: Final = "Styles cannot be saved, because Blender's user folder is write-protected: allow writing there."


def current_model() -> Model:
    """The model that style codes are of now. Cheap enough to call while drawing.

    Raises:
        PanacheError: the weights cannot be read.

    """
    return Model(model_version(), weights_path().stem)


def saved_names() -> tuple[str, ...]:
    """Names of the saved styles, sorted. Cheap enough to call while drawing."""
    folder = _folder()
    try:
        return _names_in(folder, folder.stat().st_mtime_ns) if folder else ()
    except OSError:
        return ()


def saved_style(name: str) -> SavedStyle:
    """A saved style, whatever model it is of.

    Raises:
        PanacheError: there is no such style, or its file cannot be read.

    """
    if not name:
        raise SavedStyleError("Choose a saved style, or save one first.")
    folder = _folder()
    if folder is None or name not in saved_names():
        raise SavedStyleError(f'There is no saved style "{name}": choose another one.')
    return read_style(style_path(folder, name))


def saved_code(name: str) -> tuple[float, ...]:
    """Style code of a saved style, for the weights there are now.

    Raises:
        PanacheError: there is no such style, or it is of another model.

    """
    return saved_style(name).code_for(current_model())


def shown_style(name: str) -> SavedStyle | None:
    """A saved style, None if there is none that can be read. Cheap enough to call while drawing."""
    folder = _folder()
    try:
        path = style_path(folder, name) if folder and name in saved_names() else None
        return _read_once(path, path.stat().st_mtime_ns) if path else None
    except (PanacheError, OSError):
        return None


def is_outdated(style: SavedStyle) -> bool:
    """Whether a style is of another model than there is now; not if there is none. Cheap while drawing."""
    try:
        return not style.is_of(current_model())
    except PanacheError:
        return False


def free_name(name: str) -> str:
    """A name as it will be kept, if there is none like it yet.

    Raises:
        PanacheError: it cannot be used.

    """
    name = tidy_style_name(name)
    check_style_name(name, (*saved_names(), *style_names()))
    return name


def keep_style(style: SavedStyle, picture: bytes | None) -> None:
    """Write a style and its picture; without one, the picture there is stays.

    Raises:
        PanacheError: they cannot be written.

    """
    try:
        folder = _folder(create=True)
    except OSError as error:
        raise SavedStyleError(_NO_FOLDER) from error
    if folder is None:
        raise SavedStyleError(_NO_FOLDER)
    write_style(style_path(folder, style.name), style)
    if picture is None:
        return
    try:
        _picture_in(folder, style.name).write_bytes(picture)
    except OSError:
        # A style without a picture is a style all the same.
        _remove(_picture_in(folder, style.name))


def delete_style(name: str) -> None:
    """Remove a style and its picture.

    Raises:
        PanacheError: there is none, or it cannot be removed.

    """
    folder = _folder()
    if folder is None or name not in saved_names():
        raise SavedStyleError(f'There is no saved style "{name}": choose another one.')
    try:
        style_path(folder, name).unlink(missing_ok=True)
    except OSError as error:
        raise SavedStyleError(f'The style "{name}" cannot be deleted: check the permissions of its file.') from error
    _remove(_picture_in(folder, name))


def picture_of(name: str) -> Path | None:
    """The file that a saved style's picture is in, if there is one."""
    folder = _folder()
    return _picture_in(folder, name) if folder else None


def _folder(*, create: bool = False) -> Path | None:
    """Below the user's folder, because the extension's own is replaced by every update."""
    try:
        folder = bpy.utils.extension_path_user(EXTENSION, path=_FOLDER, create=create)
    except ValueError:
        return None
    # An empty path, which is what Blender returns for a folder that it cannot make, would be the current one.
    return Path(folder) if folder else None


@lru_cache(maxsize=4)
def _names_in(folder: Path, _stamp: int) -> tuple[str, ...]:
    return tuple(sorted((path.stem for path in folder.glob(f"*{STYLE_SUFFIX}")), key=str.casefold))


@lru_cache(maxsize=32)
def _read_once(path: Path, _stamp: int) -> SavedStyle:
    return read_style(path)


def _picture_in(folder: Path, name: str) -> Path:
    return style_path(folder, name).with_name(f"{name}{_PICTURE}")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # A picture that is left behind is seen nowhere.
        return
