# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole table of a stylizer: what the paper measures, what it leaves out, and how long it takes."""
