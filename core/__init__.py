# SPDX-License-Identifier: GPL-3.0-or-later
"""Panache's core: motion, retargeting, transfer. Pure numpy, no Blender, no torch.

Conventions, stated once and used everywhere below this package:

* metres and seconds; right-handed, **Y up, facing +Z** at rest, so the character's left is +X;
* quaternions are ``wxyz``, unit length, ``(..., 4)``; matrices act on columns, ``(..., 3, 3)``;
* a row is a frame: time is the first axis of a clip, every leading dimension is a batch;
* a *global* rotation maps the canonical T-pose to the pose in the world (identity = T-pose);
  a *local* one is relative to the canonical parent joint;
* floats are ``float64`` inside core; the engine boundary is ``float32``.

``blender_addon/rig/space.py`` is the only place that converts from Blender's Z-up space.
"""
