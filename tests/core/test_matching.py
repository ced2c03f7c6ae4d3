# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone maps: names of all families and of none, what structure adds, the user's own maps and their files."""

import dataclasses
import json

import numpy as np
import pytest

from core.bone_map_file import BoneMapFileError, dump_map, parse_map
from core.bone_names import split_name
from core.errors import PanacheError, UnmappedJointError
from core.matching import ACCEPTED, BoneMap, BoneMapError, corrected, match_bones, signature
from core.rig import RigSkeleton
from core.rig_maps import RigFamily, load_families
from core.skeleton import JOINTS, REQUIRED_JOINTS

from .skeletons import body, build, hands, moved, named, placed, quadruped, renamed, twists, without

FAMILIES = load_families()
SIDES = ("left", "right")
# Where the bones of spine1-3 are for one to five bones between pelvis and neck.
SPINES = {
    1: {"spine3": 0},
    2: {"spine1": 0, "spine3": 1},
    3: {"spine1": 0, "spine2": 1, "spine3": 2},
    4: {"spine1": 0, "spine2": 1, "spine3": 3},
    5: {"spine1": 0, "spine2": 2, "spine3": 4},
}


def family_rig(family: RigFamily, before: str = "", after: str = "") -> tuple[RigSkeleton, dict[str, str]]:
    """A body with a family's names, fingers and twist bones, and the map that is right for it."""
    count = min(len(family.spine), 5)
    expected = {joint: family.spine[place] for joint, place in SPINES.get(count, {}).items()}
    expected |= {joint: names[0] for joint, names in family.joints.items() if not joint.startswith("spine")}
    names = {joint: before + bone + after for joint, bone in expected.items()}
    lacking = [joint for joint in JOINTS if joint not in names and not joint.startswith("spine")]
    bones = without(body(spine=count), *lacking)
    spine = {f"chest{i}": before + family.spine[i] + after for i in range(count)}
    extra = [*hands(bones, 4), *twists(bones)] if "left_wrist" in names else []
    return build(named([*bones, *extra], names | spine), np.random.default_rng(3)), names


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("Hero01:", "_jnt"), ("rig_", ".001")])
def test_a_family_is_recognised_with_any_prefix_and_suffix(family: RigFamily, before: str, after: str) -> None:
    skeleton, names = family_rig(family, before, after)
    found = match_bones(skeleton)
    assert {joint: found.bones.get(joint) for joint in names} == names
    assert found.confidence == 1.0
    assert {found.origins[joint] for joint in names} == {"name"}
    found.require()


def test_a_familys_file_names_the_family() -> None:
    for name in ("mixamo", "unreal", "character_creator", "rigify", "daz_genesis8", "mmd", "vroid", "second_life"):
        family = next(family for family in FAMILIES if family.name == name)
        assert match_bones(family_rig(family)[0]).family == name


# Bones of the limbs as in LIMBS, of the trunk, and the marks of the sides; "~" stands for a blank.
WORDS = {
    "maya": (
        "{S}_hip_jnt {S}_knee_jnt {S}_ankle_jnt {S}_ball_jnt {S}_clav_jnt {S}_shoulder_jnt {S}_elbow_jnt {S}_wrist_jnt",
        "root_pelvis_jnt neck_01_jnt head_jnt",
        "L R",
    ),
    "camel": (
        "thigh{S} calf{S} foot{S} toe{S} clavicle{S} upArm{S} loArm{S} hand{S}",
        "hip neck head",
        "L R",
    ),
    "spaces": (
        "{S}~Upper~Leg {S}~Lower~Leg {S}~Foot {S}~Toes {S}~Shoulder {S}~Upper~Arm {S}~Lower~Arm {S}~Hand",
        "Hips Neck Head",
        "Left Right",
    ),
    "poser": (
        "{S}Thigh {S}Shin {S}Foot {S}Toe {S}Collar {S}Shldr {S}ForeArm {S}Hand",
        "hip neck head",
        "l r",
    ),
    "full width": (
        "Ｌｅｇ１＿{S} ｋｎｅｅ＿{S} ａｎｋｌｅ＿{S} ｔｏｅ＿{S} "
        "ｃｏｌｌａｒ＿{S} ａｒｍ＿{S} ｅｌｂｏｗ＿{S} ｗｒｉｓｔ＿{S}",
        "ｈｉｐｓ ｎｅｃｋ ｈｅａｄ",
        "Ｌ Ｒ",
    ),
    "russian": (
        "Бедро.{S} Голень.{S} Стопа.{S} Носок.{S} Ключица.{S} Плечо.{S} Предплечье.{S} Кисть.{S}",
        "Таз Шея Голова",
        "Л П",
    ),
    "russian words": (
        "{S}~бедро {S}~голень {S}~стопа {S}~носок {S}~ключица {S}~плечо {S}~предплечье {S}~кисть",
        "таз шея голова",
        "левое правое",
    ),
    "chinese": (
        "{S}大腿 {S}小腿 {S}脚 {S}脚趾 {S}锁骨 {S}上臂 {S}前臂 {S}手",
        "骨盆 脖子 头",
        "左 右",
    ),
    "german": (
        "Oberschenkel.{S} Unterschenkel.{S} Fuss.{S} Zehen.{S} Schlüsselbein.{S} Oberarm.{S} Unterarm.{S} Hand.{S}",
        "Becken Hals Kopf",
        "L R",
    ),
    "digits": (
        "{S}leg1 {S}calf2 {S}foot3 {S}toe4 {S}clavicle1 {S}upperarm2 {S}forearm3 {S}hand4",
        "pelvis0 neck5 head6",
        "left right",
    ),
}
LIMBS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


