# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases through the whole path without Blender, and all that is measured on each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from core.engines.engine import StyleEngine
from core.pipeline import Clip, StyleSettings, stylize, vary_steps
from core.representation import FPS
from core.rig import RigMotion
from core.root_motion import KEEP
from core.steps import finish
from models.bundle import Bundle

from ..autoencoder import AutoencoderError, clip_error
from ..cases import Case, Court, Outcome
from ..changes import Changes, Original
from ..distances import jerk
from ..joints import rig_joints
from ..library import Take, read_clip
from ..systems import settings_of
from .witness import Witness

# One case in so many is stylized once more, on its original path.
_KEPT = 5
_OPEN_CLIPS = 256


@dataclass(frozen=True)
class Trial:
    """One case.

    Attributes:
        outcome: what the judges and the animator's measures say.
        changes: against the original.
        jerk_beyond: jerk as a share of what real takes of this content have in the wanted style; NaN without any.
        predicted_f1: of the contacts that the network itself predicts, against the original's.
        keep_error: how far the path is from the original's where it should be kept, cm; None if it was not tried.
        reconstruction: of the original by the autoencoder alone; None if the take was there before.
    """

    outcome: Outcome
    changes: Changes
    jerk_beyond: float
    predicted_f1: float
    keep_error: float | None
    reconstruction: AutoencoderError | None


class Stage:
    """Everything a case needs: judges, network and the clips that were read."""

    def __init__(self, court: Court, bundle: Bundle, threads: int, *, fade: bool = True) -> None:
        """Build the network; ``fade`` lets the style fade out where the model does not know what it sees."""
        self.fade = fade
        self.court = court
        self.bundle = bundle
        self._witness = Witness(bundle, threads)
        self.engine = StyleEngine(self._witness)
        self.clip = lru_cache(_OPEN_CLIPS)(_read)

    def trials(self, cases: Sequence[Case]) -> Iterator[Trial]:
        """Every case; those of one take share what is read off it if they follow each other."""
        original: Original | None = None
        measured: set[str] = set()
        for number, case in enumerate(cases):
            clip = self.clip(case.take)
            if original is None or original.clip is not clip:
                original = Original(clip)
            yield self._trial(case, original, (number % _KEPT == 0, case.take.name not in measured))
            measured.add(case.take.name)

    def samples(self, take: Take, settings: Sequence[StyleSettings]) -> list[RigMotion]:
        """One take in several styles by label."""
        return [sample.motion for sample in finish(vary_steps(self.clip(take), None, self.engine, settings))]

    def _trial(self, case: Case, original: Original, also: tuple[bool, bool]) -> Trial:
        """One case; ``also`` says whether to keep the path once, and to measure the autoencoder."""
        settings, reference = (
            replace(settings_of(case), fade=self.fade),
            self.clip(case.reference) if case.reference else None,
        )
        self._witness.forget()
        result = stylize(original.clip, reference, self.engine, settings).motion
        heard = [said.features for said in self._witness.heard]
        predicted = self._witness.contact_f1()
        kept = None
        if also[0]:
            kept = stylize(original.clip, reference, self.engine, replace(settings, root=KEEP)).motion
        joints = rig_joints(result, original.clip.bone_map)
        usual = self.court.usual_jerk((case.take.content, case.target))
        return Trial(
            self.court.rule(case, joints),
            original.changes(result),
            jerk(joints, np.arange(len(joints)) / FPS) / usual,
            predicted,
            None if kept is None else original.path_error(kept),
            clip_error(self.engine, heard[0]) if also[1] else None,
        )


def _read(take: Take) -> Clip:
    return read_clip(take.path)
