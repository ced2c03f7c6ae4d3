# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in a window that stays alive: one generator, some steps of it per tick, an end at any time."""
