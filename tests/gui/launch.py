# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a Blender window in a root folder, on a virtual screen of its own and without any network.

Runs as root, inside namespaces of its own (``unshare --net --mount --fork``): what is mounted here is gone with it.
Standard library only. Writes the number of the X display to ``display`` in the shared folder.
"""

import argparse
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_SHARE = "/share"
_SET_FLAGS, _IS_UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main() -> int:
    """Mount, start the X server and Blender, and stay until Blender ends; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("share", type=Path, help="becomes /share in the root")
    parser.add_argument("--size", default="1600x900")
    parser.add_argument("--bind", action="append", default=[], type=Path, help="read-only at the same path")
    parser.add_argument("blender", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    loopback_up()
    mount(options.root, options.share, options.bind)
    os.chroot(options.root)
    os.chdir("/")
    display = start_screen(options.size)
    Path(_SHARE, "display").write_text(display, encoding="utf-8")
    return subprocess.run(
        options.blender, env=surroundings() | {"DISPLAY": display}, preexec_fn=end_with_parent, check=False
    ).returncode


def loopback_up() -> None:
    """Only 127.0.0.1 is there, as on a machine without any network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("16sh14x", b"lo", _IS_UP))


def mount(root: Path, share: Path, binds: Sequence[Path]) -> None:
    """Devices, processes, the shared folder, and folders of this machine that are not to be written."""
    targets = [("--bind", "/dev", root / "dev"), ("-tproc", "proc", root / "proc"), ("--bind", share, root / "share")]
    targets += [("--rbind", path, root / path.relative_to("/")) for path in binds]
    for option, source, target in targets:
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", option, str(source), str(target)], check=True)  # noqa: S607 - where it lies differs
    for path in binds:
        subprocess.run(["mount", "-oremount,bind,ro", str(root / path.relative_to("/"))], check=True)  # noqa: S607


def start_screen(size: str) -> str:
    """Xvfb on a free display, which it tells through a pipe."""
    read, write = os.pipe()
    command = ["/usr/bin/Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "+extension", "GLX"]
    subprocess.Popen(
        [*command, "-nolisten", "tcp", "-noreset", "-ac"],
        env=surroundings(),
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )
    os.close(write)
    number = os.read(read, 16).decode().strip()
    if not number:
        raise SystemExit("The virtual screen did not start.")
    return f":{number}"


def surroundings() -> dict[str, str]:
    """Nothing of this machine: software OpenGL, a home and a Blender user folder in the shared folder."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": f"{_SHARE}/home",
        "BLENDER_USER_RESOURCES": f"{_SHARE}/user",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "LANG": "C.UTF-8",
    }


def end_with_parent() -> None:
    """Whatever ends this process ends its children."""
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