@pytest.mark.parametrize("style", WORDS)
@pytest.mark.parametrize("spine", range(1, 6))
def test_names_of_no_family_are_read_as_words(style: str, spine: int) -> None:
    limbs, trunk, marks = (bones.split() for bones in WORDS[style])
    names = dict(zip(("pelvis", "neck", "head"), trunk, strict=True))
    names |= {
        f"{side}_{joint}": bone.format(S=mark).replace("~", " ")
        for side, mark in zip(SIDES, marks, strict=True)
        for joint, bone in zip(LIMBS, limbs, strict=True)
    }
    bones = body(spine=spine)
    skeleton = build(named([*bones, *hands(bones), *twists(bones)], names), np.random.default_rng(5))
    found = match_bones(skeleton)
    assert found.bones == names | {joint: f"chest{place}" for joint, place in SPINES[spine].items()}
    found.require()


def test_a_name_falls_into_words() -> None:
    assert split_name("mixamorig:LeftUpLeg_01") == ["left", "up", "leg", "01"]
    assert split_name("ValveBiped.Bip01_L_UpperArm") == ["valve", "biped", "bip", "01", "l", "upper", "arm"]
    assert split_name("ＬＴｈｉｇｈ") == ["l", "thigh"]
    assert split_name("左ひざ2") == ["左", "ひざ", "2"]


def test_a_control_rigs_inner_layer_is_taken_and_helpers_never() -> None:
    names = {joint: aliases[0] for joint, aliases in next(f for f in FAMILIES if f.name == "rigify").joints.items()}
    spine = {f"chest{i}": names[f"spine{i + 1}"] for i in range(3)}
    layers = [
        bone
        for layer in ("DEF-", "MCH-", "ORG-")
        for bone in named(body(), {old: layer + new for old, new in (names | spine).items()})
    ]
    bones = [("root", "", (0.0, 0.0, 0.0)), *((name, parent or "root", head) for name, parent, head in layers)]
    found = match_bones(build(bones))
    assert set(found.bones) == set(JOINTS)
    assert all(bone.startswith("ORG-") for bone in found.bones.values())


def test_collars_toes_and_neck_may_be_missing() -> None:
    family = next(family for family in FAMILIES if family.name == "mixamo")
    names = {joint: f"mixamorig:{aliases[0]}" for joint, aliases in family.joints.items()}
    names |= {f"chest{i}": f"mixamorig:{family.spine[i]}" for i in range(3)}
    found = match_bones(build(named(without(body(), "collar", "foot", "neck", "wrist"), names)))
    assert set(JOINTS) - set(found.bones) == {"neck", *(f"{s}_{j}" for s in SIDES for j in ("collar", "foot", "wrist"))}
    found.require()


def test_a_bone_that_hangs_elsewhere_is_not_believed() -> None:
    names = {"left_knee": "left_elbow", "left_elbow": "left_knee"}
    found = match_bones(build(named(body(), names)))
    assert found.bones.get("left_knee") != "left_knee"
    assert found.bones.get("left_elbow") != "left_elbow"


def test_collars_on_the_neck_and_thighs_on_the_spine_are_believed() -> None:
    family = next(family for family in FAMILIES if family.name == "biped")
    names = {joint: f"Bip001 {aliases[0]}" for joint, aliases in family.joints.items()}
    parents = {"left_collar": "neck", "right_collar": "neck", "left_hip": "chest0", "right_hip": "chest0"}
    bones = [(name, parents.get(name, parent), head) for name, parent, head in body()]
    bones.sort(key=lambda bone: bone[0].partition("_")[2] in LIMBS)
    names |= {f"chest{i}": names[f"spine{i + 1}"] for i in range(3)}
    assert match_bones(build(named(bones, names))).bones == {joint: names[joint] for joint in JOINTS}


