# SPDX-License-Identifier: GPL-3.0-or-later
"""Command-line tools: data, training, evaluation. Not in the zip, imported by nobody."""
