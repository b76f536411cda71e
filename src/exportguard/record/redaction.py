"""Secrets out of request parameters, by the shape of the parameter: its name, its place, its text.

Pure functions on JSON-like values. A value that is taken out leaves `[redacted: what it was]`; nothing of it stays,
not even its length or a digest (a short password is found again from either).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_MAX_DEPTH: Final = 100

_SECRET_PARTS: Final = (
    ("password", "password"), ("passwd", "password"), ("passphrase", "password"), ("pwd", "password"),
    ("passcode", "password"), ("passkey", "password"),
    ("secret", "secret"), ("credential", "credentials"), ("privatekey", "key"), ("apikey", "key"),
    ("accesskey", "key"), ("accountkey", "key"), ("sharedkey", "key"), ("encryptionkey", "key"),
    ("signingkey", "key"), ("sshkey", "key"), ("storagekey", "key"), ("masterkey", "key"), ("keymaterial", "key"),
    ("primarykey", "key"), ("secondarykey", "key"), ("adminkey", "key"), ("licensekey", "key"), ("authkey", "key"),
    ("hostkey", "key"), ("functionkey", "key"), ("subscriptionkey", "key"), ("clientkey", "key"), ("userkey", "key"),
    ("keydata", "key"), ("sastoken", "signature"), ("saskey", "signature"), ("sasurl", "signature"),
    ("sasuri", "signature"), ("signature", "signature"), ("connectionstring", "connection string"),
    ("connstr", "connection string"), ("userdata", "user data"), ("customdata", "user data"),
    ("cloudinit", "user data"), ("startupscript", "script"), ("protectedsettings", "settings"),
    ("commandtoexecute", "script"), ("scriptcontent", "script"), ("bootstrapscript", "script"),
    ("authorization", "authorization"), ("cookie", "cookie"), ("bearer", "token"), ("jwt", "token"),
    ("pemdata", "key"), ("pfx", "key"), ("certificatedata", "certificate"), ("dockerconfig", "credentials"),
    ("kubeconfig", "credentials"), ("htpasswd", "password"), ("mfacode", "token"), ("otp", "token"),
)  # fmt: skip
"""Found anywhere in a name once it is written in small letters without `_`, `-` or `.`."""

_SECRET_WORDS: Final = {
    "pass": "password", "pw": "password", "token": "token", "auth": "authorization", "sas": "signature",
    "sig": "signature", "pin": "password", "pem": "key", "creds": "credentials", "cred": "credentials",
    "otp": "token", "key": "key",
}  # fmt: skip
"""Found as a whole word of a name (`authToken` has two words, `author` has none of these)."""

_WHOLE_NAMES: Final = {
    "script": "script", "scripts": "script", "command": "command", "commands": "command", "args": "command",
    "arguments": "command", "entrypoint": "command", "oncreate": "script", "onstart": "script",
    "containerentrypoint": "command", "containerarguments": "command", "startupcommand": "command",
    "messages": "content", "prompt": "content", "prompts": "content", "inputtext": "content",
    "systemprompt": "content", "instructions": "content",
}  # fmt: skip
"""Places for free text in which anything may stand."""

_ENVIRONMENT: Final = frozenset(
    {
        "environment", "environmentvariables", "environmentvariable", "env", "envvars", "appsettings", "envfrom",
        "environmentoverrides", "variables", "stringdata", "applicationsettings", "localsettings",
    }
)  # fmt: skip

_PUBLIC: Final = frozenset(
    {
        "key", "keys", "keyname", "keypairname", "keypairid", "kmskeyid", "kmskeyarn", "kmskey", "keyid", "keyarn",
        "keyvaultid", "keyvaulturi", "keyspec", "keyusage", "keytype", "partitionkey", "sortkey", "routingkey",
        "maxtokens", "tokens", "tokencount", "maxoutputtokens", "maxcompletiontokens", "totaltokens", "inputtokens",
        "outputtokens", "maxtokenstosample", "maxtokencount", "maxnewtokens", "tokensperminute",
        "passthrough", "httptokens", "volumekmskeyid", "outputkmskeyid", "sources3key", "s3key", "keyprefix",
        "authorizationtype", "authorizationstatus", "authtype", "authmode", "customermanagedkey",
        "disablepasswordauthentication", "secretsmanagersecretid", "passwordauthentication",
        "enablepasswordauthentication", "signatureversion",
    }
)  # fmt: skip
"""Names that hold one of the above and no secret."""

_PAIR_NAMES: Final = (
    "name", "key", "parameterkey", "parametername", "optionname", "settingname", "variablename", "fieldname", "n",
    "keyname", "variable", "field", "option", "setting",
)  # fmt: skip
_PAIR_VALUES: Final = ("value", "parametervalue", "v", "stringvalue", "defaultvalue", "values")


def redact(value: Any) -> Any:
    """*value* (JSON-like: mappings, lists, text, numbers) without its secrets. The argument is left as it is."""
    return _redact(value, 0)


def scrub(text: str) -> str:
    """*text* without the secrets that can be told by their own shape (keys, tokens, signed URLs, assignments)."""
    if len(text) < 6 or text in _harmless:
        return text
    scrubbed = text
    if _MAYBE.search(text):
        for pattern, replacement in _TEXT_SHAPES:
            scrubbed = pattern.sub(replacement, scrubbed)
        scrubbed = _OPTION.sub(_without_value, _ASSIGNMENT.sub(_without_value, scrubbed))
    if scrubbed == text and len(text) <= 300:
        # Reasons, rules and sources come again with every decision. Only texts without a secret are remembered.
        if len(_harmless) >= _REMEMBERED:
            _harmless.clear()
        _harmless.add(text)
    return scrubbed


_REMEMBERED: Final = 4096
_harmless: set[str] = set()


def scrub_all(value: Any, _depth: int = 0) -> Any:
    """`scrub` on every text in *value*, for data whose names are our own."""
    if isinstance(value, str):
        return scrub(value)
    if _depth > _MAX_DEPTH:
        return _mark("too deep")
    if isinstance(value, Mapping):
        return {key: scrub_all(inner, _depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(inner, _depth + 1) for inner in value]
    return value


def _mark(what: str) -> str:
    return f"[redacted: {what}]"


@lru_cache(maxsize=4096)
def _flat(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold())


@lru_cache(maxsize=4096)
def secret_name(name: str) -> str | None:
    """What a parameter of this name holds, if it is not to be kept."""
    flat = _flat(name)
    if flat in _PUBLIC:
        return None
    for part, what in _SECRET_PARTS:
        if part in flat:
            return what
    if flat in _WHOLE_NAMES:
        return _WHOLE_NAMES[flat]
    words = [word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    for word in words:
        if word in _SECRET_WORDS:
            return _SECRET_WORDS[word]
    # `accesstoken` in one word; `tokens` counts something.
    if flat.endswith("token") or (flat.startswith("token") and not flat.startswith(("tokenizer", "tokens", "tokeniz"))):
        return "token"
    return None


def _redact(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return _mark("too deep")
    if isinstance(value, str):
        return _text(value, depth)
    if isinstance(value, bytes | bytearray | memoryview):
        return _mark("bytes")
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple):
        return _list(value, depth)
    if value is None or isinstance(value, bool | int | float):
        return value
    return _mark(type(value).__name__)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    pair = _pair_secret(value)
    out: dict[str, Any] = {}
    for key, inner in value.items():
        name = _name(key)
        shown = scrub(name)
        what = secret_name(name)
        if _flat(name) in _ENVIRONMENT:
            out[shown] = _environment(inner, depth + 1)
        elif pair is not None and _flat(name) in _PAIR_VALUES:
            out[shown] = _gone(inner, pair)
        elif what is not None:
            out[shown] = _gone(inner, what)
        else:
            out[shown] = _redact(inner, depth + 1)
    return out


def _name(key: object) -> str:
    if isinstance(key, str):
        return key
    small = isinstance(key, float | None) or (isinstance(key, int) and key.bit_length() <= 256)
    return str(key) if small else f"[{type(key).__name__}]"


def _gone(inner: Any, what: str) -> Any:
    """The mark; but what cannot be a secret (nothing, a switch, a count of tokens) stays."""
    if inner is None or isinstance(inner, bool) or inner in ("", [], {}):
        return inner
    if isinstance(inner, int | float) and what == "token":
        return inner
    return _mark(what)


def _pair_secret(value: Mapping[Any, Any]) -> str | None:
    """`{"name": "DB_PASSWORD", "value": …}`: what the name says about the value beside it."""
    flat = {_flat(key): inner for key, inner in value.items() if isinstance(key, str)}
    if not any(name in flat for name in _PAIR_VALUES):
        return None
    for name in _PAIR_NAMES:
        called = flat.get(name)
        if isinstance(called, str):
            what = secret_name(called)
            if what is not None or _flat(called) in _ENVIRONMENT:
                return what or "environment"
    return None


def _environment(value: Any, depth: int) -> Any:
    """The names of environment variables stay, their values go, whatever they are called."""
    if depth > _MAX_DEPTH:
        return _mark("too deep")
    if isinstance(value, Mapping):
        flat = {_flat(_name(key)) for key in value}
        if flat & set(_PAIR_VALUES) and flat & set(_PAIR_NAMES):
            return {
                _name(key): _gone(inner, "environment")
                if _flat(_name(key)) in _PAIR_VALUES
                else _redact(inner, depth + 1)
                for key, inner in value.items()
            }
        return {
            scrub(_name(key)): _environment(inner, depth + 1)
            if _flat(_name(key)) in _ENVIRONMENT
            else _gone(inner, "environment")
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_environment(inner, depth + 1) for inner in value]
    return _gone(value, "environment")


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    out: list[Any] = []
    follows: str | None = None
    for inner in value:
        if follows is not None and isinstance(inner, str) and not inner.startswith("-"):
            out.append(_mark(follows))
            follows = None
            continue
        follows = None
        out.append(_redact(inner, depth + 1))
        # A command line as a list: the secret is the element after its option.
        if isinstance(inner, str) and inner.startswith("-") and "=" not in inner:
            follows = secret_name(inner.lstrip("-"))
    return out


def _text(text: str, depth: int) -> str:
    start = text.lstrip()[:1]
    if start in ("{", "[") and len(text) > 1:
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return scrub(text)
        if isinstance(inner, dict | list):
            return json.dumps(_redact(inner, depth + 1), ensure_ascii=False)
    if _SCRIPT.match(text):
        return _mark("script")
    return scrub(text)


_SCRIPT: Final = re.compile(
    r"\s*(#!|#cloud-config|#cloud-boothook|#include\b|<powershell>|<script>|Content-Type:\s*multipart/mixed)"
    # The same in base64: `#!/`, `#cloud-`, `<power`, `Content-Type: mul`, and a gzip header.
    r"|\s*(IyEv|I2Nsb3Vk|PHBvd2Vyc2hlbGw|Q29udGVudC1UeXBlOiBtdWx0|H4sI)[A-Za-z0-9+/=\s]*$",
    re.IGNORECASE,
)

_SECRET_IN_NAME: Final = re.compile(
    r"pass(?:word|wd|phrase)|pwd|secret|token(?!s|iz)|(?:api|access|account|auth|shared|private|storage)[_.-]?key"
    r"|signature|credential|(?:^|[_.-])pass$",
    re.IGNORECASE,
)
_ASSIGNED: Final = r"(\"[^\"]*\"|'[^']*'|[^\s;,&\"']+)"

_ASSIGNMENT: Final = re.compile(rf"(?<![\w.-])([\w.-]{{2,200}}+[\"']?\s{{0,8}}(?:=>|[=:])\s{{0,8}}){_ASSIGNED}")
"""`name=value`, `name: value`, `--name=value`, `"name": "value"`. Possessive, so that no text takes quadratic time."""

_OPTION: Final = re.compile(rf"(?<![\w.-])(--?[\w.-]{{2,200}}+\s{{1,8}})(?!-){_ASSIGNED}")


def _without_value(found: re.Match[str]) -> str:
    name, value = found.group(1, 2)
    if value.startswith("[redacted") or not _SECRET_IN_NAME.search(name.strip(" \t\r\n=:>\"'")):
        return found.group()
    return f"{name}[redacted: secret]"


_TEXT_SHAPES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE)[A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.S
        ),
        "[redacted: key]",
    ),
    # user:password@host
    (re.compile(r"(?<=://)[^/\s@:]*:[^/\s]*@"), "[redacted: credentials]@"),
    # Query parameters that are, or carry, a signature or a key.
    (
        re.compile(
            r"(?i)([?&;](?:amp;)?(?:sig|signature|x-(?:amz|goog|ms)-(?:signature|security-token|credential)|awsaccesskeyid"
            r"|(?:access_?|id_?|refresh_?|auth_?|sas_?)?token|(?:api|access|subscription|function)[-_]?key|code|key"
            r"|client_secret|password|pwd)=)[^&\s\"'<>#]+"
        ),
        r"\1[redacted: signature]",
    ),
    (
        re.compile(
            r"(?i)\b(bearer|basic|digest|negotiate|sharedkey|sharedaccesssignature|apikey)\s+[A-Za-z0-9+/=_.~:&%-]{8,}"
        ),
        r"\1 [redacted: authorization]",
    ),
    (re.compile(r"(?i)\bAWS4-HMAC-SHA256\s+Credential=.*"), "AWS4-HMAC-SHA256 [redacted: authorization]"),
    # Tokens that their issuers made recognisable.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,4000}+\.[A-Za-z0-9_-]{5,8000}+\.[A-Za-z0-9_-]*"), "[redacted: token]"),
    (re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"), "[redacted: key]"),
    (
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,})"),
        "[redacted: token]",
    ),
    (
        re.compile(r"\b(?:hf_[A-Za-z0-9]{20,}|xox[abeprs]-[\w-]{10,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,})"),
        "[redacted: token]",
    ),
    (re.compile(r"\b(?:sk|rk|pk)[-_][A-Za-z0-9_-]{16,}|\bAIza[\w-]{30,}|\bya29\.[\w.-]{20,}"), "[redacted: key]"),
    (
        re.compile(r"\b(?:nvapi-[\w-]{20,}|wandb_[A-Za-z0-9]{20,}|dop_v1_[a-f0-9]{40,}|shpat_[a-f0-9]{30,})"),
        "[redacted: token]",
    ),
    # A client secret of Microsoft Entra: three characters, a digit, `Q~`.
    (re.compile(r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{30,}"), "[redacted: secret]"),
    # Eighty-eight characters of base64 that end in ==: a 64-byte key, as storage and Cosmos accounts have them.
    (re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"), "[redacted: key]"),
)

_MAYBE: Final = re.compile(
    r"(?i)://|[=:]|-----|\b(?:ey|ak|as|ab|ac|gh|gl|hf|xo|np|py|sk|rk|pk|ai|ya|nv|wa|do|sh)[\w-]|"
    r"bearer|basic|digest|--|Q~|[a-z0-9+/]{86}"
)
"""Whether any of the shapes could be there at all: most texts are names and codes, and pass at once."""
