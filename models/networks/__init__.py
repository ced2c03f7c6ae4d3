# SPDX-License-Identifier: GPL-3.0-or-later
"""The five networks; tensors are (batch, channels, time), poses at 30 frames per second, latents at a quarter of it."""
