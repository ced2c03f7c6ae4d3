# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion and body model files of the SMPL family, made by arithmetic: the real ones may not be passed on."""

from pathlib import Path
from typing import Any

import numpy as np

from core.smpl.joints import joint_tree, mean_body

Arrays = dict[str, np.ndarray]

# Half an octahedron's diagonal, metres.
_SIZE = 0.05
_CORNERS = _SIZE * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)
_SIDES = [(a, b, c) for a in (0, 1) for b in (2, 3) for c in (4, 5)]


def walk_poses(model: str = "smplh", frames: int = 60, fps: float = 30.0) -> np.ndarray:
    """(T, J, 3) axis-angle vectors of a walk in a Z-up world, towards -Y, with some unrest in every joint."""
    names, _ = joint_tree(model)
    at = {name: i for i, name in enumerate(names)}
    phase = 2.0 * np.pi * 0.9 * np.arange(frames) / fps
    rng = np.random.default_rng(len(names))
    speed, shift = rng.uniform(0.3, 2.0, (len(names), 3)), rng.uniform(0.0, 6.0, (len(names), 3))
    poses = 0.04 * np.sin(phase[:, None, None] * speed + shift)
    poses[:, 0] += [np.pi / 2, 0.0, 0.0]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)
        poses[:, at[f"{side}_hip"], 0] -= 0.45 * swing
        poses[:, at[f"{side}_knee"], 0] += 0.35 * (1.0 + sign * np.sin(phase + 2.0))
        poses[:, at[f"{side}_shoulder"], 2] -= sign * 1.2
        poses[:, at[f"{side}_elbow"], 1] -= sign * (0.5 + 0.2 * swing)
    return poses


def walk_path(frames: int = 60, fps: float = 30.0) -> np.ndarray:
    """(T, 3) trans of the walk."""
    seconds = np.arange(frames) / fps
    return np.stack([0.02 * np.sin(6.0 * seconds), -1.1 * seconds, 1.15 + 0.02 * np.cos(11.0 * seconds)], axis=-1)


def amass_h(frames: int = 60, fps: float = 120.0) -> Arrays:
    """As AMASS for SMPL-H."""
    rng = np.random.default_rng(0)
    return {
        "trans": walk_path(frames, fps),
        "gender": np.array("female"),
        "mocap_framerate": np.array(fps),
        "betas": rng.normal(0.0, 1.0, 16),
        "dmpls": rng.normal(0.0, 1.0, (frames, 8)),
        "poses": walk_poses("smplh", frames, fps).reshape(frames, -1),
    }


def amass_x(frames: int = 60, fps: float = 120.0) -> Arrays:
    """As AMASS' SMPL-X release: the pose as a whole and again in parts, and a pickled dictionary beside it."""
    poses = walk_poses("smplx", frames, fps).reshape(frames, -1)
    return {
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(fps),
        "mocap_time_length": np.array(frames / fps),
        "markers_latent": np.zeros((41, 3)),
        "latent_labels": np.array(["ARIEL", "C7"]),
        "markers_latent_vids": np.array({"ARIEL": 9011}, dtype=object),
        "trans": walk_path(frames, fps),
        "poses": poses,
        "betas": np.zeros(16),
        "num_betas": np.array(16),
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:66],
        "pose_hand": poses[:, 75:],
        "pose_jaw": poses[:, 66:69],
        "pose_eye": poses[:, 69:75],
    }


def smplify(frames: int = 60) -> Arrays:
    """As fits to video are saved under the smplx package's names: single precision, odd shapes, Y up, no rate."""
    poses = walk_poses("smpl", frames).astype(np.float32)
    poses[:, 0, 0] -= np.float32(np.pi / 2)
    path = walk_path(frames)[:, [0, 2, 1]].astype(np.float32)
    path[:, 2] *= -1.0
    return {
        "global_orient": poses[:, :1],
        "body_pose": poses[:, 1:],
        "transl": path[:, None],
        "betas": np.zeros((frames, 10), np.float32),
        "gender": np.array([b"male"]),
    }


def write(path: Path, arrays: Arrays) -> Path:
    np.savez(path, **arrays)
    return path


def body_model(model: str = "smplh", shapes: int = 16) -> dict[str, Any]:
    """The arrays of a small body model: an octahedron round each joint, each bent by its joint and the one above."""
    names, parents = joint_tree(model)
    rng = np.random.default_rng(7)
    joints, corners = len(names), len(_CORNERS)
    # Not the mean body: a mix-up of the two must show.
    rest = mean_body(model).rest * 1.1 + 0.01
    owner = np.repeat(np.arange(joints), corners)
    weights = np.zeros((len(owner), joints))
    weights[np.arange(len(owner)), owner] = 0.75
    weights[np.arange(len(owner)), np.maximum(np.array(parents), 0)[owner]] += 0.25
    tree = np.array([parents, range(joints)])
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": (rest[:, None] + _CORNERS).reshape(-1, 3),
        "shapedirs": rng.normal(0.0, 0.003, (len(owner), 3, shapes)),
        "J_regressor": (owner == np.arange(joints)[:, None]) / corners,
        "posedirs": np.zeros((len(owner), 3, 9 * (joints - 1))),
        "weights": weights,
        "kintree_table": tree.astype(np.uint32),
        "f": np.array([[corners * joint + side for side in sides] for joint in range(joints) for sides in _SIDES]),
        "part2num": np.array({"pelvis": 0}, dtype=object),
    }


def posed(poses: np.ndarray, trans: np.ndarray, rest: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """(T, J, 4, 4) where the joints are in the file's world, by Rodrigues' formula and products of matrices."""
    frames, joints = poses.shape[:2]
    world = np.tile(np.eye(4), (frames, joints, 1, 1))
    for frame in range(frames):
        for joint in range(joints):
            local = np.eye(4)
            local[:3, :3] = rodrigues(poses[frame, joint])
            local[:3, 3] = rest[joint] - (rest[parents[joint]] if joint else -trans[frame])
            world[frame, joint] = (world[frame, parents[joint]] if joint else np.eye(4)) @ local
    return world


def rodrigues(vector: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of an axis-angle vector."""
    angle = np.linalg.norm(vector)
    x, y, z = vector / angle if angle > 0.0 else vector
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def skinned(vertices: np.ndarray, weights: np.ndarray, world: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(T, V, 3) by linear blend skinning."""
    moved = world.copy()
    moved[..., :3, 3] -= np.einsum("tjab,jb->tja", world[..., :3, :3], rest)
    whole = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    return np.einsum("vj,tjab,vb->tva", weights, moved, whole)[..., :3]
