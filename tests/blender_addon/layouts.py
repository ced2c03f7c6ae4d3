# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that remembers what is drawn; Blender has no other without a window."""

from types import SimpleNamespace
from typing import Any

import bpy


class Layout:
    """Remembers texts, properties and operators, and refuses what Blender would refuse."""

    def __init__(self, content: list[str] | None = None) -> None:
        self.content = content if content is not None else []
        self.enabled = self.active = True

    def row(self, **_options: Any) -> "Layout":
        return Layout(self.content)

    column = split = box = row

    def label(self, *, text: str = "", icon: str = "NONE", **_options: Any) -> None:
        assert icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        self.content.append(text)

    def prop(self, data: Any, name: str, **_options: Any) -> None:
        assert name in data.bl_rna.properties
        # Reading it calls the callbacks of dynamic items, as drawing does.
        getattr(data, name)
        self.content.append(name)

    template_icon_view = prop

    def prop_search(self, data: Any, name: str, source: Any, collection: str, **_options: Any) -> None:
        assert getattr(data, name) in {"", *getattr(source, collection).keys()}
        self.content.append(getattr(data, name))

    def operator(self, name: str, **_options: Any) -> SimpleNamespace:
        assert hasattr(bpy.types, name.replace("panache.", "PANACHE_OT_")), name
        self.content.append(name)
        return SimpleNamespace()

    def progress(self, *, text: str, factor: float, **_options: Any) -> None:
        assert 0.0 <= factor <= 1.0
        self.content.append(text)

    def menu(self, name: str, **_options: Any) -> None:
        self.content.append(name)

    def separator(self, **_options: Any) -> None:
        pass


def drawn(panel: type, method: str = "draw") -> list[str]:
    """Everything that a panel or menu draws now, in order."""
    layout = Layout()
    getattr(panel, method)(SimpleNamespace(layout=layout), bpy.context)
    return layout.content
