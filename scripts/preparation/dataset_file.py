# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the takes as the one file that training reads (scripts.training.dataset)."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.representation import FPS, SIGNATURE
from core.skeleton import CANONICAL, PARENTS
from scripts.preparation.recording import Take
from scripts.preparation.sets import BANDAI_1, BANDAI_2, LICENCES, TITLES
from scripts.preparation.splits import SEED, SHARES, split_recordings

_UNLABELLED = -1


@dataclass(frozen=True)
class Labels:
    """Which names count.

    Attributes:
        sources: sets whose styles and contents are labels; takes of others have none.
        licences: terms of single sets, where they are not those of :data:`LICENCES`.
    """

    sources: frozenset[str]
    licences: dict[str, str]


def labelled_sources(sources: Iterable[str]) -> frozenset[str]:
    """The Bandai-Namco sets, where they are prepared: others' labels of the same name are other styles. Else all."""
    found = frozenset(sources)
    return found & {BANDAI_1, BANDAI_2} or found


def write_dataset(takes: Sequence[Take], out: Path, labels: Labels) -> None:
    """Write the file whole, or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.savez(file, **_arrays(takes, labels))
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def combined_licence(licences: dict[str, str]) -> str:
    """All terms in one line, each with the sets that it is for; the first is the strictest."""
    together: dict[str, list[str]] = {}
    for source, licence in sorted(licences.items(), key=lambda item: "NC" not in item[1]):
        together.setdefault(licence, []).append(source)
    if len(together) == 1:
        return next(iter(together))
    return "; ".join(f"{licence} ({', '.join(sources)})" for licence, sources in together.items())


def _arrays(takes: Sequence[Take], labels: Labels) -> dict[str, NDArray[np.generic]]:
    recordings = [take.recording for take in takes]
    sources = list(dict.fromkeys(recording.source for recording in recordings))
    contents = _names([(r.source, r.content) for r in recordings], labels.sources)
    styles = _names([(r.source, r.style) for r in recordings], labels.sources)
    lengths = np.array([len(take.features) for take in takes], dtype=np.int64)
    licences = {source: labels.licences.get(source, LICENCES[source]) for source in sources}
    info = {
        "fps": FPS,
        "licence": combined_licence(licences),
        "licences": licences,
        "source": ", ".join(TITLES[source] for source in sources),
        "split_seed": SEED,
        "split_shares": SHARES,
    }
    named = [recording.source in labels.sources for recording in recordings]
    return {
        "features": np.concatenate([take.features for take in takes]),
        "starts": np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        "lengths": lengths,
        "content": _numbers([r.content if n else "" for r, n in zip(recordings, named, strict=True)], contents),
        "style": _numbers([r.style if n else "" for r, n in zip(recordings, named, strict=True)], styles),
        "source": np.array([sources.index(recording.source) for recording in recordings], dtype=np.int16),
        "split": split_recordings(recordings),
        "takes": np.array([recording.take for recording in recordings]),
        "content_names": np.array(contents, dtype=np.str_),
        "style_names": np.array(styles, dtype=np.str_),
        "source_names": np.array(sources),
        "layout": np.array(SIGNATURE),
        "info": np.array(json.dumps(info)),
        "offsets": CANONICAL.offsets.astype(np.float32),
        "parents": np.array(PARENTS),
    }


def _names(pairs: list[tuple[str, str]], sources: frozenset[str]) -> list[str]:
    """Alphabetical within each set, set after set: another set behind does not renumber those before."""
    names: dict[str, None] = {}
    for source in dict.fromkeys(source for source, _ in pairs):
        if source in sources:
            names.update(dict.fromkeys(sorted({name for other, name in pairs if other == source and name})))
    return list(names)


def _numbers(values: list[str], names: list[str]) -> NDArray[np.int16]:
    """(K,) place of each name; -1 for none."""
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(value, _UNLABELLED) for value in values], dtype=np.int16)
