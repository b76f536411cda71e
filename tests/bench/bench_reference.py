"""The reference data: loading it, and asking it."""

from __future__ import annotations

import subprocess
import sys
import timeit
from datetime import UTC, datetime

from bench.report import Report
from exportguard.reference import ReferenceData, default
from exportguard.reference.store import COMPACT, Store

AS_OF = datetime(2026, 11, 25, tzinfo=UTC)
_COLD = (
    "import time; from exportguard.reference.lookup import ReferenceData;"
    "from exportguard.reference.store import Store;"
    "start = time.perf_counter(); r = ReferenceData(Store.packaged()); r.digest; r.tables; r.country('cn');"
    "r.country_group('D:5', __import__('datetime').datetime(2026, 1, 1, tzinfo=__import__('datetime').UTC));"
    "r.region('aws', 'us-east-1'); r.instance('aws', 'p5.48xlarge'); r.model(None, 'gpt-4o'); r.azure_sku('Standard');"
    "r.geography('us'); r.change_dates(); print(time.perf_counter() - start)"
)


def _load_everything(raw: bytes) -> None:
    reference = ReferenceData(Store(raw))
    _ = reference.digest, reference.tables, reference.change_dates()
    reference.country("cn")
    reference.country_group("D:5", AS_OF)
    reference.region("aws", "us-east-1")
    reference.instance("aws", "p5.48xlarge")
    reference.model(None, "gpt-4o")
    reference.azure_sku("Standard")
    reference.geography("us")


def run(report: Report) -> None:
    raw = COMPACT.read_bytes()
    warm = min(timeit.repeat(lambda: _load_everything(raw), number=1, repeat=7))
    command = [sys.executable, "-c", _COLD]
    cold = min(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(5))
    report.add("reference", "every table read and indexed, same process", warm * 1e3, "ms", at_most=30)
    report.add("reference", "every table read and indexed, new process", cold * 1e3, "ms", at_most=30)
    report.add("reference", "size of the compact form", len(raw) / 1e3, "kB")

    reference = default()
    chip = reference.accelerators("L4")[0]
    asked = {
        "instance type": lambda: reference.instance("aws", "p5.48xlarge"),
        "instance type without an accelerator": lambda: reference.instance("aws", "m7i.large"),
        "instance type that nobody knows": lambda: reference.instance("aws", "p7.48xlarge"),
        "Azure size": lambda: reference.instance("azure", "standard_nc24ads_a100_v4"),
        "accelerator": lambda: reference.accelerators("H100"),
        "region": lambda: reference.region("aws", "eu-central-1"),
        "Azure region": lambda: reference.region("azure", "East US 2"),
        "country": lambda: reference.country("CN"),
        "country group": lambda: reference.country_group("D:5", AS_OF),
        "model": lambda: reference.model("aws", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        "classification": lambda: reference.eccn(chip, AS_OF),
    }
    for name, ask in asked.items():
        ask()
        seconds = min(timeit.repeat(ask, number=20_000, repeat=5)) / 20_000
        report.add("reference", f"look-up: {name}", seconds * 1e6, "µs", at_most=1)
