# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints by bone names: the tables of the rig families, and single words where no family fits.

Both give candidates only; a bone is believed if it hangs where its joint hangs.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .bone_names import NameLabel, canonical_name, read_names
from .rig import RigSkeleton
from .rig_maps import RigFamily, load_families, load_words
from .skeleton import REQUIRED_JOINTS, joints_above
from .structure_trunk import spread_spine

# Family of a map that no family's table gave, and its rank: a family that finds as much knows better.
WORDS = "words"
_LAST = 9
TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
_LEG, _ARM = ("hip", "knee", "ankle", "foot"), ("collar", "shoulder", "elbow", "wrist")
# Joints whose names tell with which prefix and suffix a rig writes the family's names.
_ANCHORS = ("left_elbow", "right_knee", "left_hip")
# How many bones are tried for each joint of a limb, the best words first.
_TRIED = 6
# A pelvis lies within this share of the trunk's length of the hips.
_NEAR_HIPS = 0.5


@dataclass(frozen=True)
class NameMap:
    """Joints found by name, and how good the find is.

    Attributes:
        bones: joint to bone index; parent order holds.
        dropped: joints with a name whose bone hangs in the wrong place.
        family: where the names come from.
        rank: place of the prefix in the family's order of preference, 0 the best.
        share: found joints out of those that the family has.
    """

    bones: dict[str, int]
    dropped: tuple[str, ...]
    family: str
    rank: int = 0
    share: float = 1.0

    @property
    def merit(self) -> tuple[float, int, float]:
        """Larger is better."""
        return len(self.bones) - 0.5 * len(self.dropped), -self.rank, self.share


def match_names(skeleton: RigSkeleton) -> list[NameMap]:
    """Maps by all families and by words, the best first; a family with several prefixes in one rig gives several."""
    by_name: dict[str, int] = {}
    for index, bone in enumerate(skeleton.names):
        by_name.setdefault(canonical_name(bone), index)
    maps = [found for family in load_families() for found in _family_maps(skeleton, family, by_name)]
    maps.append(replace(_in_order(skeleton, _by_words(skeleton), WORDS), rank=_LAST))
    return sorted(maps, key=lambda found: found.merit, reverse=True)


def order_holds(skeleton: RigSkeleton, bones: dict[str, int], joint: str) -> bool:
    """Whether the nearest mapped bone above the joint's may carry that joint.

    Legs and arms may hang anywhere on the trunk (Biped has thighs on the spine and collars on the neck), and a control
    rig's bones may hang on bones outside the map.
    """
    joints = {bone: name for name, bone in bones.items()}
    above = next((joints[bone] for bone in skeleton.ancestors(bones[joint]) if bone in joints), None)
    if above is None:
        return True
    return above in joints_above(joint) or (above in TRUNK and joint not in TRUNK)


def _in_order(skeleton: RigSkeleton, bones: dict[str, int], family: str) -> NameMap:
    """The map without the joints that hang in the wrong place, and without bones that serve twice."""
    bones = _neck_above_collars(skeleton, bones)
    once = {bone: joint for joint, bone in reversed(bones.items())}
    single = {joint: bone for bone, joint in once.items()}
    held = {joint: bone for joint, bone in single.items() if order_holds(skeleton, single, joint)}
    dropped = tuple(joint for joint in bones if joint not in held)
    return NameMap(held, dropped, family)


def _neck_above_collars(skeleton: RigSkeleton, bones: dict[str, int]) -> dict[str, int]:
    """Where the neck carries the collars and another bone leads on to the head, that one is the neck."""
    neck, head = bones.get("neck"), bones.get("head")
    collars = [bones.get(f"{side}_collar", bones.get(f"{side}_shoulder")) for side in ("left", "right")]
    if neck is None or head is None or not all(bone is not None and skeleton.parents[bone] == neck for bone in collars):
        return bones
    line = skeleton.ancestors(head)
    between = line[: line.index(neck)] if neck in line else []
    if not between:
        return bones
    spine = [bones[joint] for joint in ("spine1", "spine2", "spine3") if joint in bones]
    spine = [bone for bone in reversed(skeleton.ancestors(neck)) if bone in _span(skeleton, spine)]
    return bones | spread_spine(skeleton.rest[:, :3, 3], [*spine, neck]) | {"neck": between[-1]}


def _span(skeleton: RigSkeleton, spine: list[int]) -> set[int]:
    """The spine bones and those between them."""
    if not spine:
        return set()
    line = [spine[-1], *skeleton.ancestors(spine[-1])]
    return set(line[: line.index(spine[0]) + 1]) if spine[0] in line else set(spine)


def _family_maps(skeleton: RigSkeleton, family: RigFamily, by_name: dict[str, int]) -> Iterator[NameMap]:
    preferred = [(canonical_name(prefix), "") for prefix in family.prefixes]
    for affix in _affixes(family, by_name):
        rank = preferred.index(affix) if affix in preferred else len(preferred) + (affix != ("", ""))

        def find(aliases: Iterable[str], affix: tuple[str, str] = affix) -> int | None:
            names = (affix[0] + canonical_name(alias) + affix[1] for alias in aliases)
            return next((by_name[name] for name in names if name in by_name), None)

        found = {joint: find(aliases) for joint, aliases in family.joints.items() if not joint.startswith("spine")}
        bones = {joint: bone for joint, bone in found.items() if bone is not None}
        spine = [bone for name in family.spine if (bone := find([name])) is not None]
        spine = _upwards(skeleton, [bone for bone in spine if bone not in bones.values()], bones)
        bones |= spread_spine(skeleton.rest[:, :3, 3], spine)
        share = len(bones) / len(family.joints)
        yield replace(_in_order(skeleton, bones, family.name), rank=rank, share=share)


