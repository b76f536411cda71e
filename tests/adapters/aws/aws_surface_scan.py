"""Derives the adapter's three data files from the installed botocore and a surface listing; the tests re-run its scan.

    python tests/adapters/aws/aws_surface_scan.py SURFACE.json

`SURFACE.json` lists `entries` of `service, operation, kind, tier, params[].rule, params[].path`: which parameters of
which operations carry an instance type, accelerator, model or template. Written are

- `data/surface.json`: service -> operation -> {"tier", "kinds", role: [paths]}, what the generic walk reads, and
- `data/known_operations.txt`: one line a service, every operation of the installed botocore that changes something
  and is not in the surface: known, and known not to matter. An operation in neither file was never seen.
- `data/names.txt`: the parameters' names in the operations that are read, by which other spellings are known.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[3] / "src/exportguard/adapters/aws/data"

LISTS_OF_WHAT_IS_NOT_WANTED = re.compile(r"(Excluded|Hidden|Unsupported|Disassociate)", re.IGNORECASE)
CARRIES = (
    ("instance", re.compile(r"(instanceTypes?|InstanceTypes?)(\[\])?$")),
    ("accelerator", re.compile(r"(accelerator(Type|Name)s?|ElasticInferenceAccelerators)(\[\])?$", re.IGNORECASE)),
    ("model", re.compile(
        r"(^|\.)((foundation|base|embedding)?Model(Id|Arn|Identifier)|(foundation|base|embedding)?model(Id|Arn|Identifier)"
        r"|foundationModel|baseModelIdentifier|inferenceProfileArn)$|(?i:bedrock|inference)[\w.\[\]]*\.models?$"
    )),
)  # fmt: skip
"""Parameter paths that carry something, as the scan of botocore recognises them."""


def role(rule: str, path: str) -> str | None:
    """What a parameter path of the surface holds, in the generic walk's words. None: it is read elsewhere or never."""
    last = path.split(".")[-1]
    if LISTS_OF_WHAT_IS_NOT_WANTED.search(last):
        return None
    if re.search(r"instanceRequirements(\.|$)", path, re.IGNORECASE):
        return "requirements" if re.fullmatch(r"instanceRequirements", last, re.IGNORECASE) else None
    if rule in ("R-NAME", "R-ENUM"):
        return "accelerator" if re.match(r"Accelerator", last) else "instance"
    if rule == "R-GPUENUM":
        return "enum"
    if rule == "R-MODEL":
        return "model" if re.search(r"(Id|Arns?(\[\])?|Identifier|Name|foundationModel)$", last) else None
    if rule == "R-ACC":
        return None if re.search(r"(\[\]|TotalMemoryMiB)$", last) else "accelerator"
    if rule == "R-TPL":
        return "template"
    if rule in ("R-IND", "R-CUR"):
        return "indirect"
    return None


