"""Every way in which a name can be read in Latin letters, and whether it could be read at all."""

from __future__ import annotations

from typing import NamedTuple

from exportguard.parties.screening.aliases import Aliases
from exportguard.parties.screening.han import Segment, han_runs, has_han, segments, simplified, sounded, tidy_han
from exportguard.parties.screening.names import MAX_NAME
from exportguard.parties.screening.scripts import scripts_of, visible

_REMEDY = "install `exportguard[screening]`, or give its Latin name, or add an alias"
_LATIN_REMEDY = "give its Latin name, or add an alias"


class Reading(NamedTuple):
    """One reading. `sure`: not translated word by word. `how` is empty for the name as it stands."""

    text: str
    sure: bool = True
    how: str = ""


class Spelled(NamedTuple):
    """`unread` says what could not be read, with the remedy; `guessed`: a Han part was read word by word."""

    readings: tuple[Reading, ...]
    unread: str | None = None
    guessed: bool = False


def in_latin(name: str, aliases: Aliases) -> Spelled:
    """Read *name* in every way that the list may have it."""
    text = visible(name[:MAX_NAME])
    found: list[Reading] = []
    unread: str | None = None
    guessed = False
    if has_han(text):
        unread, guessed = _han_readings(text, aliases, found)
    else:
        found.append(Reading(text))
        found += [Reading(other, True, "an alias") for other in aliases.of_latin(text)]
    if "other" in scripts_of(text):
        unread = unread or f"`{text[:80]}` is in a script that is not read; {_LATIN_REMEDY}"
    if not any(char.isalnum() for char in text):
        unread = unread or "the name has no letters"
    return Spelled(tuple(dict.fromkeys(found)), unread, guessed)


def _han_readings(text: str, aliases: Aliases, found: list[Reading]) -> tuple[str | None, bool]:
    """Appends to *found*; what was not read, and whether any of it was guessed."""
    runs = han_runs(text)
    latin = " ".join(part for part, is_han in runs if not is_han).strip()
    if any(char.isalpha() for char in latin):
        # `Sichuan University (四川大学)`: each script may hold the whole name.
        found.append(Reading(latin, True, "its Latin part"))
    whole: list[str] = []
    guessed = unread = False
    for part, is_han in runs:
        if not is_han:
            whole.append(part)
            continue
        run = simplified(part)
        known, rest = _known(run, aliases)
        if known and not rest:
            found += [Reading(name, True, f"an alias of `{part}`") for name in known]
            whole.append(known[0])
            continue
        guessed = True
        words = segments(rest if known else run)
        if known:
            found += [Reading(f"{name}, {_joined(words)}", True, f"`{part}`") for name in known]
        if words is None:
            unread = True
            continue
        whole.append(f"{known[0] + ', ' if known else ''}{_joined(words)}")
        found.append(Reading(_joined(words), False, f"`{part}` read as `{_joined(words)}`"))
        by_sound = sounded(run)
        if by_sound is not None and len(run) <= 4:
            found.append(Reading(by_sound, False, f"`{part}` read as `{by_sound}`"))
    if len(runs) > 1 and whole:
        text_ = " ".join(whole)
        found.append(Reading(text_, not guessed, f"read as `{text_}`"))
    return (f"`{text[:80]}` is in Han script and no alias resolves it; {_REMEDY}" if unread else None), guessed


def _known(run: str, aliases: Aliases) -> tuple[tuple[str, ...], str]:
    """The Latin names of *run*, or of the longest institution that it begins or ends with, and what is left of it."""
    key = tidy_han(run)
    whole = aliases.han.get(run) or aliases.han.get(key)
    if whole:
        return whole, ""
    for length in range(len(key) - 1, 3, -1):
        if names := aliases.han.get(key[:length]):
            return names, key[length:]
    return (), run


def _joined(words: list[Segment] | None) -> str:
    return " ".join(word.text for word in words or ())
