"""What the AWS adapter costs, beside the call that it stands in: a bare boto3 call under botocore's own Stubber."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bench.report import Report, percentile

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
RUN = {"ImageId": "ami-12c6146b", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 2}
CUSTOMERS: dict[str, Any] = {
    "customers": [
        {
            "id": name,
            "end_use": "inference",
            "parties": [
                {
                    "role": "end_user", "name": f"Institute {name}", "country": name, "headquarters": name,
                    "ultimate_parent": None, "owners": [], "listings": [], "verified": True,
                }
            ],
        }
        for name in ("CH", "CN")
    ]
}  # fmt: skip


def run(report: Report) -> None:
    import boto3
    from botocore.stub import Stubber

    from exportguard import Guard, ProvisioningRefused
    from exportguard.adapters.aws.facts import observe

    def stubbed(guard: Guard | None, customer: str | None = None) -> Any:
        client = boto3.client("ec2", **KEYS)
        if guard is not None:
            guard.attach(client, customer=customer)
        stub = Stubber(client)
        if customer != "CN":  # a refusal comes before anything that a stub would answer
            stub.activate()
        return client, stub

    def call(
        made: Any, operation: str, parameters: Mapping[str, Any], refused: bool = False, other: bool = False
    ) -> Callable[[], None]:
        client, stub = made
        method = getattr(client, operation)

        made_before = iter(range(10**9))

        def once() -> None:
            stub.add_response(operation, {})
            method(**parameters)

        def anew() -> None:
            stub.add_response(operation, {})
            method(**{**parameters, "KeyName": f"key-{next(made_before)}"})

        def stopped() -> None:
            try:
                method(**parameters)
            except ProvisioningRefused:
                return
            raise AssertionError("the call was not refused")

        return stopped if refused else anew if other else once

    guard = Guard.load(
        customers=CUSTOMERS, record=None, ledger=None, lists=None,
        packs=["iaas-remote-access", "model-provider-terms", "us-ear-end-users", "baseline"],
        clock=lambda: datetime(2026, 8, 1, tzinfo=UTC),
    )  # fmt: skip
    plain = {**RUN, "InstanceType": "t3.micro"}
    tasks = {
        "bare": call(stubbed(None), "run_instances", RUN),
        "bare again": call(stubbed(None), "run_instances", RUN),
        "allowed": call(stubbed(guard, "CH"), "run_instances", RUN),
        "allowed anew": call(stubbed(guard, "CH"), "run_instances", RUN, other=True),
        "everyday": call(stubbed(guard), "run_instances", plain),
        "everyday anew": call(stubbed(guard), "run_instances", plain, other=True),
        "refused": call(stubbed(guard, "CN"), "run_instances", RUN, refused=True),
    }
    seconds = _medians(tasks)
    bare = seconds["bare"]
    report.add("aws", "a stubbed RunInstances without a guard", bare, "µs", peers={"again": seconds["bare again"]})
    for name, what, bound in (
        ("everyday", "guard on RunInstances of a t3.micro (no record)", 80.0),
        ("everyday anew", "guard on RunInstances of a t3.micro, another each time (no record)", 80.0),
        ("allowed", "guard on RunInstances of a p5, allowed (no record)", 80.0),
        ("allowed anew", "guard on RunInstances of a p5, allowed, another each time (no record)", 80.0),
    ):
        report.add("aws", what, seconds[name] - bare, "µs", at_most=bound)
        report.add("aws", f"{what}, as a share of the call", (seconds[name] - bare) / bare, "")
    report.add("aws", "RunInstances of a p5, refused: all of it (no record)", seconds["refused"], "µs", at_most=130.0)
    _outside(report, guard)
    for name, operation, parameters in (
        ("RunInstances", "RunInstances", RUN),
        ("RunInstances with tags, placement and a profile", "RunInstances", {
            **RUN, "SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"], "IamInstanceProfile": {"Name": "p"},
            "Placement": {"AvailabilityZone": "us-east-1a"}, "UserData": "x" * 4000,
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "customer", "Value": "c"}]}],
        }),
        ("CreateFleet with fifty overrides", "CreateFleet", {
            "LaunchTemplateConfigs": [{"Overrides": [{"InstanceType": f"m5.{n}xlarge"} for n in range(50)]}],
            "TargetCapacitySpecification": {"TotalTargetCapacity": 5},
        }),
    ):  # fmt: skip
        times = _each(lambda o=operation, p=parameters: observe("ec2", o, p, region="us-east-1"))  # type: ignore[misc]
        bound = {"at_most": 15.0} if name == "RunInstances" else {}
        report.add("aws", f"facts of {name}, p50", percentile(times, 0.5), "µs", **bound)
        report.add("aws", f"facts of {name}, p99", percentile(times, 0.99), "µs")
    others = iter([{**RUN, "KeyName": f"key-{number}"} for number in range(4000)])
    times = _each(lambda: observe("ec2", "RunInstances", next(others), region="us-east-1"))
    report.add("aws", "facts of RunInstances, another each time, p50", percentile(times, 0.5), "µs", at_most=15.0)
    report.add("aws", "import of the adapter after boto3's own", _import(), "ms", at_most=20.0)
    guard.close()


def _outside(report: Report, guard: Any) -> None:
    """Calls that go all the way to the network, where a handler answers them; with the hook and without it in turns on
    one client, since two clients differ by more than is measured here."""
    import io

    import boto3
    from botocore.awsrequest import AWSResponse

    from exportguard.adapters.aws.hook import AwsHook

    class Raw(io.BytesIO):
        def stream(self, **_: Any) -> Any:
            yield self.read()

    def answer(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 200, {}, Raw(b"{}" if "dynamodb" in request.url else b"<A/>"))

    dynamodb, ec2 = boto3.client("dynamodb", **KEYS), boto3.client("ec2", **KEYS)
    for client, call, what in (
        (dynamodb, lambda: dynamodb.describe_table(TableName="a-table"), "of a service outside the surface"),
        (ec2, lambda: ec2.terminate_instances(InstanceIds=["i-1"]), "outside the surface, of a service in it"),
    ):
        client.meta.events.register_first("before-send", answer)
        hook = AwsHook(guard, resolver=None)
        without, beside = [], []
        for _ in range(60):
            hook.detach(client)
            call()
            without += [_timed(call) for _ in range(40)]
            hook.attach(client)
            call()
            beside += [_timed(call) for _ in range(40)]
        added, plainly = percentile(beside, 0.5) - percentile(without, 0.5), percentile(without, 0.5)
        report.add("aws", f"guard on a call {what}", added, "µs", at_most=3.0)
        report.add("aws", "the same, as a share of the call", added / plainly, "")


def _medians(tasks: Mapping[str, Callable[[], None]], rounds: int = 20, loops: int = 60) -> dict[str, float]:
    """Microseconds of the middle call of each task, in turns: a mean would tell of the machine's stalls."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds):
        for name, task in tasks.items():
            seen = [_timed(task) for _ in range(loops)]
            if turn > 1:
                times[name] += seen
    return {name: percentile(each, 0.5) for name, each in times.items()}


def _timed(task: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    task()
    return (time.perf_counter_ns() - start) / 1000


def _each(task: Callable[[], object], count: int = 3000) -> list[float]:
    for _ in range(200):
        task()
    return [_timed(task) for _ in range(count)]


def _import() -> float:
    """Milliseconds that the adapter's import takes in a fresh interpreter that has boto3: the least of several."""
    program = (
        "import boto3, time; start = time.perf_counter(); import exportguard.adapters.aws.hook; "
        "print(time.perf_counter() - start)"
    )
    return min(float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(5)) * 1000
