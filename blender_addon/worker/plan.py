# SPDX-License-Identifier: GPL-3.0-or-later
"""What Create Runtime installs on this machine: which torch, from where, in the order in which it is tried."""

import os
import platform
import re
import sys
from dataclasses import dataclass
from typing import Final

from ..translations import say

INDEX_VARIABLE: Final = "PANACHE_TORCH_INDEX"
"""Environment variable with a package index for torch, for studios that have their own."""

_TORCH, _NUMPY = "torch==2.13.0", "numpy>=1.26,<3"
# The last one for these Macs, made before numpy 2.
_OLD_MAC: Final = ("torch==2.2.2", "numpy>=1.26,<2")
_INDEX: Final = "https://download.pytorch.org/whl/"
# From this major version of the NVIDIA driver on, the build for this CUDA runs.
_CUDA: Final = ((580, "cu130"), (560, "cu126"))
_OLDEST_DRIVER: Final = min(driver for driver, _ in _CUDA)
_GIGABYTE: Final = 10**9


@dataclass(frozen=True)
class Source:
    """One way to get torch.

    Attributes:
        name: as it is shown.
        packages: requirements for pip.
        index: address of a package index; empty for pip's own.
        space: bytes that it takes on the disk while it is installed.

    """

    name: str
    packages: tuple[str, ...]
    index: str
    space: int

    def arguments(self) -> list[str]:
        """What pip is told."""
        return [*self.packages, *(["--index-url", self.index] if self.index else [])]


@dataclass(frozen=True)
class Plan:
    """What is to be installed.

    Attributes:
        python: interpreter that the environment is made from.
        sources: tried one after the other, until one has a torch for this machine.
        note: what the user should know about the choice; may be empty.

    """

    python: str
    sources: tuple[Source, ...]
    note: str = ""


def make_plan(driver: str) -> Plan:
    """What suits this machine.

    Args:
        driver: version of its NVIDIA driver; empty if there is none.

    """
    own = os.environ.get(INDEX_VARIABLE)
    if own:
        return Plan(sys.executable, (Source("torch", (_TORCH, _NUMPY), own, 2 * _GIGABYTE),))
    if sys.platform == "darwin":
        packages = _OLD_MAC if platform.machine() == "x86_64" else (_TORCH, _NUMPY)
        return Plan(sys.executable, (Source("torch", packages, "", 2 * _GIGABYTE),))
    major = int((re.match(r"\d+", driver) or ["0"])[0])
    fitting = [version for oldest, version in _CUDA if major >= oldest]
    sources = [Source(f"torch for CUDA, {name}", (_TORCH, _NUMPY), _INDEX + name, 12 * _GIGABYTE) for name in fitting]
    sources.append(Source("torch for the CPU", (_TORCH, _NUMPY), _INDEX + "cpu", 2 * _GIGABYTE))
    too_old = driver and not fitting
    return Plan(sys.executable, tuple(sources), _update_driver(driver) if too_old else "")


def _update_driver(driver: str) -> str:
    return say(
        "The NVIDIA driver {driver} is too old for torch, so the processor is used: install driver {oldest} or newer"
        " and create the runtime again.",
        driver=driver,
        oldest=_OLDEST_DRIVER,
    )
