"""EC2 instance types and the names built on them, to what they carry.

By data where a type carries accelerators; by grammar where its family never did. A type that neither settles, a
malformed one and a new family of p, g, inf, trn, dl, vt, f … are Unknown.
"""

from __future__ import annotations

import re

SIZE = r"(?:nano|micro|small|medium|large|xlarge|\d{1,3}xlarge|metal(?:-\d{1,3}xl)?)"
_NEVER = "a|cc|cr|d|h|hi|hpc|hs|i|im|is|t|x|z"
_PLAIN = re.compile(rf"(?:(?:{_NEVER})\d|[cmr]\d{{1,2}})[abdeginqz]*(?:-flex)?\.{SIZE}")
_MAC = re.compile(rf"mac(?:\d?-m\d+(?:pro|max|ultra)?|\d)\.{SIZE}")
_HIGH_MEMORY = re.compile(rf"u(?:-\d{{1,3}}tb\d|\d[a-z]{{0,4}}-\d{{1,3}}tb)\.{SIZE}")

_OPENSEARCH = re.compile(r"(?:ultrawarm\d|o[rmi]\d)\.[a-z0-9]+")
_REDSHIFT = re.compile(rf"(?:dc|ds|ra|rg)\d\.{SIZE}|(?:dw1|dw2)\.(?:x|8x)?large")
_WRAPPED = ("db", "cache", "dms", "dax", "mq", "kafka", "express")
"""Service prefixes in front of an EC2 type; none of these services was ever offered with an accelerator."""
_TUNED = re.compile(r"(?P<type>.+?)\.tpc\d\.mem[\d.]+x")
_DESKTOP = re.compile(r"graphics_(?P<family>gr?\d[a-z]?)_(?P<size>\d*x?large)")
_DESKTOP_PLAIN = re.compile(r"value|standard|performance|power|powerpro|generalpurpose_\d+xlarge")
_SPECIAL = re.compile(r"(?:serverless|influx\.(?:medium|large|\d*xlarge))")


def inner(name: str) -> tuple[str, str | None]:
    """The EC2 type inside a service's name for it, and the service prefix or suffix that was taken off."""
    for suffix in (".search", ".elasticsearch"):
        if name.endswith(suffix):
            return name[: -len(suffix)], "search"
    desktop = _DESKTOP.fullmatch(name)
    if desktop is not None:
        return f"{desktop['family']}.{desktop['size']}", "workspaces"
    prefix, dot, rest = name.partition(".")
    if dot and (prefix == "ml" or prefix in _WRAPPED):
        return rest, prefix
    if dot and prefix == "stream":
        return rest.removeprefix("graphics."), "stream"
    return name, None


def never(name: str, service: str | None) -> str | None:
    """Why the type *name* (of *service*'s naming) is known to carry no accelerator; None where it is not known."""
    if service in _WRAPPED and (match := _TUNED.fullmatch(name)) is not None:
        name = match["type"]
    if _PLAIN.fullmatch(name) or _HIGH_MEMORY.fullmatch(name):
        return "its instance family never carried an accelerator"
    if _MAC.fullmatch(name):
        return "a Mac host: no accelerator of its own"
    if service == "search" and _OPENSEARCH.fullmatch(name):
        return "an OpenSearch data node without an accelerator"
    if service == "db" and _SPECIAL.fullmatch(name):
        return "a database class without an accelerator"
    if service == "ml" and name == "geospatial.interactive":
        return "a notebook of SageMaker geospatial, for which SageMaker's own list of types says gpuNum 0"
    if service is None and name == "system":
        return "SageMaker's own small instance for system applications"
    if service is None and _DESKTOP_PLAIN.fullmatch(name):
        return "a WorkSpaces compute type without an accelerator"
    if service is None and re.fullmatch(r"search\.[a-z0-9.]+", name):
        return "a CloudSearch instance without an accelerator"
    if service is None and _REDSHIFT.fullmatch(name):
        return "a Redshift node without an accelerator"
    if service == "stream" and re.fullmatch(r"(?:standard|compute|memory)\.[a-z0-9]+(?:\.[a-z0-9]+)?", name):
        return "an AppStream class without an accelerator"
    return None
