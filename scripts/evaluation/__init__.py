# SPDX-License-Identifier: GPL-3.0-or-later
"""How stylized results are judged: by joint positions alone, with judges that no training ever saw."""
