"""A fact is a known value, or `Unknown(reason)`. Absent is neither: it is `None` where the schema says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StrictInt,
    StrictStr,
)
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class Unknown:
    """A fact that nobody knows, and why.

    It has no truth value: ``if fact:`` on an unknown fact would be a fail-open bug, so it raises.
    Two unknowns are equal when their reasons are (so that equal requests are equal); rules never
    compare them that way: in a condition, unknown compared with anything is unknown.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str = "not given") -> None:
        object.__setattr__(self, "reason", reason)

    reason: str

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Unknown is immutable")

    def __bool__(self) -> bool:
        raise TypeError("an unknown fact is neither true nor false; test it with is_known()")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.reason == self.reason

    def __hash__(self) -> int:
        return hash(self.reason)

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"

    def __reduce__(self) -> tuple[type[Unknown], tuple[str]]:
        return (Unknown, (self.reason,))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        document = core_schema.typed_dict_schema(
            {"unknown": core_schema.typed_dict_field(core_schema.str_schema(strict=True, max_length=2000))},
            extra_behavior="forbid",
        )
        from_document = core_schema.no_info_after_validator_function(lambda value: cls(value["unknown"]), document)
        return core_schema.json_or_python_schema(
            json_schema=from_document,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_document]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: {"unknown": value.reason}),
        )


NOT_GIVEN = Unknown("not given")

Maybe: TypeAlias = Annotated[T | Unknown, Field(union_mode="left_to_right")]
"""A fact of type T that may be unknown. What reads as a T is one: to look for the closest of the two first, as pydantic
would, reads every word of a closed list and every time twice, and no value reads as both."""

Text = Annotated[StrictStr, Field(min_length=1, max_length=2000)]
Count = Annotated[StrictInt, Field(ge=0, le=10**15)]
Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False, strict=True)]
"""A number of accelerators. Fractions of one are offered (an eighth of an MI25), so it is not an integer."""


def _as_written(value: Any) -> Any:
    """A number is no date: it would be read as seconds since 1970, and `20301231` as a day of that August."""
    if isinstance(value, int | float) or (isinstance(value, str) and "-" not in value[1:]):
        raise ValueError(f"expected a date such as 2026-12-31, found `{str(value)[:40]}`")
    return value


Day = Annotated[date, BeforeValidator(_as_written)]
Instant = Annotated[AwareDatetime, BeforeValidator(_as_written)]
Moment = Annotated[AwareDatetime | date, BeforeValidator(_as_written)]
"""An instant with its timezone, or a day, which stands for its first instant in UTC."""

Confidence = Literal["primary", "secondary", "general-knowledge"]


def is_known(value: object) -> bool:
    """True unless *value* is `Unknown`. `None` (known to be absent) is known."""
    return not isinstance(value, Unknown)


# The class's own descriptors: setting an attribute by its name looks each of them up once more.
set_fields, set_extra, set_private, set_values = (
    BaseModel.__dict__[name].__set__
    for name in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__", "__dict__")
)


class Frozen(BaseModel):
    """What every document class shares: immutable, and a key that is not in the schema is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, for classes without extra and private attributes: each call is copied a few times."""
        if deep:
            return super().model_copy(update=update, deep=deep)
        kind = self.__class__
        new = kind.__new__(kind)
        given = update or {}
        set_values(new, {**self.__dict__, **given})
        fields = self.__pydantic_fields_set__
        set_fields(new, fields if fields.issuperset(given) else fields.union(given))  # none of them changes it
        set_extra(new, None)
        set_private(new, None)
        return new


class FactSource(Frozen):
    """Where a fact comes from: who said it, when it was read, and how far it is to be trusted.

    `path` names the fact inside the object that carries the source (`headquarters`, `ultimate_parent.name`).
    `rank` orders sources that disagree: 1 is the best.
    """

    path: Text
    source: Text
    as_of: Day | None = None
    rank: StrictInt | None = None
    confidence: Confidence | None = None
