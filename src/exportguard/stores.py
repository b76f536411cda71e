"""Opening the stores of a guard, and proving that they can be written before the first call is judged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.record import DecisionLog

logger = logging.getLogger("exportguard")


class _Marker:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


KEEP: Final = _Marker("KEEP")
"""As it was given to `Guard.load`."""

DEFAULT: Final = _Marker("DEFAULT")
"""One SQLite file in the user's state directory (`EXPORTGUARD_HOME` moves it)."""


_told_off: set[str] = set()


def _switched_off(what: str, consequence: str) -> None:
    if what not in _told_off:
        _told_off.add(what)
        logger.warning("the %s is switched off: %s", what, consequence)


def open_log(target: Any) -> DecisionLog | None:
    """The decision log at *target* (DEFAULT, a path, a URL, a log; None: none). Raises RecordError."""
    if target is None:
        _switched_off("decision log", "nothing that is decided is kept")
        return None
    from exportguard import record

    log = record.open_log(record.default_store() if target is DEFAULT else target)
    try:
        log.prove_writable()
    except BaseException:
        log.close()
        raise
    return log


def open_ledger(target: Any) -> Ledger | None:
    """The ledger at *target*, as `open_log`. Raises LedgerError."""
    if target is None:
        _switched_off("ledger", "a rule over cumulative use holds what it asks about")
        return None
    from exportguard import authority
    from exportguard.record import default_store

    ledger = authority.open_ledger(default_store() if target is DEFAULT else target)
    try:
        ledger.prove_writable()
    except BaseException:
        ledger.close()
        raise
    return ledger
