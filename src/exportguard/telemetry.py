"""OpenTelemetry spans and metrics of what a guard decides (the extra `report`).

Telling is never part of deciding: whatever goes wrong in here is logged once and changes no call. Nothing of a request
but its service, operation and outcome is told: no parameters, no names, no texts of reasons.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from exportguard.errors import ConfigurationError
from exportguard.vocabulary import Decision, Unknown

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

logger = logging.getLogger("exportguard")

NAME = "exportguard"


class Telemetry:
    """Tells providers of OpenTelemetry; by default the global ones, which do nothing until an SDK is set up.

    Spans: `exportguard.judge` and `exportguard.release`, children of whatever span the call is made in.
    Metrics: `exportguard.decisions` and `exportguard.failures` (counts), `exportguard.duration` (histogram, seconds).

    Raises:
        ConfigurationError: opentelemetry-api is not installed.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError as error:
            raise ConfigurationError(
                "telemetry needs OpenTelemetry", remedy="pip install 'exportguard[report]'"
            ) from error
        from exportguard._version import __version__

        self._tracer: Any = trace.get_tracer(NAME, __version__, tracer_provider)
        meter: Any = metrics.get_meter(NAME, __version__, meter_provider)
        self._decisions = meter.create_counter("exportguard.decisions", "{decision}", "Judged calls, by outcome")
        self._failures = meter.create_counter("exportguard.failures", "{call}", "Calls stopped by a store that failed")
        self._duration = meter.create_histogram("exportguard.duration", "s", "Time that a call spent in the guard")
        self._told = False

    @contextmanager
    def stage(self, name: str, attributes: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A span over one stage of a call; what is put into the dictionary becomes its attributes."""
        span: Any = None
        found = dict(attributes)
        try:
            span = self._tracer.start_span(f"exportguard.{name}")
        except Exception as error:  # noqa: BLE001  (telling must not stop a call)
            self._failed(error)
        start = time.perf_counter()
        try:
            yield found
        except BaseException as error:
            found["exportguard.error"] = type(error).__name__
            raise
        finally:
            try:
                taken = time.perf_counter() - start
                self._duration.record(taken, {"exportguard.stage": name, **attributes})
                if span is not None:
                    span.set_attributes(found)
                    span.end()
            except Exception as error:  # noqa: BLE001
                self._failed(error)

    def decided(self, decision: Decision, point: str, mode: str) -> dict[str, Any]:
        """Count *decision*, and give the attributes of its span."""
        attributes = describe(decision)
        try:
            first = decision.reasons[0] if decision.reasons else None
            labels: dict[str, Any] = {
                "exportguard.outcome": decision.outcome.value,
                "exportguard.point": point,
                "exportguard.mode": mode,
            }
            if first is not None:
                labels["exportguard.rule"] = f"{first.policy}/{first.rule}"
            self._decisions.add(1, labels)
        except Exception as error:  # noqa: BLE001
            self._failed(error)
        return attributes

    def failed(self, error: BaseException, point: str) -> None:
        """Count a call that a store's failure has stopped."""
        try:
            self._failures.add(1, {"exportguard.error": type(error).__name__, "exportguard.point": point})
        except Exception as problem:  # noqa: BLE001
            self._failed(problem)

    def _failed(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            logger.warning("telemetry does not work and is passed over: %s", type(error).__name__)


def describe(decision: Decision) -> dict[str, Any]:
    """What a span says of a decision."""
    found: dict[str, Any] = {"exportguard.outcome": decision.outcome.value}
    if decision.decision_id is not None:
        found["exportguard.decision_id"] = decision.decision_id
    if decision.not_applicable is not None:
        found["exportguard.not_applicable"] = True
    rules = [f"{reason.policy}/{reason.rule}" for reason in decision.reasons]
    if rules:
        found["exportguard.rules"] = tuple(dict.fromkeys(rules))
    if decision.lifted:
        found["exportguard.authorizations"] = tuple(dict.fromkeys(each.authorization for each in decision.lifted))
    if decision.request is not None:
        for name in ("provider", "service", "operation", "action"):
            value = getattr(decision.request, name)
            if not isinstance(value, Unknown):
                found[f"exportguard.{name}"] = str(value)
    return found
