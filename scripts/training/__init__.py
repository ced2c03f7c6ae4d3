# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the stylizer, one module per stage. Pose tensors are (batch, columns, time), normalised."""
