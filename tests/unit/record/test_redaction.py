"""Secrets in parameters: none of a corpus of calls comes through, and what an auditor needs does."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportguard.record import redact, scrub
from exportguard.record.redaction import scrub_all

S = "Hunter2secret"
"""Stands for what must not come through, wherever it has no recognisable form of its own."""

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAexamplexample\n-----END RSA PRIVATE KEY-----"
KEY88 = "A" * 43 + "b" * 43 + "=="

CALLS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "user data": ({"UserData": "IyEvYmluL2Jhc2gKZWNobyBo", "InstanceType": "p5.48xlarge"}, ("IyEvYmlu",)),
    "user data in an override": ({"LaunchTemplateData": {"UserData": S}}, (S,)),
    "custom data": ({"properties": {"osProfile": {"customData": S, "adminPassword": S, "adminUsername": "ann"}}}, (S,)),
    "user data by another name": ({"startupScript": S, "cloud-init": S, "cloud_init": S}, (S,)),
    "script under any name": ({"Blob": f"#!/bin/sh\nexport A={S}", "Other": f"#cloud-config\nx: {S}"}, (S,)),
    "script in base64 under any name": ({"Blob": "IyEvYmluL2Jhc2gKZWNobyBodW50ZXIy"}, ("IyEv",)),
    "lifecycle script": ({"OnCreate": [{"Content": S}], "OnStart": [{"Content": S}]}, (S,)),
    "passwords": ({"MasterUserPassword": S, "db_passwd": S, "PWD": S, "passPhrase": S, "pass": S, "admin.pw": S}, (S,)),
    "tokens": (
        {"AuthToken": S, "access_token": S, "sessionToken": S, "accesstoken": S, "Token": S, "x-token": S}, (S,)),
    "keys": (
        {"apiKey": S, "api-key": S, "SecretAccessKey": S, "account_key": S, "primaryKey": S, "sshPrivateKey": S}, (S,)),
    "secrets": ({"clientSecret": S, "Secrets": [{"name": "x", "valueFrom": S}], "secretValue": {"deep": [S]}}, (S,)),
    "hugging face token in a hyperparameter": ({"HyperParameters": {"hf_token": S, "epochs": "3"}}, (S,)),
    "environment mapping": ({"Environment": {"STAGE": S, "B": S}}, (S,)),
    "environment list": ({"environment": [{"name": "STAGE", "value": S}, {"Name": "B", "Value": S}]}, (S,)),
    "environment nested": ({"Environment": {"Variables": {"STAGE": S}}}, (S,)),
    "container definitions as text": (
        {"containerDefinitions": json.dumps([{"image": "x", "environment": [{"name": "A", "value": S}]}])}, (S,)),
    "app settings": ({"siteConfig": {"appSettings": [{"name": "STAGE", "value": S}]}}, (S,)),
    "name and value apart": ({"Tags": [{"Key": "db-password", "Value": S}, {"Key": "owner", "Value": "ann"}]}, (S,)),
    "parameter of a template": ({"parameters": {"adminPassword": {"value": S}, "apiKey": {"value": S}}}, (S,)),
    "stack parameter": ({"Parameters": [{"ParameterKey": "DbPassword", "ParameterValue": S}]}, (S,)),
    "option of an environment": (
        {"OptionSettings": [{"OptionName": "DBPassword", "Value": S}], "x": [{"parameterName": "apiKey", "value": S}]},
        (S,)),
    "passcode": ({"passcode": S, "PassKey": S}, (S,)),
    "extension": ({"properties": {"protectedSettings": {"commandToExecute": S, "storageAccountKey": S}}}, (S,)),
    "command": ({"command": ["sh", "-c", f"login {S}"], "ContainerEntrypoint": [S], "args": S}, (S,)),
    "command line as a list": ({"Steps": ["train", "--password", S, "--wandb-api-key", S, "--epochs", "3"]}, (S,)),
    "authorization header": ({"headers": {"Authorization": f"Bearer {S}", "x-ms-authorization-auxiliary": S}}, (S,)),
    "cookie": ({"headers": {"Cookie": f"s={S}", "Set-Cookie": f"s={S}"}}, (S,)),
    "api key header": ({"headers": {"api-key": S, "Ocp-Apim-Subscription-Key": S, "X-Api-Key": S}}, (S,)),
    "connection string": ({"ConnectionString": S, "x": f"Endpoint=sb://b/;SharedAccessKey={S};EntityPath=q"}, (S,)),
    "storage connection string": ({"x": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY88}"}, (KEY88,)),
    "sql connection string": ({"x": f"Server=tcp:a,1433;User ID=b;Password={S};Encrypt=true"}, (S,)),
    "odbc": ({"x": f"Driver=x;Uid=b;Pwd={S};"}, (S,)),
    "database url": ({"x": f"postgresql://ann:{S}@db.example/x"}, (S,)),
    "database url, odd password": ({"x": f"mysql://ann:p@{S}@db.example/x"}, (S, "p@")),
    "git url": ({"GitConfig": {"RepositoryUrl": f"https://{S}:x-oauth-basic@github.com/a/b"}}, (S,)),
    "shared access signature": (
        {"ModelUri": f"https://a.blob.core.windows.net/c/m?sv=2022-11-02&se=2026-01-01&sr=b&sp=r&sig={S}%3D"}, (S,)),
    "presigned url": (
        {"Url": f"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F2026&X-Amz-Signature={S}"
                f"&X-Amz-Security-Token={S}"}, (S, "AKIAIOSFODNN7EXAMPLE")),
    "google signed url": ({"Url": f"https://storage.googleapis.com/b/o?X-Goog-Signature={S}"}, (S,)),
    "function key in a url": ({"callbackUri": f"https://x.azurewebsites.net/api/f?code={S}"}, (S,)),
    "access key id": ({"x": "key AKIAIOSFODNN7EXAMPLE used"}, ("AKIAIOSFODNN7EXAMPLE",)),
    "json web token": ({"x": f"got {JWT} back"}, (JWT, "eyJzdWIi")),
    "private key": ({"KeyMaterial": PEM, "x": PEM, "y": {"z": [PEM.replace("RSA ", "")]}}, ("MIIEow",)),
    "tokens of known issuers": (
        {"a": "hf_" + "a" * 34, "b": "ghp_" + "b" * 36, "c": "sk-proj-" + "c" * 40, "d": "xoxb-1234567890-abc",
         "e": "glpat-" + "e" * 20, "f": "AIza" + "f" * 35, "g": "nvapi-" + "g" * 40},
        ("aaaa", "bbbb", "cccc", "1234567890", "eeee", "ffff", "gggg")),
    "entra client secret": ({"x": "abc8Q~" + "d" * 34}, ("dddd",)),
    "storage key alone": ({"x": KEY88}, (KEY88,)),
    "assignment in free text": ({"Description": f"deploy with PASSWORD={S} and token: {S} and --api-key {S}"}, (S,)),
    "quoted assignment": ({"x": f"password='{S} with blanks' secret=\"{S} too\""}, (S, "with blanks", "too")),
    "json inside text": ({"body": json.dumps({"max_tokens": 5, "api_key": S, "n": {"password": S}})}, (S,)),
    "json that is not": ({"body": f'{{"password": "{S}", '}, (S,)),
    "prompt": ({"messages": [{"role": "user", "content": S}], "prompt": S, "inputText": S}, (S,)),
    "bytes": ({"Payload": S.encode(), "b": bytearray(S.encode())}, (S,)),
    "object": ({"Payload": type("Body", (), {"__repr__": lambda self: S})()}, (S,)),
    "secret as a number": ({"pin": 123456, "password": 987654321}, ("123456", "987654321")),
    "secret in a key": ({f"https://ann:{S}@db.example": 1}, (S,)),
    "certificate": ({"pfxBlob": S, "certificateData": S, "pemData": S}, (S,)),
    "docker login": ({"registryCredentials": {"username": "a", "x": S}, "dockerConfigJson": S}, (S,)),
    "tuple": ({"x": ({"password": S},)}, (S,)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_no_secret_of_a_call_comes_through(name: str) -> None:
    call, secrets = CALLS[name]
    shown = repr(redact(call))
    for secret in secrets:
        assert secret not in shown
    assert "[redacted: " in shown


KEPT = {
    "InstanceType": "p5.48xlarge", "MinCount": 1, "KeyName": "team-key", "KmsKeyId": "arn:aws:kms:us-east-1:1:key/ab",
    "ImageId": "ami-0abc", "max_tokens": 4096, "tokens": 40_000_000, "maxTokens": 5, "modelId": "anthropic.claude-v2:1",
    "Key": "Name", "Keys": ["a"], "author": "ann", "Authors": "b", "passthrough": True, "location": "westeurope",
    "vmSize": "Standard_ND96isr_H100_v5", "url": "https://management.azure.com/subscriptions/1?api-version=2024-07-01",
    "arn": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20241022-v2:0",
    "disablePasswordAuthentication": True, "tokenizer": "gpt2", "design": "x", "assignee": "y", "Tags": [],
    "time": "2026-11-24T12:00:00Z", "email": "ann@example.com", "description": "Basic tier, 8 GPUs; token budget high",
    "name": "深圳大学", "keyboard": "us", "monkey": 1, "HttpTokens": "required", "KeyPairName": "k",
    "digest": "sha256:" + "ab" * 32, "id": "0f8fad5b-d9cb-469f-a165-70867728950e", "enabled": False, "none": None,
}  # fmt: skip


def test_what_an_auditor_needs_comes_through() -> None:
    """Sizes, models, regions, names, counts of tokens, names of keys: as they were."""
    assert redact(KEPT) == KEPT


def test_names_of_what_was_taken_out_stay() -> None:
    shown = redact({"Environment": {"STAGE": S}, "env": [{"name": "A", "value": S}], "Password": S, "token": None})
    assert shown == {
        "Environment": {"STAGE": "[redacted: environment]"},
        "env": [{"name": "A", "value": "[redacted: environment]"}],
        "Password": "[redacted: password]",
        "token": None,
    }


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(value=json_like)
def test_redacting_leaves_its_argument_alone_and_gives_json(value: Any) -> None:
    before = copy.deepcopy(value)
    json.dumps(redact(value))
    assert value == before


names = st.sampled_from(["password", "Secret", "api_key", "AuthToken", "UserData", "connectionString", "customData"])


@given(value=json_like, name=names, path=st.lists(st.sampled_from(["a", "Items", 0]), max_size=5))
def test_a_secret_under_its_name_never_comes_through_wherever_it_stands(
    value: Any, name: str, path: list[str | int]
) -> None:
    call: Any = {name: "Zq9-marker-9qZ", "beside": value}
    for part in path:
        call = [call] if part == 0 else {part: call}
    assert "Zq9-marker-9qZ" not in repr(redact(call))


@given(text=st.text())
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


def test_deep_values_end() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    assert "too deep" in repr(redact(deep))
    assert "too deep" in repr(scrub_all(deep))


def test_long_texts_take_time_in_proportion() -> None:
    """No pattern goes through a text again for each of its characters (a megabyte would take hours)."""
    for text in ("a" * 300_000, "=" * 300_000, "password" * 40_000, "://" * 100_000, "-" * 300_000, "a:" * 150_000):
        scrub(text)
        redact({"x": text})
