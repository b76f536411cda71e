"""JSON Schemas of the documents: stable contracts, versioned, for editors and other tools."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from exportguard.errors import ConfigurationError

VERSION = 1
"""Raised when a document that was valid would no longer be."""

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_DATE: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}([T ].+)?$",
    "description": "A date (its first instant, UTC) or an instant with a timezone.",
}
_PERIOD: dict[str, Any] = {
    "type": "object",
    "description": "Half-open [from, until), UTC.",
    "properties": {"from": _DATE, "until": _DATE},
    "additionalProperties": False,
}
_STATUS_WORDS = ["enforced", "codified", "proposed", "suspended", "unverified"]
_BASIS = ["license_requirement", "prohibition", "provider_terms", "company_policy", "historical"]


def names() -> tuple[str, ...]:
    """The documents that have a schema."""
    return tuple(sorted(_SCHEMAS))


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 7, which editors read) of the document *name*.

    Raises:
        ConfigurationError: a name that has none.
    """
    make = _SCHEMAS.get(name)
    if make is None:
        near = get_close_matches(name, names(), n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise ConfigurationError(f"there is no schema `{name}`", remedy=f"{hint}There are: {', '.join(names())}.")
    made: dict[str, Any] = _draft_7(make())
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:exportguard:schema:{name}:{VERSION}",
        **made,
    }


def _draft_7(part: Any) -> Any:
    """What pydantic writes in a later draft, in the words of draft 7."""
    if isinstance(part, list):
        return [_draft_7(each) for each in part]
    if not isinstance(part, dict):
        return part
    made: dict[str, Any] = {}
    for key, value in part.items():
        if key == "$ref":
            made[key] = value.replace("#/$defs/", "#/definitions/")
        elif key == "$defs":
            made["definitions"] = _draft_7(value)
        elif key == "prefixItems":
            made["items"] = _draft_7(value)
        elif key == "items" and "prefixItems" in part:
            made["additionalItems"] = _draft_7(value)
        elif key == "discriminator":
            continue
        else:
            made[key] = _draft_7(value)
    return made


def _status() -> dict[str, Any]:
    words = {"enum": _STATUS_WORDS, "description": "Proposed and suspended rules are not asked."}
    dated = {
        "type": "object",
        "description": "Statuses, each with its own dates.",
        "properties": dict.fromkeys(_STATUS_WORDS, _PERIOD),
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [words, dated]}


def _policy() -> dict[str, Any]:
    texts = {"type": "array", "items": _TEXT}
    rule = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "effect", "when"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
                "description": "Short and plain: it goes into records and messages. Unique within the policy.",
            },
            "title": {**_TEXT, "description": "What the rule is about, in one line."},
            "description": _TEXT,
            "effect": {
                "enum": ["deny", "hold", "flag"],
                "description": "deny refuses, hold refuses until somebody looks, flag only marks.",
            },
            "basis": {"enum": _BASIS, "description": "Why the rule exists: law, a provider's terms, or a choice."},
            "when": {**_TEXT, "description": "A CEL condition over request, item, party, usage and location."},
            "unless": {**_TEXT, "description": "A CEL condition; the rule is lifted where it is surely true."},
            "because": {**_TEXT, "description": "The message; {item.name} and the like are filled in."},
            "remedy": {**_TEXT, "description": "What the person who is refused can do."},
            "cites": {**texts, "description": "Where it stands; entries of `references`."},
            "authorizable_by": {
                "type": "array",
                "items": {"enum": ["bis_license", "license_exception", "internal_waiver"]},
                "description": "Kinds of authorization that may lift the rule; absent: none.",
            },
            "effective": _PERIOD,
            "status": _status(),
            "if_unknown": {
                "enum": ["hold", "flag"],
                "description": "What a missing fact does: hold (the default), or flag, which needs a `why`.",
            },
            "why": {**_TEXT, "description": "Why an open rule may flag only; needed with `if_unknown: flag`."},
            "per": {
                "type": "object",
                "additionalProperties": False,
                "description": "Over whom and how long `usage` counts.",
                "properties": {
                    "by": {"enum": ["end_user", "customer", "account"]},
                    "period": {
                        "anyOf": [
                            {"type": "string", "pattern": "^P([1-9][0-9]{0,3}[DWMY]|T[1-9][0-9]{0,3}H)$"},
                            {"type": "null"},
                        ],
                        "description": "P1D, P1M, P1Y, PT1H …; left out or null: a level, such as installed TPP.",
                    },
                },
                "required": ["by"],
            },
            "confidence": {"enum": ["primary", "secondary", "general-knowledge"]},
        },
    }
    cited = {
        "type": "object",
        "additionalProperties": False,
        "required": ["cite"],
        "properties": {
            "cite": _TEXT,
            "read": _DATE,
            "url": _TEXT,
            "note": _TEXT,
            "confidence": {"enum": ["primary", "secondary", "general-knowledge"]},
        },
    }
    return {
        "title": "exportguard policy",
        "type": "object",
        "additionalProperties": False,
        "required": ["policy", "rules"],
        "properties": {
            "policy": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
            "version": {"type": ["integer", "string"]},
            "title": _TEXT,
            "description": _TEXT,
            "basis": {"enum": _BASIS},
            "references": {"type": "array", "items": cited},
            "variables": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
                "description": "Parts of conditions with a name: `variables.name` puts one in.",
            },
            "effective": _PERIOD,
            "status": _status(),
            "rules": {"type": "array", "items": rule},
        },
    }