def _affixes(family: RigFamily, by_name: dict[str, int]) -> set[tuple[str, str]]:
    """What stands before and after the family's names in this rig."""
    affixes: set[tuple[str, str]] = set()
    for joint in _ANCHORS:
        for alias in map(canonical_name, family.joints[joint]):
            for name in by_name:
                before, found, after = name.partition(alias)
                if found:
                    affixes.add((before, after))
    return affixes


def _upwards(skeleton: RigSkeleton, spine: list[int], bones: dict[str, int]) -> list[int]:
    """The spine bones up to the last one that carries neck or shoulders; all of them if none does."""
    ends = [bones[joint] for joint in ("neck", "left_shoulder", "right_shoulder", "head") if joint in bones]
    lines = {bone for end in ends for bone in skeleton.ancestors(end)}
    carrying = [place for place, bone in enumerate(spine) if bone in lines]
    return spine[: carrying[-1] + 1] if carrying else spine


def _by_words(skeleton: RigSkeleton) -> dict[str, int]:
    """Each joint's likeliest bone by the words in its name."""
    labels = read_names(skeleton.names)
    lines = [set(skeleton.ancestors(bone)) for bone in range(len(skeleton))]
    found: dict[str, int] = {}
    for side, limb in itertools.product(("left", "right"), (_LEG, _ARM)):
        chosen = _limb_by_words(labels, lines, (side, limb))
        found |= {f"{side}_{joint}": bone for joint, bone in chosen.items()}
    ends = [found[joint] for joint in ("left_hip", "right_hip", "left_shoulder", "right_shoulder") if joint in found]
    if len(ends) < 4:
        return found
    pelvis = _pelvis_by_words(skeleton, labels, lines, ends)
    if pelvis is not None:
        found["pelvis"] = pelvis
    return found | _upper_trunk(skeleton, labels, lines, found)


def _limb_by_words(
    labels: Sequence[NameLabel], lines: Sequence[set[int]], where: tuple[str, tuple[str, ...]]
) -> dict[str, int]:
    """The bones of one limb: the words that fit best along one line of bones."""
    side, limb = where
    candidates = [[None, *_candidates(labels, part, side)] for part in limb]
    best: tuple[float, tuple[tuple[int, float] | None, ...]] = (0.0, ())
    for choice in itertools.product(*candidates):
        score, above = 0.0, None
        for found in choice:
            if found is None:
                continue
            bone, worth = found
            if above is not None and (bone == above or bone in lines[above]):
                break
            score += worth - (0.6 if above is not None and above not in lines[bone] else 0.0)
            above = bone
        else:
            if score > best[0] + 1e-9:
                best = (score, choice)
    return {part: found[0] for part, found in zip(limb, best[1], strict=False) if found is not None}


def _candidates(labels: Sequence[NameLabel], part: str, side: str) -> list[tuple[int, float]]:
    """Bones whose name may mean the part, with what the name is worth; the best first."""
    words = load_words().parts
    found: list[tuple[int, float]] = []
    for bone, label in enumerate(labels):
        rank = words.get(label.part, {}).get(part)
        if rank is not None and label.side == side and not label.helper:
            number = min(label.numbers[0], 9) if label.numbers else 0
            needed = 0.1 if f"{side}_{part}" in REQUIRED_JOINTS else 0.0
            found.append((bone, 1.0 + needed - 0.01 * rank - 0.004 * number))
    return sorted(found, key=lambda candidate: -candidate[1])[:_TRIED]


def _pelvis_by_words(
    skeleton: RigSkeleton, labels: Sequence[NameLabel], lines: Sequence[set[int]], ends: list[int]
) -> int | None:
    """The bone that carries most of the limbs, whose hips are the first two; one on the floor is a root, no pelvis."""
    heads = skeleton.rest[:, :3, 3]
    hips, shoulders = heads[ends[:2]].mean(axis=0), heads[ends[2:]].mean(axis=0)
    near = _NEAR_HIPS * float(np.linalg.norm(shoulders - hips))
    scored = [
        (float(np.linalg.norm(heads[bone] - hips)) < near, sum(bone in lines[end] for end in ends) + 2.0 * worth, bone)
        for bone, worth in _candidates(labels, "pelvis", "")
    ]
    return max(scored, default=(False, 0.0, None), key=lambda entry: entry[:2])[2]


def _upper_trunk(
    skeleton: RigSkeleton, labels: Sequence[NameLabel], lines: Sequence[set[int]], found: dict[str, int]
) -> dict[str, int]:
    """Head, neck, and the spine as the bones from the pelvis to what carries both arms."""
    arms = [found.get(f"{side}_collar", found[f"{side}_shoulder"]) for side in ("left", "right")]
    chest_line = [bone for bone in skeleton.ancestors(arms[0]) if bone in lines[arms[1]]]
    trunk: dict[str, int] = {}
    for joint in ("head", "neck"):
        fitting = [
            bone
            for bone, _ in _candidates(labels, joint, "")
            if bone not in found.values() and ("head" not in trunk or bone in lines[trunk["head"]])
        ]
        if fitting:
            trunk[joint] = fitting[0]
    if "pelvis" in found and found["pelvis"] in chest_line:
        spine = list(reversed(chest_line[: chest_line.index(found["pelvis"])]))
        spine = [bone for bone in spine if bone not in trunk.values() and not labels[bone].helper]
        trunk |= spread_spine(skeleton.rest[:, :3, 3], spine)
    return trunk
