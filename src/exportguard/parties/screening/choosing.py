"""Which screener a configuration names, and whether its list is too old to be of use."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exportguard.errors import ConfigurationError
from exportguard.parties.screening.snapshots import MAX_LIST_AGE, InstalledScreener

_DAYS = re.compile(r"\s*(?:P\s*)?(\d{1,6})\s*(?:d|D|days?)?\s*", re.ASCII)


def read_age(age: timedelta | int | str | None) -> timedelta:
    """`max_list_age` as given: days (`45`, `"45"`, `"45d"`, `"P45D"`) or a timedelta; None is the default, 30 days.

    Raises:
        ConfigurationError: it is neither.
    """
    if age is None:
        return MAX_LIST_AGE
    if isinstance(age, timedelta) and age >= timedelta(0):
        return age
    found = _DAYS.fullmatch(str(age)) if isinstance(age, int | str) and not isinstance(age, bool) else None
    if found is None:
        raise ConfigurationError(f"`{age}` is no age of a list", remedy="give `max_list_age` in days, such as 45")
    return timedelta(days=int(found[1]))


def load_lists(lists: Any, *, max_list_age: timedelta | int | str | None = None) -> Any:
    """The screener that *lists* names.

    Args:
        lists: `default` (the lists of this machine), a list as published (path), a folder of refreshed lists, a
            ready screener, which is returned as it is, or None: nothing is screened.
        max_list_age: see `read_age`; a ready screener has its own.

    Raises:
        DocumentError: a list that cannot be read, with every problem and its place.
        ConfigurationError: it is nothing that can be read, or *max_list_age* is no age.
    """
    age = read_age(max_list_age)
    if lists is None:
        return None
    if isinstance(lists, str) and lists == "default":
        return InstalledScreener(max_list_age=age)
    if isinstance(lists, str | os.PathLike):
        path = Path(lists).expanduser()
        if os.path.isdir(path):
            return InstalledScreener(max_list_age=age, folder=path)
        from exportguard.parties.screening.screener import load_screener

        return load_screener(path, max_list_age=age)
    if not callable(getattr(lists, "screen", None)):
        raise ConfigurationError(
            f"a {type(lists).__name__} is no restricted-party list", remedy="Give a file as published, or a screener."
        )
    return lists


def old_list(screener: Any, now: datetime) -> str | None:
    """That the newest list of *screener* is too old at *now* to prove a name clear, with the remedy; None if not."""
    age = getattr(screener, "max_list_age", None)
    if not isinstance(age, timedelta) or now.astimezone(UTC).date() - screener.list_date <= age:
        return None
    return (
        f"the screening list is of {screener.list_date.isoformat()}, older than {age.days} days (`max_list_age`): "
        f"names that are not on it are unknown, not clear; run `exportguard data refresh --list URL`, or raise it"
    )
