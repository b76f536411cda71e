"""The credentials of azure-identity under an installed guard: they get their tokens, and only for calls that go out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient

from adapters.azure.azure_live import Cloud, guard
from adapters.azure.azure_must_calls import ND, vm
from exportguard import ProvisioningDenied

TENANT = "00000000-0000-0000-0000-00000000000a"
LOGIN = f"https://login.microsoftonline.com/{TENANT}"


def identity() -> Cloud:
    """Answers as the identity platform does: its metadata, then a token."""
    claims = base64.urlsafe_b64encode(json.dumps({"tid": TENANT}).encode()).decode().rstrip("=")
    token = {"token_type": "Bearer", "expires_in": 3600, "access_token": f"e30.{claims}.s"}
    return (
        Cloud()
        .on("GET", "/openid-configuration", 200, {
            "issuer": f"{LOGIN}/v2.0", "token_endpoint": f"{LOGIN}/oauth2/v2.0/token",
            "authorization_endpoint": f"{LOGIN}/oauth2/v2.0/authorize", "tenant_region_scope": "EU",
        })
        .on("GET", "/instance", 200, {"tenant_discovery_endpoint": f"{LOGIN}/v2.0/.well-known/openid-configuration"})
        .on("POST", "/token", 200, token)
    )  # fmt: skip


def test_a_secret_is_sent_only_for_a_call_that_goes_out() -> None:
    """A refused call asks the identity platform for nothing; an allowed one gets its token past the guard."""
    login, cloud = identity(), Cloud()
    credential: Any = ClientSecretCredential(TENANT, "app", "secret", transport=login.transport())
    one = guard(resolver="auto").install()
    try:
        compute = ComputeManagementClient(credential, "s", transport=cloud.transport())
        with one.acting_for("d5"), pytest.raises(ProvisioningDenied):
            compute.virtual_machines.begin_create_or_update("rg", "v", vm(ND))
        assert (login.sent, cloud.sent) == ([], [])
        with one.acting_for("plain"):
            compute.virtual_machines.begin_create_or_update("rg", "v", vm(ND))
        assert login.writes == ["POST token"]
        assert cloud.writes == ["PUT v"]
    finally:
        one.uninstall()
