# SPDX-License-Identifier: GPL-3.0-or-later
"""Real worker processes: they compute what the engines in Blender compute, and whatever happens to them is survived."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.engines import RANDOM, Cue, StyleNetwork
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.errors import EngineError
from core.steps import finish
from core.worker.client import RemoteNetwork, Worker, WorkerState
from core.worker.process import WorkerCommand
from core.worker.session import Limits
from models.bundle import read_bundle

from .worker_networks import ROOT, WEIGHTS, clip
from .workers import answer_of, command, description, is_running, python_with_torch, until, worker

Start = Callable[..., Worker]
Say = Callable[[str], None]


@pytest.fixture
def start() -> Iterator[Start]:
    """Makes workers, and ends them after the test."""
    made: list[Worker] = []

    def make(network: str, limits: Limits | None = None) -> Worker:
        made.append(worker(network, limits))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Prints a measured figure, whether pytest shows output or not."""

    def show(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return show


@pytest.fixture(scope="module")
def local() -> NumpyNetwork:
    return NumpyNetwork(read_bundle(WEIGHTS))


def conditions(network: StyleNetwork, styles: int, seed: int = 0) -> np.ndarray:
    size = network.style_size + len(network.styles)
    return np.random.default_rng(seed).normal(size=(styles, size)).astype(np.float32)


def remote(of: Worker) -> RemoteNetwork:
    return RemoteNetwork(of, description())


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_the_worker_computes_what_blender_computes(start: Start, local: NumpyNetwork, say: Say) -> None:
    began = time.monotonic()
    one = start("torch")
    far, features = remote(one), clip(160)
    one.start()
    until(lambda: one.poll() or one.state is not WorkerState.STARTING)
    assert one.ready, one.trouble
    say(f"worker ready after {time.monotonic() - began:.2f} s ({one.ready})")
    for mine, theirs in (
        (local.style_gaussian(features), far.style_gaussian(features)),
        (local.reconstruct(features), far.reconstruct(features)),
        (local.content_code(features), far.content_code(features)),
        (local.stylize(features, conditions(local, 5)), far.stylize(features, conditions(local, 5))),
    ):
        found = answer_of(theirs)
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float32
        assert found.shape == mine.shape
        assert np.abs(found - mine).max() < 1e-4


@pytest.mark.parametrize("frames", [40, 700])
def test_an_engine_does_not_notice_where_its_network_runs(start: Start, local: NumpyNetwork, frames: int) -> None:
    features, cues = clip(frames), [Cue(RANDOM, seed=3), Cue(RANDOM, seed=4)]
    mine, theirs = (finish(StyleEngine(network).stylize(features, cues)) for network in (local, remote(start("torch"))))
    for a, b in zip([mine[0], *mine[1]], [theirs[0], *theirs[1]], strict=True):
        assert np.abs(a - b).max() < 1e-4


def test_questions_are_answered_in_any_order(start: Start, local: NumpyNetwork) -> None:
    far, clips = remote(start("works")), [clip(20 + 7 * number, number) for number in range(5)]
    pending = [far.style_gaussian(features) for features in clips]
    for features, waiting in reversed(list(zip(clips, pending, strict=True))):
        np.testing.assert_array_equal(answer_of(waiting), local.style_gaussian(features))


def test_questions_may_be_put_before_the_worker_is_ready(start: Start, local: NumpyNetwork) -> None:
    one = start("is_slow_to_start")
    pending = remote(one).style_gaussian(clip(20))
    assert pending.result() is None
    assert one.state is WorkerState.STARTING
    np.testing.assert_array_equal(answer_of(pending), local.style_gaussian(clip(20)))
    assert one.state is WorkerState.READY


def test_too_little_memory_is_made_up_for_and_told(start: Start, local: NumpyNetwork) -> None:
    one = start("is_cramped")
    far = remote(one)
    found = answer_of(far.stylize(clip(20), conditions(local, 5)))
    np.testing.assert_allclose(found, local.stylize(clip(20), conditions(local, 5)), atol=1e-5)
    assert one.take_notes() == ["CUDA had too little memory for 5 styles at once: 2 at a time now."]
    answer_of(far.stylize(clip(20), conditions(local, 5)))
    assert one.take_notes() == []
    answer_of(far.stylize(clip(200), conditions(local, 1)))
    assert one.take_notes() == [
        "CUDA had too little memory for this clip: the CPU is used instead, which takes longer."
    ]
    with pytest.raises(EngineError, match="close other programs"):
        answer_of(far.reconstruct(clip(20)))
    answer_of(far.style_gaussian(clip(200)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits a process's memory as Linux does")
def test_torch_out_of_memory_runs_smaller_batches(start: Start, local: NumpyNetwork, say: Say) -> None:
    one = start("has_torch_and_little_memory")
    found = answer_of(remote(one).stylize(clip(512), conditions(local, 128)))
    notes = one.take_notes()
    say(" ".join(notes))
    assert "CPU had too little memory for 128 styles at once: 64 at a time now." in notes
    np.testing.assert_allclose(found[:1], local.stylize(clip(512), conditions(local, 128)[:1]), atol=1e-4)


def test_what_the_network_refuses_is_a_sentence_and_no_crash(start: Start) -> None:
    one = start("fails")
    with pytest.raises(EngineError, match=r"^The clip has values that are not finite: look for broken keys"):
        answer_of(remote(one).reconstruct(clip(20)))
    pid = one.pid
    answer_of(remote(one).style_gaussian(clip(20)))
    assert one.pid == pid


# -- ends --------------------------------------------------------------------------------------------------------------


def test_killed_at_ten_random_moments(start: Start, local: NumpyNetwork, say: Say) -> None:
    """Each time the question ends, with its answer or with a sentence, and the next one is answered."""
    one, draw = start("works"), random.Random(7)  # noqa: S311 - a test wants the same numbers each time
    far, features, asked = remote(one), clip(160), conditions(local, 16)
    expected, outcomes = local.style_gaussian(features), []
    for round_number in range(10):
        pending = far.stylize(features, asked)
        # Half of the moments while it starts, half while it computes.
        if round_number % 2:
            until(lambda: one.poll() or one.state is WorkerState.READY)
        deadline = time.monotonic() + draw.uniform(0.0, 0.3)
        while time.monotonic() < deadline and pending.result() is None:
            pass
        os.kill(one.pid, signal.SIGKILL)
        try:
            answer_of(pending)
            outcomes.append("answered")
        except EngineError as error:
            assert "run it again" in str(error)
            outcomes.append("ended")
        # It may also have died after its last answer, and nobody has noticed yet.
        until(lambda: one.poll() or one.state is not WorkerState.READY)
        np.testing.assert_allclose(answer_of(far.style_gaussian(features)), expected, atol=1e-6)
        if round_number % 2 == 0:
            one.stop()
    say(f"killed at ten moments: {outcomes}")
    assert "ended" in outcomes


def test_a_crash_is_told_with_the_last_lines_and_the_next_question_starts_anew(local: NumpyNetwork) -> None:
    one = Worker(command("crashes"), description(), mask=lambda text: text.replace(str(Path.home()), "~"))
    with pytest.raises(EngineError) as caught:
        answer_of(remote(one).reconstruct(clip(20)))
    sentence = str(caught.value)
    assert "exit status 7" in sentence
    assert sentence.endswith("first of many | the disk at ~ is on fire")
    assert one.state is WorkerState.BROKEN
    assert one.trouble == sentence
    np.testing.assert_array_equal(answer_of(remote(one).style_gaussian(clip(20))), local.style_gaussian(clip(20)))
    assert one.state is WorkerState.READY
    one.stop()
    assert one.state is WorkerState.OFF


def test_an_answer_nobody_waits_for_holds_nobody_up(start: Start, local: NumpyNetwork, say: Say) -> None:
    """Cancel: whoever lets go of the answer goes on at once; what does not end in time is ended."""
    one = start("hangs")
    far = remote(one)
    answer_of(far.style_gaussian(clip(20)))
    busy = one.pid
    pending = far.reconstruct(clip(20))
    assert pending.result() is None
    del pending
    began = time.monotonic()
    until(lambda: one.poll() or not is_running(busy))
    say(f"the cancelled worker was gone after {time.monotonic() - began:.2f} s")
    np.testing.assert_array_equal(answer_of(far.style_gaussian(clip(20))), local.style_gaussian(clip(20)))
    assert one.pid != busy
    assert not one.trouble


def test_a_question_behind_a_cancelled_one_moves_to_the_next_worker(start: Start, local: NumpyNetwork) -> None:
    one = start("hangs")
    far = remote(one)
    far.reconstruct(clip(20))
    np.testing.assert_array_equal(answer_of(far.style_gaussian(clip(20))), local.style_gaussian(clip(20)))


def test_a_closed_engine_forgets_its_question(start: Start) -> None:
    one = start("works")
    steps = StyleEngine(remote(one)).stylize(clip(700), [Cue(RANDOM)])
    next(steps)
    steps.close()
    answer_of(remote(one).style_gaussian(clip(20)))
    assert one.state is WorkerState.READY


def test_silence_ends_a_worker_with_a_sentence(start: Start) -> None:
    one = start("hangs", Limits(answer=0.5))
    with pytest.raises(EngineError, match="no answer for 0 seconds and was ended"):
        answer_of(remote(one).reconstruct(clip(20)))
    answer_of(remote(one).style_gaussian(clip(20)))


def test_a_start_without_end_is_ended(start: Start) -> None:
    with pytest.raises(EngineError, match="no answer"):
        answer_of(remote(start("hangs_at_start", Limits(start=0.5))).style_gaussian(clip(20)))


def test_an_idle_worker_is_asked_whether_it_lives(start: Start) -> None:
    one = start("works", Limits(ping=0.05, answer=0.5))
    answer_of(remote(one).style_gaussian(clip(20)))
    os.kill(one.pid, signal.SIGSTOP)
    until(lambda: one.poll() or one.state is WorkerState.BROKEN)
    assert "no answer" in one.trouble


def test_an_idle_worker_stays(start: Start) -> None:
    one = start("works", Limits(ping=0.02, answer=20.0))
    answer_of(remote(one).style_gaussian(clip(20)))
    pid, deadline = one.pid, time.monotonic() + 0.5
    while time.monotonic() < deadline:
        one.poll(0.005)
    assert (one.pid, one.state) == (pid, WorkerState.READY)


PARENT = """
import sys
from tests.core.worker_networks import clip
from tests.core.workers import answer_of, description, worker
from core.worker.client import RemoteNetwork
one = worker(sys.argv[1])
network = RemoteNetwork(one, description())
pending = network.style_gaussian(clip(20))
if sys.argv[2] == "ready":
    answer_of(pending)
print(one.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("network", "moment"), [("works", "ready"), ("works", "starting"), ("torch", "starting")])
def test_a_worker_ends_when_blender_dies(network: str, moment: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, network, moment], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.communicate()
    until(lambda: not is_running(child))


# -- refusals ----------------------------------------------------------------------------------------------------------


def refusal(how: WorkerCommand) -> str:
    one = Worker(how, description())
    with pytest.raises(EngineError) as caught:
        answer_of(remote(one).style_gaussian(clip(20)))
    assert one.state is WorkerState.BROKEN
    one.stop()
    return str(caught.value)


def test_an_interpreter_that_is_none_is_refused(tmp_path: Path) -> None:
    for python in (tmp_path / "python", tmp_path):
        how = WorkerCommand(python, ROOT, "tests.core.worker_networks:works", WEIGHTS)
        assert "cannot be started" in refusal(how)


TORCHES = {
    "raise ModuleNotFoundError('No module named torch', name='torch')": "has no torch: install torch 2.0 or newer",
    "raise OSError('libcudart.so.13: cannot open')": "does not start (libcudart.so.13: cannot open): install",
    "__version__ = '1.13.1+cu117'": "has torch 1.13.1+cu117: install torch 2.0 or newer there",
}


@pytest.mark.parametrize("torch", TORCHES)
def test_an_unfit_torch_is_refused(tmp_path: Path, torch: str) -> None:
    for package in ("core", "models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    (tmp_path / "torch.py").write_text(torch + "\n", encoding="utf-8")
    how = WorkerCommand(Path(sys.executable), tmp_path, "models.serving:open_network", WEIGHTS)
    assert TORCHES[torch] in refusal(how)


def test_a_damaged_weight_file_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(WEIGHTS.read_bytes()[:-1000])
    assert "copy it again or reinstall" in refusal(command("works", weights=weights))


def test_other_weights_than_blenders_are_refused() -> None:
    assert "was changed while Panache was running" in refusal(command("has_other_styles"))


def test_a_python_without_numpy_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "core", tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('No module named numpy', name='numpy')\n")
    how = WorkerCommand(Path(sys.executable), tmp_path, "models.serving:open_network", WEIGHTS)
    assert "The worker's Python has no numpy" in refusal(how)


def test_nothing_is_written_beside_the_sources(tmp_path: Path) -> None:
    for package in ("core", "models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    how = WorkerCommand(python_with_torch(), tmp_path, "models.serving:open_network", WEIGHTS, "CPU")
    one = Worker(how, description())
    answer_of(remote(one).style_gaussian(clip(20)))
    one.stop()
    assert not list(tmp_path.rglob("__pycache__"))
