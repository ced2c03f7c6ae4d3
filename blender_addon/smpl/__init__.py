# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS and SMPL(-X) motion files as armatures with an action, and back."""
