"""Azure sizes and the spellings of the services built on them, to what they carry.

Sizes are compared in any case, with or without `Standard_` and `Basic_`. N sizes are known by data alone; families that
never carried an accelerator are none by grammar; everything else is Unknown.
"""

from __future__ import annotations

import re

# Family, vCPUs, constrained vCPUs, features; one marker (confidential child, memory step); version. The letters that
# also begin accelerator names (A, B, H, L, M) are held to the forms that Azure uses.
_PLAIN = re.compile(
    r"(?:(?:dc|ds|ec|fx|gs|hb|hc|hx|[defg])\d{1,4}(?:-\d{1,4})?[a-z]{0,6}"
    r"|[blm]\d{1,4}(?:-\d{1,4})?[a-z]{1,6}|m(?:64|128)|h(?:8|16)m?r?)"
    r"(?:_(?:cc|\d{1,2}))?(?:_v\d{1,2})?"
    r"|a(?:\d|1[01])|a[1248]m?_v2"
)
_CLASSIC = re.compile(r"extrasmall|small|medium|large|extralarge")
_HOST = re.compile(r"(?P<family>[a-z]{1,6}?)(?:v\d{1,2})?(?:_[a-z]{2,8}|medmem|highmem)?[-_]type\d{1,2}")
_HOST_FAMILY = re.compile(r"(?:d|dc|e|eb|ec|f|fx|l|m)[abdilmps]{0,4}|msm|mdmsm|mbsmbm")
_KUSTO = re.compile(r"^dev\(no_sla\)_|\+\d+tb_ps$")
"""Azure Data Explorer writes its storage and its terms around the size."""
_APPS_PLAIN = re.compile(r"[de]\d{1,3}|consumption")
_APPS = {
    "nc24-a100": "nc24ads_a100_v4",
    "nc48-a100": "nc48ads_a100_v4",
    "nc96-a100": "nc96ads_a100_v4",
    "consumption-gpu-nc24-a100": "nc24ads_a100_v4",
    "consumption-gpu-nc8as-t4": "nc8as_t4_v3",
}
"""Container Apps workload profiles that are one whole VM size under another name."""


def key(name: str) -> str:
    """*name* as sizes are compared: lower case, one `standard_` in front, `_Promo` taken off."""
    text = re.sub(r"\s+", "_", name.strip().lower()).removesuffix("_promo")
    text = _KUSTO.sub("", text)
    for prefix in ("standard_", "basic_"):
        text = text.removeprefix(prefix)
    return "standard_" + _APPS.get(text, text)


def never(name: str) -> str | None:
    """Why the size *name* (as `key` gives it) is known to carry no accelerator; None where it is not known."""
    bare = name.removeprefix("standard_")
    if _PLAIN.fullmatch(bare) or _CLASSIC.fullmatch(bare):
        return "its size family never carried an accelerator"
    if _APPS_PLAIN.fullmatch(bare):
        return "a workload profile without an accelerator"
    host = _HOST.fullmatch(bare)
    if host is not None and _HOST_FAMILY.fullmatch(host["family"]):
        return "a dedicated host of a family that never carried an accelerator"
    return None


def constrained(name: str) -> str | None:
    """The size that a constrained-core name is cut from (`standard_nc24-12s_v3` from `standard_nc24s_v3`)."""
    cut = re.sub(r"^(standard_[a-z]+\d+)-\d+", r"\1", name)
    return cut if cut != name else None
