"""A small stand-in with the attributes of `ReferenceData` that the language reads, and views with known defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, ClassVar

from exportguard.language import Scope, World
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.scope import (
    AcceleratorView,
    ItemView,
    LocationView,
    ModelView,
    PartyView,
    RequestView,
    UltimateParentView,
    UsageView,
)

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES = {"china": "CN", "cn": "CN", "united states": "US", "us": "US", "iran": "IR", "macau": "MO"}


class Reference:
    """Enough of the world to check and ask conditions."""

    digest = "stand-in"
    countries = frozenset({"CN", "US", "IR", "MO", "HK", "DE", "NO", "FR", "AE", "UA"})
    eccns = frozenset({"3A090.a", "3A090.b", "4A090.a"})
    list_codes = frozenset({"EL", "MEU", "SDN", "UVL"})
    accelerator_ids = frozenset({"h100-sxm", "a100-sxm-80", "h20"})
    accelerator_families = frozenset({"H100", "A100", "H20"})
    model_families = frozenset({"claude", "gpt-4o"})
    model_providers = frozenset({"anthropic", "openai", "meta"})
    group_names = frozenset({"D:1", "D:4", "D:5", "E:1", "A:5"})
    groups: ClassVar = {"D:5": frozenset({"CN", "HK", "IR"}), "E:1": frozenset({"IR"})}

    def country(self, text: str) -> str | Unknown:
        if text in self.countries:
            return text
        return _NAMES.get(text.strip().lower(), Unknown(f"`{text}` is not a country"))

    def country_like(self, text: str) -> str | None:
        close = get_close_matches(text.lower(), sorted(_NAMES), n=1, cutoff=0.75)
        return _NAMES[close[0]] if close else None

    def country_group(self, name: str, as_of: datetime) -> frozenset[str]:
        if name not in self.group_names:
            raise KeyError(name)
        return self.groups.get(name, frozenset())

    def region_names(self, provider: str) -> frozenset[str]:
        return {"aws": frozenset({"us-east-1", "cn-north-1"}), "azure": frozenset({"westeurope"})}.get(
            provider, frozenset()
        )

    def accelerators(self, name: str) -> tuple[Any, ...]:
        folded = name.lower().replace("-", "")
        for family in sorted(self.accelerator_families):
            if family.lower() in folded:
                return (
                    SimpleNamespace(
                        id=next(i for i in sorted(self.accelerator_ids) if family.lower() in i), family=family
                    ),
                )
        return ()

    def model(self, provider: str | None, name: str) -> Any:
        return SimpleNamespace(family="claude") if "claude" in name else Unknown("not known")


REFERENCE: Any = Reference()
WORLD = World(REFERENCE, AS_OF)


def accelerator(**changes: Any) -> AcceleratorView:
    facts: dict[str, Any] = {
        "id": "h100-sxm", "family": "H100", "vendor": "nvidia", "tpp": 15824.0, "performance_density": 19.4,
        "memory_bandwidth": 3350.0, "datacenter": True,
    }  # fmt: skip
    return AcceleratorView(**(facts | changes))


def item(**changes: Any) -> ItemView:
    facts: dict[str, Any] = {
        "kind": "accelerator", "name": "p5.48xlarge", "quantity": 2.0, "eccn": "3A090.a", "accelerator": accelerator(),
        "count": 16.0, "total_tpp": 253184.0, "instance_type": "p5.48xlarge", "model": None, "tokens": None,
    }  # fmt: skip
    return ItemView(**(facts | changes))


def model_item(**changes: Any) -> ItemView:
    facts: dict[str, Any] = {
        "kind": "model", "name": "claude", "accelerator": None, "count": None, "total_tpp": None,
        "instance_type": None, "tokens": 40_000_000, "quantity": 40_000_000,
        "model": ModelView("claude-3", "claude", "anthropic", "US", "closed"),
    }  # fmt: skip
    return item(**(facts | changes))


def parent(**changes: Any) -> UltimateParentView:
    return UltimateParentView(**({"name": "Parent", "country": "CN", "headquarters": "CN"} | changes))


def party(**changes: Any) -> PartyView:
    facts: dict[str, Any] = {
        "role": "end_user", "name": "Shenzhen University", "kind": "legal", "country": "CN", "subdivision": None,
        "headquarters": "CN", "ultimate_parent": parent(), "listings": ("EL",), "restricted_ownership": None,
        "verified": True,
    }  # fmt: skip
    return PartyView(**(facts | changes))


def location(**changes: Any) -> LocationView:
    facts: dict[str, Any] = {
        "region": "us-east-1", "country": "US", "subdivision": None, "cloud": "aws", "certainty": "declared",
    }  # fmt: skip
    return LocationView(**(facts | changes))


def request(**changes: Any) -> RequestView:
    facts: dict[str, Any] = {
        "provider": "aws", "service": "ec2", "operation": "RunInstances", "action": "provision",
        "transfer": "remote_access", "account": "111122223333", "end_use": "ai_training", "time": AS_OF,
        "red_flags": (), "items": (item(),), "parties": (party(),),
    }  # fmt: skip
    return RequestView(**(facts | changes))


def scope(**changes: Any) -> Scope:
    facts: dict[str, Any] = {
        "world": WORLD, "request": request(), "item": item(), "party": party(), "location": location(),
        "usage": UsageView(1000, 16.0, 253184.0),
    }  # fmt: skip
    return Scope(**(facts | changes))
