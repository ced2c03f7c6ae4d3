# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone is which joint: by names (families as data, then single words), by parent order, by structure.

Names that make a whole body are believed if the bones hang and stand like one. What names leave open, structure fills
in where both agree on the rest; where names say nothing, structure decides alone, and says how sure it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .errors import PanacheError, UnmappedJointError, listed
from .name_matching import TRUNK, NameMap, match_names, order_holds
from .rig import RigMotion, RigSkeleton
from .rotations import Array, normalize
from .skeleton import JOINTS, REQUIRED_JOINTS
from .structure import Body, find_body

# Maps below this confidence are shown, but not used before the user has looked at them.
ACCEPTED = 0.5
# A map of this many joints by name is a whole body, even if toes, collars or part of the spine are missing.
_WHOLE = 15
# Structure completes names, or overrules them, if they agree on at least this share of the joints that both have.
_AGREED = 0.6
_CUSTOM = "custom"
# More frames than this tell structure nothing new.
_MAX_POSES = 16

_TWO_BODIES = "This armature holds two characters: separate them into two armatures, then choose one of them."
_FOUR_LEGS = "This rig stands on four legs: Panache needs a humanoid with two legs and two arms."
_UNSURE = "The body was not recognised with certainty: check the bones in the bone map, then confirm them there."
_EMPTY = "This armature has no body: choose an armature with hips, legs and arms."


class BoneMapError(PanacheError):
    """A bone map that does not fit its skeleton."""


