"""The embedded list, loaded when the first name is screened: most processes and command lines never ask for one."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from exportguard.parties.screening.result import ScreeningResult

if TYPE_CHECKING:
    from exportguard.parties.screening.screener import NameScreener


class ShippedScreener:
    """Screens against the list that ships with the package. Loading it is put off to the first use.

    A list of the user's own is loaded at once, so that a bad file is an error of the load; this one was tested.
    """

    @property
    def digest(self) -> str:
        return _loaded().digest

    @property
    def list_date(self) -> date:
        return _loaded().list_date

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        """See `NameScreener.screen`."""
        return _loaded().screen(name, as_of=as_of, country=country)


def _loaded() -> NameScreener:
    from exportguard.parties.screening.screener import default_screener

    return default_screener()
