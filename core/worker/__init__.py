# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion model in a process of its own, spoken to over an authenticated connection on this machine.

``client`` is Blender's side: it never waits longer than it is told to and uses no threads. ``server`` is the other
side; ``python -m core.worker`` starts it. ``protocol`` is what they say to each other: JSON and numbers, no pickles.
"""

REFUSED = 3
"""Exit status of a worker that cannot begin: the last line of its standard error is a sentence for the user."""
