"""What a field was called that there is not: by a slip, in other languages, or of another record."""

from __future__ import annotations

from difflib import get_close_matches

from exportguard.language.hints import FIELDS_OF_OTHERS
from exportguard.language.schema import RECORDS, Vocabularies
from exportguard.language.types import Type


class FieldNames:
    """The part of the checker that tells how a field was meant."""

    words: Vocabularies
    roots: tuple[str, ...]

    def better_field(self, name_of_record: str, name: str) -> str | None:
        fields = RECORDS[name_of_record]
        called = FIELDS_OF_OTHERS.get(name.lower().replace("_", ""), ())
        if meant := next((each for each in called if each in fields), None):
            return meant
        close = get_close_matches(name, sorted(fields), n=1, cutoff=0.6)
        if close and not (name_of_record == "request" and self.root_of(name)):
            return close[0]
        inner = [
            f"{outer}.{name}"
            for outer, kind in fields.items()
            if kind.kind == "record" and name in RECORDS[kind.record]
        ]
        return inner[0] if inner else None

    def root_of(self, name: str) -> str | None:
        """The root that *name* is, or is the plural of."""
        singular = name.lower().removesuffix("s").replace("partie", "party")
        return singular if singular in self.roots and singular != "request" else None

    def elsewhere(self, owner: Type, name: str) -> str:
        """Where a field that *owner* does not have is found, or else what it has."""
        root = self.root_of(name) if owner.record == "request" else None
        if root is not None:
            return f"a rule is asked of each {root} by itself: `{root}.…`"
        if name in (self.words.members("role") or ()):
            return f'a party is told by its role: `party.role == "{name}" && party.…`'
        owners = sorted(each for each in self.roots if name in RECORDS[each] and each != owner.record)
        return f"did you mean `{owners[0]}.{name}`?" if len(owners) == 1 else self.fields_of(owner.record)

    @staticmethod
    def fields_of(name: str) -> str:
        return f"`{name}` has {', '.join(f'`{f}`' for f in RECORDS[name])}"
