# SPDX-License-Identifier: GPL-3.0-or-later
# A module inside Blender without annotations; see the stub of bpy.
# pyright: reportIncompleteStub=false
from typing import Any

def __getattr__(name: str) -> Any: ...  # noqa: ANN401
