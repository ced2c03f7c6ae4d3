# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders with a Debian in which a real Blender window opens on a virtual screen: build/gui/<suite>.

PyPI's Blender has no window, and only Debian packages one of each kind that we support. Nothing of this machine is
changed: what has to be mounted is mounted in a namespace of its own, and a missing debootstrap is only unpacked.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.building.processes import BUILD, ROOT, BuildError, run, tail

WINDOWS = {"sid": "5.2", "trixie": "4.3"}
"""Debian's suites with the Blender that their window is of."""

_LIMIT = 1800  # seconds
_PACKAGES = (
    *("blender", "xvfb", "xdotool", "imagemagick", "libgl1-mesa-dri", "libegl1", "libegl-mesa0", "libglx-mesa0"),
    *("libgl1", "python3-numpy", "python3-requests", "python3-zstandard"),
)
# From 5.1 on Blender's extension system needs cattrs, which Debian's package does not pull in.
_MORE = {"sid": ("python3-cattr",)}
_SOURCES = (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*")))
# $1 suite, $2 root, $3 mirror, the rest: packages. Runs in a mount namespace of its own.
_SCRIPT = """
set -eu
suite=$1 root=$2 mirror=$3; shift 3
"$DEBOOTSTRAP" --variant=minbase --include=ca-certificates,procps "$suite" "$root" "$mirror"
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d" # no service is started in there
chmod +x "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
for settings in $(grep -lis acquire /etc/apt/apt.conf /etc/apt/apt.conf.d/*); do # proxies; signatures are still checked
  cp "$settings" "$root/etc/apt/apt.conf.d/90-$(basename "$settings")"
done
chroot "$root" apt-get update -qq
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq --no-install-recommends "$@"
chroot "$root" apt-get clean
ln -sf /proc/self/mounts "$root/etc/mtab"
chroot "$root" blender --version
"""


class NoWindowError(BuildError):
    """This machine cannot open the window, with the reason."""


def window_root(suite: str) -> Path:
    """The root folder of a suite, made first if it is missing or outdated.

    Raises:
        NoWindowError: this machine is not one that can make it.
        BuildError: making it failed, with the end of the log.
    """
    given = os.environ.get("PANACHE_GUI_ROOTS")
    if given and (Path(given) / suite / "usr/bin/blender").exists():
        _check_machine()
        return Path(given) / suite
    folder, stamp = BUILD / "gui" / suite, BUILD / "gui" / f"{suite}.json"
    wanted = json.dumps(_packages(suite))
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and folder.is_dir():
        _check_machine()
        return folder
    _check_machine()
    mirror, debootstrap = _mirror(), _debootstrap()
    _make(suite, folder, mirror, debootstrap)
    stamp.write_text(wanted, encoding="utf-8")
    return folder


def _make(suite: str, folder: Path, mirror: str, debootstrap: Path) -> None:
    print(f"Setting up {folder.relative_to(ROOT)}: Debian {suite} with Blender {WINDOWS[suite]}", flush=True)
    started, log = time.monotonic(), BUILD / "logs" / f"gui-{suite}.log"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = {"DEBOOTSTRAP": str(debootstrap), "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
    if debootstrap.is_relative_to(BUILD):
        variables["DEBOOTSTRAP_DIR"] = str(debootstrap.parents[1] / "share" / "debootstrap")
    script = ["unshare", "--mount", "--fork", "--kill-child", "sh", "-c", _SCRIPT, "sh", suite, folder, mirror]
    if run([*script, *_packages(suite)], _LIMIT, variables, log):
        raise BuildError(f"the window's root could not be made; {tail(log)}")
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def _packages(suite: str) -> list[str]:
    return [*_PACKAGES, *_MORE.get(suite, ())]


def _check_machine() -> None:
    if sys.platform != "linux":
        raise NoWindowError("the windows of the tests are Debian's, which need Linux.")
    if os.geteuid() != 0:
        raise NoWindowError("only root may enter the folder with the window: run this as root.")
    if shutil.which("unshare") is None or run(["unshare", "--net", "--mount", "--fork", "true"], 60):
        raise NoWindowError("this machine allows no namespaces (unshare --net --mount).")


def _mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    for line in _lines():
        found = re.search(r"https?://\S+/debian/?(?=\s|$)", line)
        if found:
            return found.group()
    raise NoWindowError("apt is set up for no Debian mirror, from which the window would come.")


def _lines() -> Iterator[str]:
    for source in _SOURCES:
        if source.is_file() and source.suffix in (".list", ".sources"):
            yield from (line.partition("#")[0] for line in source.read_text(encoding="utf-8").splitlines())


def _debootstrap() -> Path:
    """The debootstrap of this machine, or unpacked from Debian's package without being installed."""
    installed = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if installed:
        return Path(installed)
    tools, log = BUILD / "gui" / "tools", BUILD / "logs" / "gui-tools.log"
    tools.mkdir(parents=True, exist_ok=True)
    script = 'cd "$1" && apt-get download -qq debootstrap && dpkg-deb -x debootstrap_*.deb .'
    if run(["sh", "-c", script, "sh", tools], _LIMIT, log=log):
        raise NoWindowError(f"there is no debootstrap; apt-get install debootstrap. {tail(log)}")
    return tools / "usr" / "sbin" / "debootstrap"
