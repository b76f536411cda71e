"""Every exception that exportguard raises.

::

    ExportguardError
    ├── ProvisioningRefused            a call was stopped; carries .decision
    │   ├── ProvisioningDenied         a rule denies it
    │   └── ProvisioningHeld           a rule holds it, or facts are missing
    ├── InputError                     something that was read cannot be used; names place and remedy (exit code 2)
    │   ├── PolicyError                policy text; carries .diagnostics, every problem of the load
    │   ├── DocumentError              a request, call, customers or authorizations document
    │   ├── UnknownCustomerError       a customer id that the directory does not have
    │   └── ConfigurationError         an option, an environment variable, a missing extra
    ├── ReferenceDataError             shipped or refreshed reference data is inconsistent
    ├── NaiveInstantError              an instant without a timezone
    ├── RecordError                    the decision could not be made durable: the call is refused
    ├── LedgerError                    the quota could not be reserved: the call is refused
    └── GuardError                     the guard itself failed: the call is refused

None of them is an SDK's exception: those are retried, wrapped or swallowed by the SDKs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.diagnostics import Diagnostic
    from exportguard.vocabulary.decision import Decision


class ExportguardError(Exception):
    """The root of the tree."""


class ProvisioningRefused(ExportguardError):
    """A call was stopped before a byte left. `decision` says why; the text says it in plain words."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision)
        self.decision = decision

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.decision,))

    _verb = "refused"

    def __str__(self) -> str:
        decision = self.decision
        first, *others = decision.reasons or (None,)
        lines = [first.message if first is not None else decision.summary]
        lines += [f"provisioning {self._verb} (decision {decision.decision_id or 'not recorded'})"]
        for reason in (first, *others):
            if reason is not None:
                told = f"{reason.effect} {reason.policy}/{reason.rule} ({reason.result}): {reason.message}"
                lines.append(f"  {told}{reason.grounds}")
        for fact in decision.unknown:
            lines.append(f"  missing: {fact.path} ({fact.why}); {fact.how}")
        for remedy in dict.fromkeys(r.remedy for r in decision.reasons if r.remedy and r.result == "match"):
            lines.append(f"  remedy: {remedy}")
        lines.append("  This is a decision of configured policy, not legal advice.")
        return "\n".join(lines)


class ProvisioningDenied(ProvisioningRefused):
    """A deny rule matched and no valid authorization lifts it."""

    _verb = "denied"


class ProvisioningHeld(ProvisioningRefused):
    """A hold rule matched, or a rule is open because facts are missing. Refused exactly as a denial is."""

    _verb = "held"


class InputError(ExportguardError):
    """Something that was read cannot be used.

    Args:
        message: what is wrong, in plain words.
        place: `file:line:column`, a JSON path, or what else names the spot.
        remedy: what to do about it.
    """

    def __init__(self, message: str, *, place: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message, place, remedy)
        self.message, self.place, self.remedy = message, place, remedy

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.place, self.remedy))

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n  help: {self.remedy}" if self.remedy else text


def _rebuild(cls: type[InputError], message: str, place: str | None, remedy: str | None) -> InputError:
    return cls(message, place=place, remedy=remedy)


class PolicyError(InputError):
    """Policy text that does not load. Every problem of the load is in `diagnostics`; nothing was loaded."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        errors = sum(1 for d in diagnostics if d.severity == "error")
        super().__init__(f"the policy set was not loaded: {errors} error{'s' if errors != 1 else ''}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.diagnostics,))

    def __str__(self) -> str:
        from exportguard.diagnostics import render_all

        return render_all(self.diagnostics)


class DocumentError(InputError):
    """A document that cannot be read as what it should be."""


class UnknownCustomerError(InputError):
    """A customer id that the directory does not have. It is an error, never nobody."""


class ConfigurationError(InputError):
    """An option, an environment variable or an extra that is missing or makes no sense."""


class ReferenceDataError(ExportguardError):
    """Reference data contradicts itself or cannot be read."""


class NaiveInstantError(ExportguardError, ValueError):
    """An instant without a timezone: it selects rules, so it has to be exact."""


class RecordError(ExportguardError):
    """The decision could not be made durable. The call is refused."""


class LedgerError(ExportguardError):
    """The quota could not be read or reserved. The call is refused."""


class GuardError(ExportguardError):
    """The guard itself failed. The call is refused; the cause is chained."""
