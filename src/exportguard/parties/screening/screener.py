"""The screener: a name in, hits, reviews, clear or unknown out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from exportguard.errors import NaiveInstantError
from exportguard.forks import Lock
from exportguard.parties.screening import disk
from exportguard.parties.screening.aliases import Aliases, default_aliases, load_aliases
from exportguard.parties.screening.index import FORMAT, Index, build, restore
from exportguard.parties.screening.latin import HIT, REVIEW, Found, backwards, search
from exportguard.parties.screening.listfile import digest_of, parse_list, read_raw
from exportguard.parties.screening.names import MAX_NAME
from exportguard.parties.screening.readings import Reading, in_latin
from exportguard.parties.screening.result import Match, ScreeningResult, Status
from exportguard.parties.screening.snapshots import EMBEDDED, MAX_LIST_AGE, UnavailableScreener
from exportguard.parties.screening.words import words_digest

_MOST_MATCHES = 10
_SURE_ENOUGH = 0.96
"""A translated name is a hit only where every word is the listed one; synonyms and slips ask for a look."""
_KEPT = 4096


class NameScreener:
    """Screens names against one list. Immutable but for a memory of the last answers; thread-safe.

    Args:
        index: the listed names.
        aliases: what names in Han script stand for.
        max_list_age: a list older than this at `as_of` proves no name clear.
        hit, review: scores from which a match is a hit, or for a person to look at.
        source: the file that the list was read from.
    """

    def __init__(
        self,
        index: Index,
        aliases: Aliases,
        *,
        max_list_age: timedelta = MAX_LIST_AGE,
        hit: float = HIT,
        review: float = REVIEW,
        source: Path | None = None,
    ) -> None:
        if not 0.5 <= review <= hit <= 1:
            raise ValueError("thresholds should be 0.5 <= review <= hit <= 1")
        self._index, self._aliases = index, aliases
        self.max_list_age = max_list_age
        self._hit, self._review = hit, review
        self._source = source
        self._seen: OrderedDict[tuple[str, bool], tuple[tuple[Match, ...], str | None]] = OrderedDict()
        self._lock = Lock()

    @property
    def digest(self) -> str:
        return self._index.digest

    @property
    def list_date(self) -> date:
        return self._index.day

    def source_of(self, digest: str) -> Path | None:
        """The file of the list, if it has *digest*."""
        return self._source if digest == self.digest else None

    def __len__(self) -> int:
        """How many names are listed."""
        return len(self._index)

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        """Screen one name.

        Args:
            name: in any script; at most 400 characters are compared.
            as_of: timezone-aware; the age of the list is measured against it.
            country: a verified country of the party, alpha-2. Without one a Han name that resembles nothing
                listed is a review, since how it was read may be wrong.

        Raises:
            NaiveInstantError: *as_of* has no timezone.
        """
        if as_of.tzinfo is None:
            raise NaiveInstantError("`as_of` has no timezone")
        matches, unread = self._matches(name, country is not None)
        flags: list[str] = []
        day = as_of.astimezone(UTC).date()
        if day < self.list_date:
            flags.append("list_newer_than_decision")
        age = day - self.list_date
        old = None
        if age > self.max_list_age:
            # Without the age of today: the same request tomorrow is the same request.
            old = (
                f"the screening list is of {self.list_date.isoformat()}, older than {self.max_list_age.days} days "
                f"(`max_list_age`): a name that is not on it may be listed by now; "
                f"run `exportguard data refresh --list URL`, or give `listings`"
            )
        status, reason = self._status(name, matches, unread, old)
        return ScreeningResult(name, status, matches, self.list_date, reason, tuple(flags), self.digest)

    def _status(
        self, name: str, matches: tuple[Match, ...], unread: str | None, old: str | None
    ) -> tuple[Status, str | None]:
        hit = {match.list for match in matches if match.status is Status.HIT}
        open_ = [match for match in matches if match.status is Status.REVIEW and match.list not in hit]
        doubt = None
        if open_:
            first = open_[0]
            doubt = (
                f"`{name[:80]}` resembles `{first.matched_name}` on {first.list} ({first.score:.2f}, {first.why}): "
                f"a person has to look; then give `listings`"
            )
        if hit:
            return Status.HIT, doubt or old
        if open_:
            return Status.REVIEW, doubt
        if unread is not None:
            return (Status.REVIEW if unread.startswith("the Han name") else Status.UNKNOWN), unread
        if old is not None:
            return Status.UNKNOWN, old
        return Status.CLEAR, None

    def _matches(self, name: str, verified: bool) -> tuple[tuple[Match, ...], str | None]:
        key = (name, verified)
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
                return self._seen[key]
        made = self._search(name, verified)
        with self._lock:
            self._seen[key] = made
            if len(self._seen) > _KEPT:
                self._seen.popitem(last=False)
        return made

    def _search(self, name: str, verified: bool) -> tuple[tuple[Match, ...], str | None]:
        spelled = in_latin(name, self._aliases)
        best: dict[int, tuple[Found, Reading]] = {}
        for reading in spelled.readings:
            for found in search(self._index, reading.text, self._review, translated=not reading.sure):
                entry_id = self._index.entry_of[found.name_id]
                # A reading that was guessed word by word can ask for a look, and be a hit only when exact.
                score = found.score if reading.sure else min(found.score, 0.99)
                if not reading.sure and (score < _SURE_ENOUGH or reading.loose):
                    score = min(score, self._hit - 0.01)
                scored = found._replace(score=score)
                if scored.score >= self._review and (entry_id not in best or best[entry_id][0].score < scored.score):
                    best[entry_id] = (scored, reading)
        if not best:
            best = {
                self._index.entry_of[found.name_id]: (found, Reading(name)) for found in backwards(self._index, name)
            }
        ordered = sorted(best.items(), key=lambda item: (-item[1][0].score, item[0]))[:_MOST_MATCHES]
        matches = tuple(self._match(entry_id, found, reading) for entry_id, (found, reading) in ordered)
        unread = spelled.unread
        if len(name) > MAX_NAME:
            unread = unread or f"the name has more than {MAX_NAME} characters; give the name alone"
        if unread is None and spelled.guessed and not matches and not verified:
            unread = (
                "the Han name resembles nothing listed as far as it could be read, and no country is verified; "
                "give its registered Latin name, or a verified country"
            )
        return matches, unread

    def _match(self, entry_id: int, found: Found, reading: Reading) -> Match:
        entry = self._index.entry(entry_id)
        status = Status.HIT if found.score >= self._hit and not found.weak else Status.REVIEW
        why = f"{reading.how}: {found.why}" if reading.how else found.why
        return Match(entry.list, entry, self._index.texts[found.name_id], min(1.0, found.score), why, status)


def load_screener(
    source: str | Path,
    *,
    list_date: date | None = None,
    max_list_age: timedelta = MAX_LIST_AGE,
    aliases: Iterable[str | Path] = (),
    cache: bool = True,
) -> NameScreener:
    """A screener over a list as trade.gov publishes it: JSON or CSV, gzipped or not.

    Args:
        source: the file.
        list_date: the day of the list, where neither the file nor its name says.
        max_list_age: a list older than this proves no name clear.
        aliases: YAML files that add to the shipped aliases (see `load_aliases`).
        cache: keep the built index on disk, by the digest of the list.

    Raises:
        DocumentError: the list or an alias file cannot be read; every problem with its place.
    """
    path = Path(source).expanduser()
    raw = read_raw(path)
    key = (
        f"csl-{FORMAT}-{words_digest()}-{digest_of(raw)[:40]}-{list_date.isoformat() if list_date else path.name[-40:]}"
    )
    key = "".join(ch if ch.isalnum() or ch in "-." else "_" for ch in key)
    index: Index | None = None
    if cache:
        payload = disk.load(key)
        try:
            index = restore(payload) if payload is not None else None
        except (ValueError, KeyError, TypeError, IndexError):
            index = None
    if index is None:
        index = build(parse_list(raw, str(path), day=list_date))
        if cache:
            disk.store(key, index.dump())
    found = default_aliases()
    for overlay in aliases:
        found = load_aliases(Path(overlay).expanduser(), found)
    return NameScreener(index, found, max_list_age=max_list_age, source=path)


__all__ = ["EMBEDDED", "MAX_LIST_AGE", "NameScreener", "UnavailableScreener", "load_screener"]