def surface(entries: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for entry in entries:
        row = out.setdefault(entry["service"], {}).setdefault(entry["operation"], {"kinds": []})
        row["kinds"].append(entry["kind"])
        if entry.get("tier"):
            row["tier"] = entry["tier"]
        for parameter in entry["params"]:
            kind = role(parameter["rule"], parameter["path"])
            if kind is not None and parameter["path"] not in row.setdefault(kind, []):
                row[kind].append(parameter["path"])
    return {s: dict(sorted(ops.items())) for s, ops in sorted(out.items())}


def paths(shape: Any, depth: int = 0, seen: tuple[str, ...] = ()) -> list[str]:
    """Every parameter path of a botocore input shape, lists written `[]`; recursion is cut."""
    if depth > 10 or shape is None or shape.name in seen:
        return []
    seen = (*seen, shape.name)
    if shape.type_name == "structure":
        found = []
        for name, member in shape.members.items():
            found.append(name)
            found += [name + ("" if rest.startswith("[]") else ".") + rest for rest in paths(member, depth + 1, seen)]
        return found
    if shape.type_name == "list":
        inner = paths(shape.member, depth + 1, seen)
        return ["[]"] + ["[]" + ("" if rest.startswith("[]") else ".") + rest for rest in inner]
    return []


def carriers(operation_model: Any) -> list[tuple[str, str]]:
    """(role, path) of every parameter of one operation that carries an instance type, accelerator or model."""
    found = []
    for path in paths(operation_model.input_shape):
        if LISTS_OF_WHAT_IS_NOT_WANTED.search(path.split(".")[-1]):
            continue
        found += [(kind, path) for kind, pattern in CARRIES if pattern.search(path)]
    return found


SAYS_SO = re.compile(r"(^|[_-])(gpu|nvidia|neuron|cuda|inferentia|trainium|hardware[_-]accelerated)", re.IGNORECASE)
"""Choices of closed lists that stand for an accelerator."""


def choices(operation_model: Any) -> list[tuple[str, str]]:
    """("choice", value) of every choice of one operation's parameters that stands for an accelerator."""
    found: list[tuple[str, str]] = []
    todo: list[tuple[str, Any, tuple[str, ...]]] = [("", operation_model.input_shape, ())]
    while todo:
        name, shape, above = todo.pop()
        if shape is None or shape.name in above or len(above) > 10:
            continue
        if shape.type_name == "structure":
            todo += [(key, member, (*above, shape.name)) for key, member in shape.members.items()]
        elif shape.type_name in ("list", "map"):
            todo.append((name, shape.member if shape.type_name == "list" else shape.value, above))
        elif name != "ResourceType":  # what is tagged is there already
            found += [("choice", value) for value in getattr(shape, "enum", None) or () if SAYS_SO.search(value)]
    return found


def names(service: str, service_model: Any) -> dict[str, bool]:
    """Every parameter's name in the operations of one service that are read, and whether it is ever a structure."""
    from exportguard.adapters.aws import operations
    from exportguard.adapters.aws.classify import surface as listed

    operations.extractor(service, "")
    read = {*listed().get(service, {}), *(name for of, name in operations._registered if of == service)}
    found: dict[str, bool] = {}
    todo = [service_model.operation_model(name).input_shape for name in read & set(service_model.operation_names)]
    seen: set[str] = set()
    while todo:
        shape = todo.pop()
        if shape is None or shape.name in seen:
            continue
        if shape.type_name == "structure":
            seen.add(shape.name)
            for name, member in shape.members.items():
                found[name] = found.get(name, False) or member.type_name in ("structure", "list", "map")
                todo.append(member)
        elif shape.type_name in ("list", "map"):
            todo.append(shape.member if shape.type_name == "list" else shape.value)
    return found


def name_lines(session: Any) -> list[str]:
    """One line a service, structures with a star."""
    found = {of: names(of, session.get_service_model(of)) for of in session.get_available_services()}
    return [
        " ".join([of, *(f"{name}*" if inner else name for name, inner in sorted(row.items()))])
        for of, row in found.items()
        if row
    ]


def main(listing: str) -> None:
    import botocore.session

    from exportguard.adapters.aws.classify import only_reads_or_releases

    table = surface(json.loads(Path(listing).read_text())["entries"])
    (DATA / "surface.json").write_text(json.dumps(table, separators=(",", ":")) + "\n")
    session = botocore.session.get_session()
    lines = [f"# operations of botocore {botocore.__version__} that change something and are outside the surface\n"]
    for service in session.get_available_services():
        operations = session.get_service_model(service).operation_names
        known = [o for o in operations if o not in table.get(service, {}) and not only_reads_or_releases(o)]
        lines.append(" ".join([service, *known]) + "\n")
    (DATA / "known_operations.txt").write_text("".join(lines))
    spelt = [f"# parameters of botocore {botocore.__version__} in the operations that are read; structures with a star"]
    (DATA / "names.txt").write_text("\n".join([*spelt, *name_lines(session)]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
