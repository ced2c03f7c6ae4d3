# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained network that no bundle can hold, behind the same port as those that ship: for judging it, nothing else."""

from __future__ import annotations

from dataclasses import replace

from models.bundle import Bundle
from models.runtime import TorchNetwork
from models.stylization import StylizationNetwork

from .export import as_arrays, make_bundle
from .workspace import Workspace


class UnbundledNetwork(TorchNetwork):
    """The network of a workspace as it is, in full precision, on the CPU."""

    def __init__(self, workspace: Workspace, threads: int = 1) -> None:
        """Take the trained network; everything else is what a bundle would say of it."""
        super().__init__(_stand_in(workspace), "cpu", threads)
        self._network = workspace.network.cpu().eval()


def _stand_in(workspace: Workspace) -> Bundle:
    """A bundle that a network can be built of: what the trained one has no weights for is made up, and not used."""
    bundle = make_bundle(workspace)
    return replace(bundle, tensors={**as_arrays(StylizationNetwork(bundle.config)), **bundle.tensors})
