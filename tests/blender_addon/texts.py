# SPDX-License-Identifier: GPL-3.0-or-later
"""Every English text of the interface: from the registered classes, and from the literals of the sources."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import bpy

# Functions whose first argument is shown, and arguments that are, whatever the function.
_SPEAKING = {"say", "label", "shown", "noted", "poll_message_set"}
_SHOWN_ARGUMENTS = {"text", "heading", "title", "confirm_text"}


def texts_of_classes(classes: Iterable[type]) -> Iterator[str]:
    """Labels and tooltips of panels, menus, operators and properties."""
    for cls in classes:
        if issubclass(cls, bpy.types.Operator | bpy.types.Panel | bpy.types.Menu):
            yield cls.bl_label
            yield getattr(cls, "bl_description", "")
        for prop in properties_of(cls):
            yield prop.name
            yield prop.description
            for item in getattr(prop, "enum_items_static", ()):
                yield item.name
                yield item.description


def properties_of(cls: type) -> list[Any]:
    """What Panache declared and does not hide, of operators too, whose properties their class does not have."""
    kind = cls.bl_rna
    if issubclass(cls, bpy.types.Operator):
        kind = getattr(bpy.ops.panache, cls.bl_idname.partition(".")[2]).get_rna_type()
    bases = [base for base in cls.__mro__ if base.__module__.startswith("bl_ext")]
    own = {name for base in bases for name in vars(base).get("__annotations__", {})}
    return [prop for prop in kind.properties if prop.identifier in own and not prop.is_hidden]


def texts_of_sources(folder: Path) -> Iterator[str]:
    """Literals that are drawn, reported, or shown as progress."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _texts_of_call(node, constants)
        if path.name == "blocking.py":
            yield from _returned(tree)
        if path.name == "style_statistics.py":
            yield from _warned(tree, constants)


def _constants(tree: ast.Module) -> dict[str, str]:
    """Texts that have a name in the module."""
    found: dict[str, str] = {}
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        for name, value in _paired(target, getattr(node, "value", None)):
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[name.id] = value.value
    return found


def _paired(target: ast.expr | None, value: ast.expr | None) -> Iterator[tuple[ast.expr | None, ast.expr | None]]:
    """What is assigned to what, of several at once too."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _texts_of_call(call: ast.Call, constants: dict[str, str]) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    shown = [keyword.value for keyword in call.keywords if keyword.arg in _SHOWN_ARGUMENTS]
    if name in _SPEAKING:
        shown += call.args[:1]
    elif name in {"report", "Progress"}:
        shown += call.args[1:2]
    elif name == "draw_sentence":
        shown += call.args[2:3]
    elif name == "scaled":
        shown += call.args[3:4]
    for argument in shown:
        yield from _literals(argument, constants)


def _literals(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second]):
            yield from _literals(first, constants)
            yield from _literals(second, constants)
        case _:
            pass


def _returned(tree: ast.Module) -> Iterator[str]:
    """Reasons are returned as they are, and translated where they are shown."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from _literals(node.value, {})
            if isinstance(node.value, ast.IfExp):
                yield from _literals(node.value.body, {})


def _warned(tree: ast.Module, constants: dict[str, str]) -> Iterator[str]:
    """Warnings, which are the keys of what they depend on, and which the panel shows as they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Name):
                    yield from _literals(key, constants)
