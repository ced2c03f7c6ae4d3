# SPDX-License-Identifier: GPL-3.0-or-later
"""A style kept under a name: the style code of a reference, and what it is of, as a small JSON file."""

import json
import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import PanacheError
from .style_statistics import StyleStatistics, parse_statistics

SUFFIX = ".json"
LONGEST_NAME = 40
LONGEST_NOTE = 2000
_FORMAT, _VERSION = "panache style", 1
# More than any style file has, whose code is some hundred numbers.
_LARGEST_FILE = 200_000
_TEXTS = ("name", "model", "licence", "source")
# Letters of a model's version that are shown.
_SHOWN = 8
# Between what the user says about the licence and what the model adds to it.
_MADE_WITH = "; made with a model under "
_FORBIDDEN = '<>:"/\\|?*'
# Names that Windows keeps for devices, whatever comes after a dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


class SavedStyleError(PanacheError):
    """A style that cannot be saved under this name, or a file that is no saved style."""


@dataclass(frozen=True)
class Model:
    """What a style code is of; it means nothing to another model.

    Attributes:
        version: revision of the trainer.
        weights: name of the weight file, since one trainer makes several; empty in styles of before it was kept.
    """

    version: str
    weights: str = ""

    def __str__(self) -> str:
        """Name and version, as the user is shown them."""
        return f"{self.weights} {self.version[:_SHOWN]}".strip()


@dataclass(frozen=True)
class SavedStyle:
    """One saved style.

    Attributes:
        name: what the user called it.
        code: (S,) the reference's style in the model's space.
        model: version of the model that ``code`` is of; it means nothing to another one.
        licence: what may be done with it, in a line.
        source: name of the reference.
        weights: name of the weight file, see :class:`Model`.
        refined: the code was fitted to the reference, and is not only what the encoder says.
        statistics: what the reference was like; None in styles of before that was kept.
    """

    name: str
    code: tuple[float, ...]
    model: str
    licence: str
    source: str
    weights: str = ""
    refined: bool = False
    statistics: StyleStatistics | None = None

    @property
    def note(self) -> str:
        """What the user says about the licence."""
        return self.licence.partition(_MADE_WITH)[0]

    def is_of(self, model: Model) -> bool:
        """Whether the code is of this model."""
        return self.model == model.version and self.weights in ("", model.weights)

    def code_for(self, model: Model) -> tuple[float, ...]:
        """The code, for this model.

        Raises:
            SavedStyleError: it is of another one.
        """
        if not self.is_of(model):
            mine = Model(self.model, self.weights)
            raise SavedStyleError(
                f'The style "{self.name}" is of another model ({mine}, this one is {model}): '
                f'compute it again from the action "{self.source}".'
            )
        return self.code


def licence_of(note: str, of_model: str) -> str:
    """What may be done with a style, from what the user says and the licence of the model's training data."""
    return f"{' '.join(note.split())[:LONGEST_NOTE]}{_MADE_WITH}{of_model}"


def tidy(name: str) -> str:
    """The name as it is kept: composed letters, single spaces, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def check_name(name: str, taken: Iterable[str]) -> None:
    """Refuse a tidy name that no file on any system could have, or that another style has.

    Raises:
        SavedStyleError: with a sentence for the user.
    """
    if not name:
        raise SavedStyleError("Give the style a name.")
    if len(name) > LONGEST_NAME:
        raise SavedStyleError(f"The name is too long: use at most {LONGEST_NAME} letters.")
    bad = next((letter for letter in name if letter in _FORBIDDEN or unicodedata.category(letter)[0] == "C"), None)
    if bad is not None:
        shown = bad if bad.isprintable() else f"U+{ord(bad):04X}"
        raise SavedStyleError(f"A style's name cannot have {shown} in it: leave that out.")
    if name[0] == "." or name[-1] == ".":
        raise SavedStyleError("A style's name cannot begin or end with a dot: leave it out.")
    if name.partition(".")[0].strip().casefold() in _DEVICES:
        raise SavedStyleError(f'"{name}" is a name that Windows keeps for itself: choose another one.')
    # File systems disagree about upper and lower case.
    if name.casefold() in {other.casefold() for other in taken}:
        raise SavedStyleError(f'There is already a style "{name}": choose another name, or delete that one first.')


def path_of(folder: Path, name: str) -> Path:
    """Where the style of a checked name is kept."""
    return folder / f"{name}{SUFFIX}"


def write_style(path: Path, style: SavedStyle) -> None:
    """Write the file; it is there only once it is whole.

    Raises:
        SavedStyleError: it cannot be written.
    """
    data: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        **{key: getattr(style, key) for key in _TEXTS},
        "weights": style.weights,
        "refined": style.refined,
        "code": list(style.code),
    }
    if style.statistics is not None:
        data["statistics"] = style.statistics.as_data()
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except (OSError, UnicodeError) as error:
        _discard(partial)
        raise SavedStyleError(_why(error)) from error


def read_style(path: Path) -> SavedStyle:
    """Read a style file.

    Raises:
        SavedStyleError: it cannot be read, or is none.
    """
    name = path.stem
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _damaged(name)
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SavedStyleError(f'There is no saved style "{name}": choose another one.') from error
    except OSError as error:
        raise SavedStyleError(f'The style "{name}" cannot be read: check the permissions of its file.') from error
    except (ValueError, RecursionError) as error:
        raise SavedStyleError(
            f'The file of the style "{name}" is damaged: delete the style and save it again.'
        ) from error
    return _parsed(data, name)


def _parsed(data: Any, name: str) -> SavedStyle:  # noqa: ANN401
    if not isinstance(data, dict) or data.get("format") != _FORMAT or data.get("version") != _VERSION:
        raise SavedStyleError(f'The style "{name}" is of another version of Panache: save it again.')
    texts: Any = [data.get(key) for key in _TEXTS[1:]]
    code: Any = data.get("code")
    sound = isinstance(code, list) and bool(code) and all(_is_number(value) for value in code)
    if not sound or not all(isinstance(text, str) for text in texts):
        raise _damaged(name)
    weights: Any = data.get("weights")
    # The file's name is the style's, also after somebody renamed it.
    return SavedStyle(
        name,
        tuple(float(value) for value in code),
        *texts,
        weights=weights if isinstance(weights, str) else "",
        refined=data.get("refined") is True,
        statistics=_statistics(data.get("statistics")),
    )


def _statistics(data: object) -> StyleStatistics | None:
    """They are only shown: a style of another version of Panache, which keeps others, can be used without."""
    try:
        return parse_statistics(data)
    except ValueError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _damaged(name: str) -> SavedStyleError:
    return SavedStyleError(f'The file of the style "{name}" is damaged: delete the style and save it again.')


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "Styles cannot be saved, because Blender's user folder is write-protected: allow writing there."
    return "The style cannot be saved: make room on the disk that has Blender's user folder, then try again."


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # What cannot be removed is replaced by the next attempt.
        return
