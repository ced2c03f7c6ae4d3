# SPDX-License-Identifier: GPL-3.0-or-later
"""From the files of public motion capture sets to one dataset of features."""
