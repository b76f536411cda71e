"""What a benchmark says: a figure, its unit, the peers of the same run, and the bound of it where there is one."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Report:
    """`{area: {metric: {value, unit, peers, bound, met}}}`; `bench.json` holds the same."""

    areas: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def add(
        self,
        area: str,
        metric: str,
        value: float,
        unit: str,
        *,
        peers: Mapping[str, float] | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Add one figure. *peers* are in the same unit; *at_most* and *at_least* are bounds in it."""
        row: dict[str, Any] = {"value": value, "unit": unit}
        if peers:
            row["peers"] = dict(peers)
        if at_most is not None or at_least is not None:
            row["bound"] = {k: v for k, v in (("at_most", at_most), ("at_least", at_least)) if v is not None}
            row["met"] = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        self.areas.setdefault(area, {})[metric] = row

    def print(self) -> None:
        for area, rows in self.areas.items():
            print(f"\n{area}")
            for metric, row in rows.items():
                line = f"  {metric:<58} {_number(row['value']):>12} {row['unit']}"
                for name, peer in row.get("peers", {}).items():
                    ratio = peer / row["value"] if row["value"] else float("inf")
                    line += f" | {name} {_number(peer)} ({ratio:.2f}x)"
                if "bound" in row:
                    words = ", ".join(f"{k.replace('_', ' ')} {_number(v)}" for k, v in row["bound"].items())
                    line += f" | {words}: {'met' if row['met'] else 'MISSED'}"
                print(line)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.areas, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def interleaved(tasks: Mapping[str, Callable[[], object]], *, repeats: int = 7, loops: int = 1) -> dict[str, float]:
    """Seconds for one call of each task: the median over *repeats*, the tasks taking turns so that they share the
    machine's moods."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            for _ in range(loops):
                task()
            seconds[name].append((time.perf_counter() - start) / loops)
    return {name: statistics.median(each) for name, each in seconds.items()}


def percentile(values: list[float], share: float) -> float:
    """The value below which *share* (0 to 1) of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