def _properties() -> dict[str, Any]:
    from typing import get_args

    from exportguard.authoring.proof.properties import MOST, Claim

    words = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
    kinds = ["bis_license", "license_exception", "internal_waiver", "any"]
    condition = {**_TEXT, "description": "A CEL condition over request, item, party and location."}
    claim = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "claim"],
        "properties": {
            "id": _TEXT,
            "title": _TEXT,
            "claim": {"enum": list(get_args(Claim))},
            "when": condition,
            "every": condition,
            "rules": {**words, "description": "Rules as `policy/rule`, or by id where that is unique."},
            "by": words,
            "without": {"type": "array", "items": {"enum": kinds}},
            "as_of": _DATE,
            "bounds": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {"type": "integer", "minimum": 1 if name == "items" else 0, "maximum": MOST}
                    for name in ("items", "parties", "locations", "listings", "red_flags")
                },
            },
        },
    }
    return {
        "title": "exportguard properties",
        "type": "object",
        "additionalProperties": False,
        "required": ["properties", "claims"],
        "properties": {
            "properties": _TEXT,
            "packs": words,
            "as_of": _DATE,
            "variables": {"type": "object", "additionalProperties": _TEXT},
            "claims": {"type": "array", "items": claim},
        },
    }


def _of(module: str, name: str) -> Callable[[], dict[str, Any]]:
    def make() -> dict[str, Any]:
        from importlib import import_module

        from pydantic import TypeAdapter

        document: dict[str, Any] = TypeAdapter(getattr(import_module(module), name)).json_schema()
        return document

    return make


def _authorizations() -> dict[str, Any]:
    made = _of("exportguard.vocabulary", "Authorization")()
    definitions: dict[str, Any] = made.pop("$defs", {})
    period = definitions["Effective"]["properties"]
    period["from"] = period.pop("from_")  # `from` is a keyword in Python, not in a document
    definitions["Authorization"] = made
    return {
        "title": "exportguard authorizations",
        "type": "object",
        "additionalProperties": False,
        "required": ["authorizations"],
        "properties": {"authorizations": {"type": "array", "items": {"$ref": "#/$defs/Authorization"}}},
        "$defs": definitions,
    }


_SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "policy": _policy,
    "suite": _of("exportguard.authoring.suite", "Suite"),
    "request": _of("exportguard.vocabulary", "ProvisioningRequest"),
    "call": _of("exportguard.vocabulary", "CallDocument"),
    "customers": _of("exportguard.parties.customer", "CustomersDocument"),
    "authorizations": _authorizations,
    "decision": _of("exportguard.vocabulary", "Decision"),
    "properties": _properties,
}
