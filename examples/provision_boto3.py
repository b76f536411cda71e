"""A refusal, caught and read: boto3 over moto, so that no account is needed."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import boto3
from moto import mock_aws

from exportguard import Guard, ProvisioningRefused

HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, mock_aws():
        guard = Guard.load(
            customers=HERE / "company_policies" / "customers.yaml",
            record=Path(folder) / "decisions.sqlite3",
            ledger=Path(folder) / "decisions.sqlite3",
            clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
        )
        with guard:
            session = boto3.Session("demo", "demo", region_name="us-east-1")
            ec2 = guard.attach(session.client("ec2"))

            # An everyday instance: nobody has to be known for it.
            ec2.run_instances(ImageId="ami-12c6146b", InstanceType="t3.micro", MinCount=1, MaxCount=1)
            print("t3.micro: started")

            for customer in ("cust-zurich", "cust-shenzhen"):
                with guard.acting_for(customer):
                    try:
                        ec2.run_instances(ImageId="ami-12c6146b", InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
                    except ProvisioningRefused as refused:
                        first = refused.decision.reasons[0]
                        print(f"{customer}: {refused.decision.outcome} by {first.policy}/{first.rule}")
                    else:
                        print(f"{customer}: started")


if __name__ == "__main__":
    main()
