# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone is which joint: rig families as data, one matcher that checks names against parent order."""

import re
from dataclasses import dataclass

from .errors import UnmappedJointError
from .rig import RigSkeleton
from .rig_maps import RigFamily, load_families
from .skeleton import INDEX, JOINTS, PARENTS, REQUIRED_JOINTS

# Below this share of a family's joints the names only look alike by chance.
_MIN_SHARE = 0.5


@dataclass(frozen=True)
class BoneMap:
    """Canonical joint to bone name.

    Attributes:
        bones: the mapped joints.
        family: the rig family whose names matched, or "custom".
        confidence: 0 to 1, the share of the family's joints found in the right parent order.
    """

    bones: dict[str, str]
    family: str = "custom"
    confidence: float = 1.0

    @property
    def missing(self) -> tuple[str, ...]:
        """Canonical joints without a bone."""
        return tuple(joint for joint in JOINTS if joint not in self.bones)

    def require(self) -> None:
        """Refuse a map without the joints that make a body.

        Raises:
            UnmappedJointError: naming what is missing.
        """
        lacking = [joint for joint in REQUIRED_JOINTS if joint not in self.bones]
        if lacking:
            shown = ", ".join(lacking[:4]) + (", ..." if len(lacking) > 4 else "")
            raise UnmappedJointError(
                f"No bone was found for {shown}: Panache needs a humanoid rig with hips, legs and arms."
            )


def match_bones(skeleton: RigSkeleton) -> BoneMap:
    """The best map over all families; empty, with confidence 0, if no family's names are there."""
    maps = [_match_family(skeleton, family) for family in load_families()]
    best = max(maps, key=lambda found: (found.confidence * len(found.bones), found.confidence))
    return best if best.confidence >= _MIN_SHARE else BoneMap({}, "unknown", 0.0)


def canonical_name(bone: str) -> str:
    """A bone name without namespace, prefix number, case and separators: ``mixamorig1:LeftArm`` -> ``leftarm``."""
    bare = re.split(r"[:|]", bone)[-1]
    return re.sub(r"[\s_.\-]", "", bare).lower()


def _match_family(skeleton: RigSkeleton, family: RigFamily) -> BoneMap:
    by_name: dict[str, str] = {}
    for bone in skeleton.names:
        by_name.setdefault(canonical_name(bone), bone)
    found: dict[str, str] = {}
    for joint, aliases in family.joints.items():
        names = (by_name.get(canonical_name(alias)) for alias in aliases)
        match = next((bone for bone in names if bone is not None), None)
        if match is not None:
            found[joint] = match
    ordered = {joint: bone for joint, bone in found.items() if _parent_order_holds(skeleton, found, joint)}
    return BoneMap(ordered, family.name, len(ordered) / len(family.joints))


def _parent_order_holds(skeleton: RigSkeleton, found: dict[str, str], joint: str) -> bool:
    """Whether the joint's bone hangs below the bone of the nearest mapped joint above it."""
    above = PARENTS[INDEX[joint]]
    while above >= 0 and JOINTS[above] not in found:
        above = PARENTS[above]
    if above < 0:
        return True
    return skeleton.index[found[JOINTS[above]]] in skeleton.ancestors(skeleton.index[found[joint]])
