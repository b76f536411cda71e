"""Clients that exist already when a guard is installed."""

from __future__ import annotations

import gc
from typing import Any


def living(kinds: tuple[type, ...]) -> list[Any]:
    """Every living object of *kinds*. By its type: `isinstance` would wake lazy proxies, which may raise."""
    frozen = gc.get_freeze_count()
    if frozen:
        gc.unfreeze()  # a frozen heap (a pre-forking server) is invisible to get_objects
    try:
        objects = gc.get_objects()
    finally:
        if frozen:
            gc.freeze()
    return [each for each in objects if issubclass(type(each), kinds)]
