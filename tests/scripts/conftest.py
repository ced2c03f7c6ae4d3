# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of training and evaluation share; torch is imported where it is needed: some environments have none."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scripts.evaluation.library import Library


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where data.npz and small.toml lie, for a module's training runs."""
    from .synthetic import write_small_run

    folder = tmp_path_factory.mktemp("training")
    write_small_run(folder)
    return folder


@pytest.fixture(scope="session")
def takes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from .takes import write_takes

    folder = tmp_path_factory.mktemp("takes")
    write_takes(folder)
    return folder


@pytest.fixture(scope="session")
def takes_dataset(takes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from .takes import write_labels

    path = tmp_path_factory.mktemp("data") / "data.npz"
    write_labels(path, takes_folder)
    return path


@pytest.fixture(scope="session")
def library(takes_folder: Path, takes_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> "Library":
    from scripts.evaluation.library import load_library

    return load_library(takes_dataset, takes_folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def library_weights(library: "Library", tmp_path: Path) -> Path:
    from .takes import write_weights

    return write_weights(tmp_path / "bandai-namco.safetensors", library)


@pytest.fixture
def quick_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts import evaluate
    from scripts.evaluation.judges import open_bench

    from .takes import QUICK

    monkeypatch.setattr(evaluate, "open_bench", partial(open_bench, config=QUICK))
