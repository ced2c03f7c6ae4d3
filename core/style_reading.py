# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is kept of a reference when its style is saved."""

from dataclasses import dataclass

import numpy as np

from .engines import Float32
from .engines.engine import StyleEngine
from .representation import encode_steps
from .restyling import Clip, canonical_steps
from .steps import Steps, scaled
from .style_fitting import reach_steps, refine_code_steps
from .style_statistics import StyleStatistics, statistics_steps

_READING, _FITTING, _MEASURING = "Reading the clip", "Fitting the style", "Measuring"
# Shares of the work after which its parts are done.
_READ, _ENCODED, _FITTED = 0.1, 0.15, 0.95


@dataclass(frozen=True)
class StyleReading:
    """A style, and what it was read off.

    Attributes:
        code: (S,) of the style.
        statistics: of the reference.
    """

    code: Float32
    statistics: StyleStatistics


def read_style_steps(clip: Clip, engine: StyleEngine, *, refine: bool) -> Steps[StyleReading]:
    """Read the style off a reference.

    Args:
        clip: the reference.
        engine: that computes.
        refine: fit the code to the reference, see :mod:`core.style_fitting`; else it is what the encoder says.

    Raises:
        PanacheError: the clip cannot be read; the message says what to do.
    """
    canonical = yield from scaled(canonical_steps(clip), 0.0, _READ, _READING)
    features, _ = yield from scaled(encode_steps(canonical.motion), _READ, _ENCODED, _READING)
    if refine:
        code = yield from scaled(refine_code_steps(features, engine), _ENCODED, _FITTED, _FITTING)
    else:
        code = yield from scaled(engine.style_code(features), _ENCODED, _FITTED, _READING)
    reach = yield from scaled(reach_steps(features, code, engine), _FITTED, 0.98, _MEASURING)
    fps = 1.0 / float(np.median(np.diff(clip.motion.times)))
    measuring = statistics_steps(features, fps, reach, engine)
    return StyleReading(code, (yield from scaled(measuring, 0.98, 1.0, _MEASURING)))
