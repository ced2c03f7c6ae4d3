# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, weight bundles and the torch runtime of Panache.

Importing this package imports no torch: only `networks`, `stylization` and `runtime` do, so that the bundle
reader works in a Python that has numpy alone.
"""
