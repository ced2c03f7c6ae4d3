# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result changed in its original, frame by frame: no judge, and no other take."""

from dataclasses import dataclass

from core.contacts import detect_contacts
from core.motion import Motion
from core.pipeline import Clip
from core.restyling import body_steps
from core.retarget import to_motion
from core.rig import RigMotion
from core.steps import finish

from .contacts import Skate, foot_skate
from .distances import contact_f1, geodesic, jerk, path_error, path_length

# A clip that stays within this has no path whose length could be compared, metres.
_TRAVELS = 0.5


@dataclass(frozen=True)
class Changes:
    """What is different; NaN where there is nothing to compare.

    Attributes:
        geodesic: mean angle between the global rotations, each seen from its heading, radians.
        jerk: of the result, as a share of the original's.
        skate: of heels and toes that rest in the original.
        path: length of the way over the floor, as a share of the original's.
        contact_f1: of the feet's contacts, against the original's.
    """

    geodesic: float
    jerk: float
    skate: Skate
    path: float
    contact_f1: float


class Original:
    """A clip that is read once, for any number of results on the same rig."""

    def __init__(self, clip: Clip) -> None:
        """Read the clip.

        Raises:
            PanacheError: it cannot be read; the message says why.
        """
        self.clip = clip
        body = finish(body_steps(clip))
        self.motion = body.original
        self._calibration = body.calibration
        self._contacts = detect_contacts(self.motion)
        self._jerk = jerk(self.motion.positions(), self.motion.times)
        self._path = path_length(self.motion)

    def joints_of(self, result: RigMotion) -> Motion:
        """A result as joints."""
        return to_motion(result, self._calibration)

    def changes(self, result: RigMotion) -> Changes:
        """Compare a result at the clip's own times."""
        motion = self.joints_of(result)
        return Changes(
            geodesic(self.motion, motion),
            jerk(motion.positions(), motion.times) / max(self._jerk, 1e-9),
            foot_skate(self.motion, motion),
            path_length(motion) / self._path if self._path >= _TRAVELS else float("nan"),
            contact_f1(self._contacts, detect_contacts(motion)),
        )

    def path_error(self, result: RigMotion) -> float:
        """Mean distance between the paths over the floor, cm."""
        return 100.0 * path_error(self.motion, self.joints_of(result))