@dataclass(frozen=True)
class BoneMap:
    """Canonical joint to bone name.

    Attributes:
        bones: the mapped joints.
        family: the rig family whose names matched, "words", "structure", "custom" or "unknown".
        confidence: 0 to 1 that these bones are these joints; below ``ACCEPTED`` the map needs the user's eye.
        origins: for each mapped joint "name", "structure" or "user".
        problem: why this rig cannot be used at all, as a sentence; empty if it can.
    """

    bones: dict[str, str]
    family: str = _CUSTOM
    confidence: float = 1.0
    origins: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Canonical joints without a bone."""
        return tuple(joint for joint in JOINTS if joint not in self.bones)

    def require(self) -> None:
        """Refuse a map that is no body, or that nobody can be sure of.

        Raises:
            UnmappedJointError: saying what is wrong or missing.
        """
        if self.problem:
            raise UnmappedJointError(self.problem)
        lacking = [joint for joint in REQUIRED_JOINTS if joint not in self.bones]
        if lacking:
            raise UnmappedJointError(
                f"No bone was found for {listed(lacking)}: Panache needs a humanoid rig with hips, legs and arms."
            )
        if self.confidence < ACCEPTED:
            raise UnmappedJointError(_UNSURE)


def match_bones(skeleton: RigSkeleton, clip: RigMotion | None = None) -> BoneMap:
    """The best map of a rig.

    Args:
        skeleton: all bones of the armature.
        clip: some frames of the same bones in the same order, for rigs whose rest pose is no human pose.

    Returns:
        The map; with a ``problem`` or a low confidence if it cannot be trusted, which ``require`` turns into an error.
    """
    problem = _unreadable(skeleton)
    if problem:
        return BoneMap({}, "unknown", 0.0, problem=problem)
    clip = _thinned(clip)
    maps = match_names(skeleton)
    body = find_body(skeleton, clip)
    found = _decide(skeleton, maps[0], body)
    bones = {joint: skeleton.index[bone] for joint, bone in found.bones.items()}
    if _is_doubled(skeleton, maps, body, bones):
        return replace(found, confidence=0.0, problem=_TWO_BODIES)
    if _stands_on_four(skeleton, clip, bones):
        return replace(found, confidence=0.0, problem=_FOUR_LEGS)
    return found


def corrected(bone_map: BoneMap, bones: dict[str, str], skeleton: RigSkeleton) -> BoneMap:
    """The user's own map.

    Args:
        bone_map: what was recognised; joints that stay as they are keep their origin.
        bones: joint to bone name, all of them; joints left out or "" have no bone.
        skeleton: all bones of the armature.

    Raises:
        BoneMapError: an unknown joint or bone, a bone that serves twice, or one in the wrong parent order.
    """
    chosen = {joint: bone for joint, bone in bones.items() if bone}
    _check(chosen, skeleton)
    origins = {
        joint: bone_map.origins.get(joint, "name") if bone_map.bones.get(joint) == bone else "user"
        for joint, bone in chosen.items()
    }
    ordered = {joint: chosen[joint] for joint in JOINTS if joint in chosen}
    return BoneMap(ordered, _CUSTOM, 1.0, origins)


def signature(skeleton: RigSkeleton) -> str:
    """16 hexadecimal digits that stay the same for the same bone names and parents, in whatever order they come."""
    lines = sorted(
        f"{name}\t{skeleton.names[parent] if parent >= 0 else ''}"
        for name, parent in zip(skeleton.names, skeleton.parents, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _unreadable(skeleton: RigSkeleton) -> str:
    """Why a skeleton cannot be searched at all; empty if it can."""
    if len(skeleton) < 2:
        return _EMPTY
    broken = np.flatnonzero(~np.isfinite(skeleton.rest).all(axis=(1, 2)) | ~np.isfinite(skeleton.lengths))
    if broken.size:
        return f'Bone "{skeleton.names[broken[0]]}" has a rest pose that is no number: correct it in Edit Mode.'
    if float(np.ptp(skeleton.rest[:, :3, 3], axis=0).max()) <= 0.0:
        return "All bones of this armature lie on one point: choose a rig whose bones have a length."
    return ""


def _thinned(clip: RigMotion | None) -> RigMotion | None:
    """At most 16 frames, spread over the clip; None if their numbers are none."""
    if clip is None or not len(clip) or not np.isfinite(clip.pose).all():
        return None
    rows = np.unique(np.linspace(0, len(clip) - 1, _MAX_POSES).astype(int))
    return replace(
        clip, times=clip.times[rows], rotations=clip.rotations[rows], locations=clip.locations[rows],
        scales=clip.scales[rows], placement=clip.placement[rows],
    )  # fmt: skip


def _decide(skeleton: RigSkeleton, named: NameMap, body: Body) -> BoneMap:
    """Names, structure, or names completed by structure."""
    body = _sided_like(body, named)
    sure = len(named.bones) / max(len(named.bones) + len(named.dropped), _WHOLE)
    if all(joint in named.bones for joint in REQUIRED_JOINTS):
        filling = body.joints if _agreement(named, body) >= _AGREED and body.likely >= ACCEPTED else {}
        return _merged(skeleton, named, filling, sure)
    if not body.joints or (named.bones and body.confidence < ACCEPTED):
        return _merged(skeleton, named, {}, sure) if named.bones else BoneMap({}, "unknown", 0.0)
    if len(named.bones) >= 4 and _agreement(named, body) >= _AGREED:
        return _merged(skeleton, named, body.joints, body.confidence)
    return _merged(skeleton, NameMap({}, (), "structure"), body.joints, body.confidence)


def _agreement(named: NameMap, body: Body) -> float:
    """Share of the joints with a bone by name and by structure that have the same one."""
    both = [joint for joint in named.bones if joint in body.joints]
    return sum(named.bones[joint] == body.joints[joint] for joint in both) / len(both) if both else 0.0


def _sided_like(body: Body, named: NameMap) -> Body:
    """The body with left and right as the names have them, where enough of them say so."""
    mirrored = {_other_side(joint): bone for joint, bone in body.joints.items()}
    sided = [joint for joint in named.bones if joint not in TRUNK]
    same, swapped = (
        sum(joints.get(joint) == named.bones[joint] for joint in sided) for joints in (body.joints, mirrored)
    )
    if max(same, swapped) < 4:
        return body
    return replace(body, joints=body.joints if same >= swapped else mirrored, facing=1.0)


def _other_side(joint: str) -> str:
    side, _, rest = joint.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, joint)


def _merged(skeleton: RigSkeleton, named: NameMap, filling: dict[str, int], confidence: float) -> BoneMap:
    """Named joints, and of the others those that hang where they should."""
    bones = dict(named.bones)
    for joint in JOINTS:
        bone = filling.get(joint)
        if bone is None or joint in bones or bone in bones.values():
            continue
        tried = bones | {joint: bone}
        if not named.bones or all(order_holds(skeleton, tried, other) for other in tried):
            bones = tried
    ordered = {joint: skeleton.names[bones[joint]] for joint in JOINTS if joint in bones}
    origins = {joint: "name" if joint in named.bones else "structure" for joint in ordered}
    return BoneMap(ordered, named.family, round(min(confidence, 1.0), 4), origins)


def _is_doubled(skeleton: RigSkeleton, maps: Sequence[NameMap], body: Body, bones: dict[str, int]) -> bool:
    """Whether a second whole body stands beside the first."""
    if body.others and body.likely >= ACCEPTED:
        return True
    if not all(joint in bones for joint in ("left_hip", "left_ankle")):
        return False
    heads = skeleton.rest[:, :3, 3]
    leg = float(np.linalg.norm(heads[bones["left_hip"]] - heads[bones["left_ankle"]]))
    for other in maps:
        shared = [joint for joint in REQUIRED_JOINTS if joint in other.bones and joint in bones]
        if len(shared) < len(REQUIRED_JOINTS) or set(other.bones.values()) & set(bones.values()):
            continue
        away = [np.linalg.norm(heads[bones[joint]] - heads[other.bones[joint]]) for joint in shared]
        if min(away) > 0.1 * leg:
            return True
    return False


def _stands_on_four(skeleton: RigSkeleton, clip: RigMotion | None, bones: dict[str, int]) -> bool:
    """Whether the arms are forelegs: parallel to the legs, and both square to the trunk in most poses."""
    needed = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "ankle", "shoulder", "elbow")]
    if any(joint not in bones for joint in needed):
        return False
    heads = skeleton.rest[None, :, :3, 3]
    if clip is not None:
        heads = np.concatenate([heads, clip.pose[..., :3, 3]])

    def middle(joint: str) -> Array:
        return np.asarray(0.5 * (heads[:, bones[f"left_{joint}"]] + heads[:, bones[f"right_{joint}"]]))

    trunk, leg, arm = (
        normalize(middle(end) - middle(start))
        for start, end in (("hip", "shoulder"), ("hip", "ankle"), ("shoulder", "elbow"))
    )
    upright = -np.sum(trunk * leg, axis=-1)
    parallel = np.sum(arm * leg, axis=-1)
    return bool(np.median(upright) < 0.6 and abs(upright[0]) < 0.6 and parallel[0] > 0.4)


def _check(bones: dict[str, str], skeleton: RigSkeleton) -> None:
    """Refuse a map that does not fit the skeleton."""
    joints: dict[str, str] = {}
    for joint, bone in bones.items():
        if joint not in JOINTS:
            raise BoneMapError(f'"{joint}" is no joint of the body: take it out of the bone map.')
        if bone not in skeleton.index:
            raise BoneMapError(f'Bone "{bone}", chosen for {joint}, is not in this armature: choose another one.')
        if bone in joints:
            raise BoneMapError(f'Bone "{bone}" is chosen for {joints[bone]} and for {joint}: choose it once.')
        joints[bone] = joint
    indices = {joint: skeleton.index[bone] for joint, bone in bones.items()}
    for joint, bone in bones.items():
        if not order_holds(skeleton, indices, joint):
            raise BoneMapError(f'Bone "{bone}" hangs in the wrong place to be {joint}: choose another one.')
