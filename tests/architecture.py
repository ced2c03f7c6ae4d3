# SPDX-License-Identifier: GPL-3.0-or-later
"""The house rules that linters do not know, read off the syntax tree of one file at a time.

``complaints(path, source)`` says what is wrong with a file; test_architecture.py asks it about the whole tree, and
about small bad snippets, to be sure that it can complain.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from core.representation import FEATURES

PACKAGES = ("blender_addon", "core", "models", "scripts", "tests")
EXTENSION = ("blender_addon", "core", "models")

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400
MAX_PARAMETERS = 5

_LICENCE = "# SPDX-License-Identifier: GPL-3.0-or-later"

# Third-party packages by the longest matching path; scripts and tests may use any.
_THIRD_PARTY = {
    "blender_addon": {"blf", "bpy", "bpy_extras", "gpu", "gpu_extras", "mathutils", "numpy"},
    "blender_addon/backend.py": {"bpy", "torch"},
    "core": {"numpy"},
    "core/engines": {"numpy", "onnxruntime", "requests"},
    "models": {"numpy", "torch"},
}
# A user of the extension may lack these: only the function that needs one imports it. Only models is made of torch.
_LAZY = {"onnxruntime", "requests", "torch"}
# Threads freeze or crash Blender; pickles run code.
_BANNED = {"threading", "_thread", "concurrent", "pickle", "shelve", "marshal"}

# The extension's one door to its siblings, and those that it must not open before it needs to.
_DOOR, _BEHIND_IT, _OPENED_LATE = "blender_addon/backend.py", {"core", "models"}, {"models"}

# Where feature offsets are computed, and what they are: small ones are too common to be told from other numbers.
_FEATURE_OWNERS = {"core/representation.py", "models/layout.py"}
_OFFSETS = {sum(width for _, width in FEATURES[:end]) for end in range(len(FEATURES) + 1)}
_TELLTALE_OFFSETS = {offset for offset in _OFFSETS if offset > 32} - {64, 128, 192, 256}

# Parts whose progress is a share of the whole already.
_TOLD = {"scaled", "answered", "run_command"}

Complaint = tuple[int, str]


def complaints(path: str, source: str) -> list[str]:
    """Everything that breaks a rule in a file at ``path``, relative to the repository, as ``path:line: sentence``."""
    tree = ast.parse(source)
    found = [*_file(source), *_functions(tree), *_globals(tree)]
    if path.startswith(EXTENSION):
        found += [*_imports(path, tree), *_calls(tree), *_side_effects(tree), *_progress(tree)]
    if not path.startswith("tests") and path not in _FEATURE_OWNERS:
        found += _feature_offsets(tree)
    return [f"{path}:{line}: {what}" for line, what in sorted(found)]


def _file(source: str) -> Iterator[Complaint]:
    lines = source.splitlines()
    if not lines:
        return
    head = lines[1:2] if lines[0].startswith("#!") else lines[:1]
    if head != [_LICENCE]:
        yield 1, "the file does not begin with its SPDX licence line"
    if len(lines) > MAX_FILE_LINES:
        yield len(lines), f"the file has {len(lines)} lines, more than {MAX_FILE_LINES}"


# -- functions ---------------------------------------------------------------------------------------------------------


def _functions(tree: ast.Module) -> Iterator[Complaint]:
    methods = {id(item) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function(node, is_method=id(node) in methods)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> Iterator[Complaint]:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > MAX_FUNCTION_LINES:
        yield node.lineno, f"{node.name} has {lines} lines, more than {MAX_FUNCTION_LINES}"
    parameters = _parameters(node, is_method=is_method)
    if len(parameters) > MAX_PARAMETERS:
        yield node.lineno, f"{node.name} has {len(parameters)} parameters, more than {MAX_PARAMETERS}"
    for parameter in parameters:
        if parameter.annotation is None:
            yield parameter.lineno, f"parameter {parameter.arg} of {node.name} has no type"
    if node.returns is None:
        yield node.lineno, f"{node.name} has no return type"


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> list[ast.arg]:
    """All parameters but self and cls."""
    names = node.args
    variadic = [argument for argument in (names.vararg, names.kwarg) if argument]
    static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in node.decorator_list)
    positional = [*names.posonlyargs, *names.args][1 if is_method and not static else 0 :]
    return [*positional, *names.kwonlyargs, *variadic]


# -- imports -----------------------------------------------------------------------------------------------------------


def _imports(path: str, tree: ast.Module) -> Iterator[Complaint]:
    inside = {id(node) for function in _function_bodies(tree) for node in ast.walk(function)}
    for node in ast.walk(tree):
        lazy = id(node) in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _absolute(path, alias.name, node.lineno, lazy=lazy)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from _absolute(path, node.module or "", node.lineno, lazy=lazy)
        elif isinstance(node, ast.ImportFrom):
            yield from _relative(path, node, lazy=lazy)


def _function_bodies(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from node.body


def _absolute(path: str, module: str, line: int, *, lazy: bool) -> Iterator[Complaint]:
    root = module.partition(".")[0]
    if root in PACKAGES:
        yield line, f"absolute import of {root}: inside Blender there is no such package, use a relative one"
    elif root in _BANNED:
        yield line, f"{root} has no place in the extension"
    elif root not in sys.stdlib_module_names and root not in _third_party(path):
        yield line, f"{root} is not for this package"
    elif root in _LAZY and not lazy and not path.startswith("models/"):
        yield line, f"{root} may be missing: import it in the function that needs it"


def _third_party(path: str) -> set[str]:
    places = [path, *(str(folder) for folder in PurePosixPath(path).parents)]
    return next((_THIRD_PARTY[place] for place in places if place in _THIRD_PARTY), set())


def _relative(path: str, node: ast.ImportFrom, *, lazy: bool) -> Iterator[Complaint]:
    here = PurePosixPath(path).parent.parts
    base = here[: len(here) - (node.level - 1)]
    if base:
        return
    targets = {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
    if path != _DOOR or node.level > len(here) + 1:
        yield node.lineno, f"{'.' * node.level} leads out of {here[0]}: only {_DOOR} may do that"
    elif not targets <= _BEHIND_IT:
        yield node.lineno, f"{', '.join(sorted(targets - _BEHIND_IT))} is not behind the door to core and models"
    elif targets & _OPENED_LATE and not lazy:
        yield node.lineno, "models is imported at the top: do it in the function that needs it"


# -- progress ----------------------------------------------------------------------------------------------------------


def _progress(tree: ast.Module) -> Iterator[Complaint]:
    """Parts of longer work that are handed on as they are: each knows only its own way from 0 to 1."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _makes_steps(node):
            yields = [(inner, loops) for inner, loops in _own_yields(node) if not _keeps_its_share(inner)]
            all_of_it = len(list(_own_yields(node))) == 1 and not any(loops for _, loops in yields)
            for inner, _ in yields if not all_of_it else ():
                yield inner.lineno, f"{node.name} hands on the progress of a part: give it its share with scaled"


