# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest

from scripts import ablate, train
from scripts.ablate import VARIANTS, Options, lend_autoencoder
from scripts.training.settings import Settings, load_settings, override

from .synthetic import write_dataset
from .test_train import SMALL


def test_every_variant_changes_something() -> None:
    texts = [override(Settings(), changes).to_json() for changes in VARIANTS.values()]
    assert len(set(texts)) == len(texts)
    assert override(Settings(), VARIANTS["full"]) == Settings()


def test_an_autoencoder_is_lent_to_those_who_would_train_the_same(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data.npz")
    (tmp_path / "small.toml").write_text(SMALL)
    files = ["--data", str(tmp_path / "data.npz"), "--settings", str(tmp_path / "small.toml"), "--steps", "1"]
    base = tmp_path / "base"
    target = ["--out", str(base), "--weights", str(tmp_path / "w.safetensors"), "--device", "cpu", "--threads", "1"]
    assert train.main([*files, *target]) == 0
    settings = load_settings(tmp_path / "small.toml").with_steps(1)
    for changes, is_lent in (
        ({"style_weights": {"cycle": 0.0}}, True),
        ({"swaps": {"learned_prior": False}}, True),
        ({"pose_weights": {"divergence": 1e-3}}, False),
        ({"augmentation": {"mirror": 0.0}}, False),
    ):
        out = tmp_path / str(sorted(changes))
        out.mkdir()
        lend_autoencoder(base, out, override(settings, changes))
        assert (out / "autoencoder.pt").exists() == is_lent, changes


def test_a_variant_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ablate.main(["archive", "--variants", "full,no-such-thing"])
    assert "no-such-thing" in capsys.readouterr().err


def test_files_are_named_by_what_was_trained() -> None:
    options = Options(Path(), ("full",), Path(), Path(), Path(), 800, ("run", "walk"), 7, 1, Path())
    assert ablate.tag(options) == "800-without-run-without-walk"
