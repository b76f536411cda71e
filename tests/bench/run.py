"""`make bench`: run every `bench_*.py` beside this file (or those named), print ratios, write `bench.json`.

Each has `run(report)`. What a bound of the project misses is shown as such; nothing here fails on a time.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.report import Report  # noqa: E402


def main(names: list[str]) -> int:
    report = Report()
    for module in sorted(HERE.glob("bench_*.py")):
        area = module.stem.removeprefix("bench_")
        if not names or area in names:
            print(f"running {area} ...", file=sys.stderr, flush=True)
            importlib.import_module(f"bench.{module.stem}").run(report)
    report.print()
    if not names:
        report.write(HERE.parent.parent / "bench.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
