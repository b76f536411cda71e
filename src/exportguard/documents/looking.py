"""What lies at a path, where that can be told: a folder that may not be entered is no proof that nothing is in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from exportguard.errors import ConfigurationError

_NOTHING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Answers that say that there is nothing, or that there can be nothing of this name."""


def looked_at(path: Path) -> os.stat_result | None:
    """What *path* is, links followed; None where nothing is there.

    Raises:
        ConfigurationError: nobody can tell, such as in a folder that this user may not enter.
    """
    try:
        return path.stat()
    except ValueError:
        return None  # a name with a null in it
    except OSError as error:
        if error.errno in _NOTHING:
            return None
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", place=str(path)) from None
