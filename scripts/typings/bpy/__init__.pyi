# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's module has no annotations of its own, and the generated ones disagree with it from version to version:
# for the type checker it is Any, and the tests inside Blender are what checks its use.
# pyright: reportIncompleteStub=false
from typing import Any

def __getattr__(name: str) -> Any: ...  # noqa: ANN401