def _makes_steps(node: ast.FunctionDef) -> bool:
    match node.returns:
        case ast.Subscript(value=ast.Name(id="Steps" | "Trials")):
            return True
        case _:
            return False


def _own_yields(node: ast.AST, loops: bool = False) -> Iterator[tuple[ast.Yield | ast.YieldFrom, bool]]:
    """What a function yields itself, and whether it may do so several times."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.Lambda):
            continue
        inside = loops or isinstance(child, ast.For | ast.While | ast.comprehension)
        if isinstance(child, ast.Yield | ast.YieldFrom):
            yield child, loops
        yield from _own_yields(child, inside)


def _keeps_its_share(node: ast.Yield | ast.YieldFrom) -> bool:
    """A plain yield, a part with its share, or a wait that is told what to yield."""
    match node:
        case ast.Yield():
            return True
        case ast.YieldFrom(value=ast.Call(func=ast.Name(id=name))):
            return name in _TOLD
        case _:
            return False


# -- what is called ----------------------------------------------------------------------------------------------------


def _calls(tree: ast.Module) -> Iterator[Complaint]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno, "print: the extension reports or logs"
            case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module" | "__import__")):
                yield node.lineno, "an import that cannot be checked"
            case ast.Attribute(attr="keyframe_insert"):
                yield node.lineno, "keyframe_insert: curves are written whole, with foreach_set"
            case ast.Attribute(value=ast.Name(id="context") | ast.Attribute(attr="context"), attr="layer_collection"):
                # 4.2 notes the scene as the context's owner, and trusts that note when the scene is long gone.
                yield node.lineno, "context.layer_collection breaks the context of 4.2: ask the view layer"
            case ast.Attribute(value=ast.Name(id="sys"), attr="path" | "modules" as name):
                yield node.lineno, f"sys.{name} belongs to Blender"
            case _:
                pass


def _side_effects(tree: ast.Module) -> Iterator[Complaint]:
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="setflags"))):
                pass  # a constant array is made read-only
            case ast.Expr(value=ast.Call()):
                yield node.lineno, "a call while the module is imported"
            case _:
                pass


def _globals(tree: ast.Module) -> Iterator[Complaint]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield node.lineno, f"global {', '.join(node.names)}"


# -- features ----------------------------------------------------------------------------------------------------------


def _feature_offsets(tree: ast.Module) -> Iterator[Complaint]:
    """Integers that look into a feature vector: by the name of what is subscripted, or by their own value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is_features(node.value) and _counts_columns(node.slice):
            yield node.lineno, "a feature by its number: ask core.representation for the slice by name"
        elif isinstance(node, ast.Constant) and type(node.value) is int and node.value in _TELLTALE_OFFSETS:
            yield node.lineno, f"{node.value} is an offset into the feature vector: ask core.representation"


def _is_features(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return "feature" in name.lower()


def _counts_columns(index: ast.expr) -> bool:
    """Whether the last of several axes is picked by integers, as in ``[..., 4:]`` and ``[:, 0]``."""
    if not isinstance(index, ast.Tuple):
        return False
    last = index.elts[-1]
    picked = [last.lower, last.upper] if isinstance(last, ast.Slice) else [last]
    return any(isinstance(part, ast.Constant | ast.UnaryOp) for part in picked)
