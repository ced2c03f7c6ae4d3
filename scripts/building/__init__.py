# SPDX-License-Identifier: GPL-3.0-or-later
"""What build.py is made of. Standard library only: it runs before anything is installed."""
