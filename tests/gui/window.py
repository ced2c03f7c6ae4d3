# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender window on a virtual screen: started, looked at, clicked and typed into from outside."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
INSIDE = ("agent.py", "facts.py")
WIDTH, HEIGHT = 1600, 900
START_LIMIT, ANSWER_LIMIT = 180.0, 120.0  # seconds; a busy machine without a graphics card is slow
_LOG_LINES = 40
_ROW = 11  # pixels between the places of a sidebar that are looked at; a button is 20 high


# Shares of its width at which buttons are looked for: most span it, in a row of several one is left or right.
_COLUMNS = (0.6, 0.3, 0.85)


class GoneError(AssertionError):
    """Blender has ended, or does not answer."""


class Window:
    """One Blender, from its start to its end."""

    def __init__(self, root: Path, pictures: Path, name: str, binds: Sequence[Path] = ()) -> None:
        self.root, self.pictures, self.name = root, pictures, name
        self._binds = [f"--bind={folder}" for folder in binds]
        self.share = Path(tempfile.mkdtemp(prefix="panache-gui-"))
        self.shots = 0
        self._places: dict[str, tuple[int, int]] = {}
        for folder in ("home", "user"):
            (self.share / folder).mkdir()
        for file in INSIDE:
            shutil.copyfile(HERE / file, self.share / file)
        self._process = self._start()
        self._socket = self._connect()
        self._answers = self._socket.makefile("rb")

    def _start(self) -> "subprocess.Popen[bytes]":
        spaces = ["unshare", "--net", "--mount", "--fork", "--kill-child"]
        launcher = [sys.executable, str(HERE / "launch.py"), f"--size={WIDTH}x{HEIGHT}", *self._binds]
        blender = ["/usr/bin/blender", "--factory-startup", "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)]
        with (self.share / "log.txt").open("wb") as log:
            return subprocess.Popen(
                [*spaces, *launcher, str(self.root), str(self.share), *blender, "--python", "/share/agent.py"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _connect(self) -> socket.socket:
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit and self._process.poll() is None:
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(ANSWER_LIMIT)
            try:
                link.connect(str(self.share / "agent.sock"))
            except OSError:
                link.close()
                time.sleep(0.2)
            else:
                return link
        self.close()
        raise GoneError(f"the window did not open:\n{self.log()}")

    def close(self) -> None:
        """End Blender and its screen, and remove what they wrote."""
        self._process.kill()
        self._process.wait()
        time.sleep(0.2)
        shutil.rmtree(self.share, ignore_errors=True)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """The last lines that Blender wrote."""
        path = self.share / "log.txt"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(lines[-_LOG_LINES:])

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, call: str, **arguments: Any) -> Any:
        """The value of a function of facts.py."""
        try:
            self._socket.sendall((json.dumps({"call": call, "with": arguments}) + "\n").encode())
            line = self._answers.readline()
        except OSError as error:
            raise GoneError(f"no answer to {call} ({error}):\n{self.log()}") from error
        if not line:
            raise GoneError(f"Blender ended during {call}:\n{self.log()}")
        answer = json.loads(line)
        assert "error" not in answer, f"{call}: {answer['error']}\n{self.log()}"
        return answer["value"]

    def settle(self) -> None:
        """Let Blender handle what came in and draw it."""
        for _ in range(3):
            self.ask("version")

    def wait_until(self, condition: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
        """The first true value of ``condition``; fails with a picture when it does not come."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        self.shot("timed-out")
        raise AssertionError(f"{what} did not happen in {seconds:.0f} s:\n{self.log()}")

    # -- looking -------------------------------------------------------------------------------------------------------

    def picture(self) -> Image.Image:
        """The screen as it is."""
        data = self._tool(["import", "-window", "root", "png:-"])
        return Image.open(BytesIO(data)).convert("RGB")

    def shot(self, name: str) -> Image.Image:
        """The screen after a redraw, kept as ``<version>-<number>-<name>.png``."""
        if self.is_alive:
            self.ask("redraw")
            self.settle()
        picture = self.picture()
        self.shots += 1
        self.pictures.mkdir(parents=True, exist_ok=True)
        picture.save(self.pictures / f"{self.name}-{self.shots:02}-{name}.png")
        return picture

    def box(self, area: str = "VIEW_3D", region: str = "WINDOW") -> tuple[int, int, int, int]:
        """Left, top, right, bottom of a region on the screen."""
        left, top, width, height = self.ask("region_box", area=area, region=region)
        return left, top, left + width, top + height

    # -- acting --------------------------------------------------------------------------------------------------------

    def move(self, x: int, y: int) -> None:
        """Move the mouse; twice, for Blender takes a jump as no movement over a button."""
        self._tool(["xdotool", "mousemove", str(x - 1), str(y), "mousemove", str(x), str(y)])

    def click(self, x: int, y: int) -> None:
        """Press and release the left button."""
        self.move(x, y)
        self.settle()
        self._tool(["xdotool", "click", "1"])
        self.settle()

    def drag(self, start: tuple[int, int], right: int) -> None:
        """Pull to the right with the left button held; in relative steps, for Blender holds the mouse of a slider."""
        self.move(*start)
        self.settle()
        self._tool(["xdotool", "mousedown", "1"])
        self.settle()
        for _ in range(abs(right) // 4):
            self._tool(["xdotool", "mousemove_relative", "--", str(4 if right > 0 else -4), "0"])
            self.settle()
        self._tool(["xdotool", "mouseup", "1"])
        self.settle()

    def press(self, *keys: str) -> None:
        """Press keys, in the region under the mouse."""
        self._tool(["xdotool", "key", *keys])
        self.settle()

    def to_viewport(self) -> None:
        """Move the mouse to where no button is."""
        left, top, right, bottom = self.box()
        self.move(left + (right - left) // 3, top + (bottom - top) * 3 // 4)
        self.settle()

    def close_message(self) -> None:
        """Close what an operator's error opened: it takes all keys and clicks while it is there."""
        self.press("Escape")
        self.to_viewport()

    def _tool(self, command: Sequence[str]) -> bytes:
        display = (self.share / "display").read_text()
        surroundings = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DISPLAY": display}
        return subprocess.run(
            ["/usr/sbin/chroot", str(self.root), *command],
            env=surroundings,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout

    # -- buttons -------------------------------------------------------------------------------------------------------

    def open_tab(self, tab: str = "Panache") -> None:
        """Show the sidebar with a tab in front."""
        self.ask("show_sidebar")
        self.wait_until(lambda: self.ask("show_tab", tab=tab), f"the tab {tab}")
        self.ask("redraw")
        self.settle()

    def find(self, button: str) -> tuple[int, int]:
        """Where the button is from which Blender copies something that begins so: ``bpy.ops.x.y`` or a data path."""
        known = self._places.get(button)
        if known and self._seen_at(*known).startswith(button):
            return known
        left, top, right, bottom = self.box(region="UI")
        seen: list[str] = []
        for column in _COLUMNS:
            x = left + round((right - left) * column)
            for y in range(top + 8, bottom - 4, _ROW):
                seen.append(self._seen_at(x, y))
                if seen[-1].startswith(button):
                    self._places[button] = (x, y)
                    return x, y
        self.shot("not-found")
        raise AssertionError(f"no button {button} in the sidebar, only {sorted(set(seen))}")

    def click_button(self, button: str) -> None:
        """Click a button of the sidebar."""
        self.click(*self.find(button))

    def find_value(self, value: str) -> tuple[int, int]:
        """Where in the redo panel the field with this value is, by copying what is under the mouse."""
        left, top, right, bottom = self.box(region="HUD")
        x = left + (right - left) * 7 // 10
        for y in range(top + 8, bottom - 4, _ROW):
            self.move(x, y)
            self.settle()
            self.press("ctrl+c")
            if self.ask("clipboard") == value:
                return x, y
        self.shot("not-found")
        raise AssertionError(f"no field with {value} in the redo panel")

    def type_into(self, button: str, text: str) -> None:
        """Type a number into a field of the sidebar."""
        self.type_at(self.find(button), text)

    def type_at(self, place: tuple[int, int], text: str) -> None:
        """Type a number into a field."""
        self.move(*place)
        self.settle()
        self.press("Return")
        self.press("ctrl+a")
        self._tool(["xdotool", "type", "--delay", "30", text])
        self.settle()
        self.press("Return")

    def _seen_at(self, x: int, y: int) -> str:
        self.move(x, y)
        self.ask("version")  # the mouse is noticed after one tick and before the next
        return self.ask("under_mouse")