@pytest.mark.parametrize("anonymous", [False, True])
def test_the_pelvis_is_what_carries_legs_and_trunk(anonymous: bool) -> None:
    family = next(family for family in FAMILIES if family.name == "daz_genesis8")
    _, names = family_rig(family)
    spine = {f"chest{i}": family.spine[i] for i in range(4)}
    bones = named(body(spine=4), names | spine)
    # Daz and Character Creator have one bone for hips and trunk, and another one for the legs.
    bones = [(name, "pelvis" if name in ("lThighBend", "rThighBend") else parent, head) for name, parent, head in bones]
    bones.insert(1, ("pelvis", "hip", bones[0][2]))
    skeleton = build(bones)
    found = match_bones(renamed(skeleton) if anonymous else skeleton)
    assert {joint: skeleton.index[bone] for joint, bone in names.items()} == {
        joint: int(bone[1:]) if anonymous else skeleton.index[bone] for joint, bone in found.bones.items()
    }


def test_structure_completes_names_and_sides_follow_the_names() -> None:
    bones = body()
    odd = {
        name: f"x{i}" for i, (name, _, _) in enumerate(bones) if "right" in name or "chest" in name or name == "head"
    }
    found = match_bones(build(named([*bones, *hands(bones)], odd), np.random.default_rng(1)))
    assert found.bones == {joint: odd.get(joint, joint) for joint in JOINTS if not joint.startswith("spine")} | {
        f"spine{i + 1}": odd[f"chest{i}"] for i in range(3)
    }
    assert found.origins["left_knee"] == "name"
    assert found.origins["right_knee"] == "structure"


# A dog with the names of a man.
MAN_LIKE = {
    f"{side}_{leg}_{part}": f"{side}{name}"
    for side in SIDES
    for leg, names in {"hind": "UpLeg Leg Foot Toe", "fore": "Arm ForeArm Hand Finger"}.items()
    for part, name in zip(("upper", "lower", "paw", "toe"), names.split(), strict=True)
} | {"spine0": "Hips"}
BAD = {
    "quadruped": quadruped(),
    "quadruped with human names": named(quadruped(), MAN_LIKE),
    "one bone": [("Hips", "", (0.0, 0.0, 0.0))],
    "no bones": [],
    "points": [(name, parent, (0.0, 0.0, 0.0)) for name, parent, _ in body()],
    "a chain": [(f"b{i}", f"b{i - 1}" if i else "", (0.0, 0.1 * i, 0.0)) for i in range(30)],
    "no legs": without(body(), "hip", "knee", "ankle", "foot"),
    "one leg": without(body(), "left_hip", "left_knee", "left_ankle", "left_foot"),
    "no arms": without(body(), "collar", "shoulder", "elbow", "wrist"),
    "two characters": [*body(), *moved(body(), (1.5, 0.0, 0.0), ".001")],
    "two characters on one root": [
        ("root", "", (0.0, 0.0, 0.0)),
        *((name, parent or "root", head) for name, parent, head in body()),
        *((name, parent or "root", head) for name, parent, head in moved(body(), (0.0, 0.0, 1.2), "_b")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("anonymous", [False, True])
def test_what_is_no_body_is_refused_with_one_sentence(case: str, anonymous: bool) -> None:
    skeleton = build(BAD[case]) if BAD[case] else RigSkeleton((), (), np.zeros((0, 4, 4)), np.zeros(0))
    found = match_bones(renamed(skeleton) if anonymous else skeleton)
    with pytest.raises(PanacheError) as refusal:
        found.require()
    assert str(refusal.value).count(". ") == 0
    assert str(refusal.value).endswith(".")


def test_refusals_say_what_is_wrong() -> None:
    for case, sentence in (("two characters", "two characters"), ("quadruped with human names", "four legs")):
        with pytest.raises(UnmappedJointError, match=sentence):
            match_bones(build(BAD[case])).require()
    with pytest.raises(UnmappedJointError, match="left_hip"):
        match_bones(build(BAD["no legs"])).require()


def test_a_rest_pose_that_is_no_number_names_the_bone() -> None:
    skeleton = build(body())
    rest = skeleton.rest.copy()
    rest[4, 0, 3] = np.nan
    with pytest.raises(UnmappedJointError, match=skeleton.names[4]):
        match_bones(dataclasses.replace(skeleton, rest=rest)).require()


def test_sides_that_nothing_tells_are_not_guessed() -> None:
    flat = [(name, parent, (head[0], head[1], 0.0)) for name, parent, head in without(body(), "foot")]
    skeleton = build(flat)
    assert match_bones(skeleton).confidence == 1.0
    found = match_bones(renamed(skeleton))
    assert found.confidence < ACCEPTED
    assert len(found.bones) >= 18
    with pytest.raises(UnmappedJointError, match="certainty"):
        found.require()


def test_zero_length_bones_between_do_not_matter() -> None:
    bones: list[tuple[str, str, object]] = []
    for name, parent, head in body():
        bones += [(f"{name}_offset", parent, head), (name, f"{name}_offset", head)]
    skeleton = build(bones)  # type: ignore[arg-type]
    found = match_bones(renamed(skeleton))
    heads = {joint: skeleton.rest[int(bone[1:]), :3, 3] for joint, bone in found.bones.items()}
    expected = {joint: skeleton.rest[skeleton.index[joint], :3, 3] for joint in JOINTS if joint in skeleton.index}
    assert len(heads) >= 20
    assert all(np.allclose(heads[joint], expected[joint]) for joint in expected)
    found.require()


def test_the_users_map_wins_and_keeps_the_origins_of_what_stays() -> None:
    skeleton = build([*body(), ("glove", "left_elbow", (0.6, 1.4, 0.0))])
    found = match_bones(skeleton)
    chosen = corrected(found, found.bones | {"left_wrist": "glove", "neck": ""}, skeleton)
    assert chosen.bones["left_wrist"] == "glove"
    assert "neck" not in chosen.bones
    assert chosen.origins["left_wrist"] == "user"
    assert chosen.origins["left_elbow"] == "name"
    assert (chosen.family, chosen.confidence) == ("custom", 1.0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"left_wrist": "gone"}, "not in this armature"),
        ({"left_wrist": "left_elbow"}, "choose it once"),
        ({"left_knee": "left_ankle", "left_ankle": "left_knee"}, "wrong place"),
        ({"tail": "head"}, "no joint"),
    ],
)
def test_a_map_of_the_user_that_is_wrong_is_refused(change: dict[str, str], sentence: str) -> None:
    skeleton = build(body())
    found = match_bones(skeleton)
    with pytest.raises(BoneMapError, match=sentence):
        corrected(found, found.bones | change, skeleton)
    text = dump_map(BoneMap(found.bones | change), skeleton)
    if "tail" not in change:
        with pytest.raises(BoneMapFileError, match=sentence):
            parse_map(text, skeleton)


