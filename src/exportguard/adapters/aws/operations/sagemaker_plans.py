"""SageMaker training plans: capacity bought ahead, by an offering whose id hides the type."""

from __future__ import annotations

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.vocabulary import Action, Unknown


@operation("sagemaker", "CreateTrainingPlan", "ExtendTrainingPlan", action=Action.PURCHASE)
def create_training_plan(call: Call) -> None:
    """The offering is looked for among those of now; the search wants a length, so a week is asked for."""
    key = "TrainingPlanOfferingId" if call.operation == "CreateTrainingPlan" else "TrainingPlanExtensionOfferingId"
    ident = call.get(key)
    answer = call.ask("sagemaker", "SearchTrainingPlanOfferings", DurationHours=168, TargetResources=["training-job"])
    rows = [] if isinstance(answer, Unknown) else [
        row for row in get(answer, "TrainingPlanOfferings") or () if get(row, "TrainingPlanOfferingId") == ident
    ]  # fmt: skip
    for row in rows:
        for capacity in get(row, "ReservedCapacityOfferings") or ():
            count = number(get(capacity, "InstanceCount"), key)
            call.instance(get(capacity, "InstanceType"), count, where=key)
            call.zone(get(capacity, "AvailabilityZone"))
    if not call.items:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.unresolved(f"training plan offering {str(ident)[:80]} not resolved: {reason}", key)