def test_a_file_gives_back_the_map() -> None:
    skeleton = build(body())
    found = match_bones(skeleton)
    assert parse_map(dump_map(found, skeleton), skeleton).bones == found.bones
    # The same body with a hat is another skeleton, but the map fits it.
    with_hat = build([*body(), ("hat", "head", (0.0, 1.9, 0.0))])
    assert parse_map(dump_map(found, skeleton), with_hat).bones == found.bones


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ("[]", "no bone map"),
        ('{"format": "something else"}', "no bone map"),
        ('{"format": "panache bone map", "version": 1, "bones": [1]}', "no list"),
        ('{"format": "panache bone map", "version": 1, "bones": {"head": 3}}', "no list"),
    ],
)
def test_other_files_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(BoneMapFileError, match=sentence):
        parse_map(text, build(body()))


def test_a_map_of_another_skeleton_is_refused() -> None:
    other = build(named(body(), {"head": "Kopf"}))
    text = dump_map(match_bones(other), other)
    assert json.loads(text)["bones"]["head"] == "Kopf"
    with pytest.raises(BoneMapFileError, match="another skeleton"):
        parse_map(text, build(body()))


def test_the_signature_knows_names_and_parents_only() -> None:
    skeleton = build(body())
    turned = placed(skeleton, np.array([0.5, 0.5, 0.5, 0.5]), 3.0)
    assert signature(turned) == signature(skeleton)
    other_order = [bone for bone in body() if "left" not in bone[0]] + [bone for bone in body() if "left" in bone[0]]
    assert signature(build(other_order)) == signature(skeleton)
    assert signature(build(named(body(), {"head": "Head"}))) != signature(skeleton)
    moved_up = [(n, "chest1" if n == "neck" else p, h) for n, p, h in body()]
    assert signature(build(moved_up)) != signature(skeleton)


def test_required_joints_are_named_when_they_are_missing() -> None:
    with pytest.raises(UnmappedJointError, match="left_hip, left_knee"):
        BoneMap({joint: joint for joint in JOINTS if "left" not in joint}).require()
    BoneMap({joint: joint for joint in REQUIRED_JOINTS}).require()
