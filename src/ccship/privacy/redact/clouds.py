"""Credentials of clouds and of platforms on them."""

from ccship.privacy.redact.rules import START, Rule

_KEY_ID = r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"
_KEY_IDS = ("AKIA", "ASIA", "ABIA", "ACCA")

RULES = (
    Rule(
        "aws-access-key-id",
        START + _KEY_ID + r"(?![A-Za-z0-9])",
        _KEY_IDS,
    ),
    Rule(
        "aws-secret-key",
        START
        + _KEY_ID
        + r"[^A-Za-z0-9](?:[^\n]|\n(?!\n)){0,160}?(?<![A-Za-z0-9/+])(?P<secret>(?![0-9a-f]{40})[A-Za-z0-9/+]{40})"
        + r"(?![A-Za-z0-9+=])",
        _KEY_IDS,
    ),
    Rule(
        "gcp-oauth",
        START + r"(?:ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+|1//0[\w-]{40,}+)",
        ("ya29.", "GOCSPX-", "1//0"),
    ),
    Rule(
        "gcp-service-account",
        r"private_key(?:_id)?\\{0,31}\"[ \t]{0,8}:[ \t]{0,8}\\{0,31}\""
        r"(?P<secret>[0-9a-f]{40}|-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----[^\"]*+)",
        ("private_key",),
    ),
    Rule(
        "azure-key",
        r"(?:AccountKey|SharedAccessKey|PrimaryKey|SecondaryKey|InstrumentationKey)"
        r"[ \t]{0,4}=[ \t]{0,4}(?P<secret>[A-Za-z0-9+/]{43,}+={0,2}|[0-9a-f-]{36})",
        ("InstrumentationKey=", "AccountKey", "SharedAccessKey", "PrimaryKey", "SecondaryKey"),
    ),
    Rule(
        "azure-key-list",
        r"keyName\\{0,31}\"[^{}]{0,160}?value\\{0,31}\":[ ]?\\{0,31}\"(?P<secret>[A-Za-z0-9+/]{40,}+={0,2})",
        ("keyname",),
    ),
    Rule(
        "azure-devops-token",
        r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        ("AZDO",),
        lead=76,
    ),
    Rule(
        "cloudflare-token",
        START + r"(?:cf(?:ut|at|k)_[\w-]{36,}+|v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}+)",
        ("cfut_", "cfat_", "cfk_", "v1.0-"),
    ),
    Rule(
        "cloudflare-key",
        r"(?i)(?:cloudflare|x-auth-key|cf_api)[\w\\\"' .-]{0,30}(?:=>|[:=])[ \t]{0,4}[\\\"'`]{0,8}"
        r"(?P<secret>[\w-]{37,45})(?![\w-])",
        ("cloudflare", "x-auth-key", "cf_api", "X-Auth-Key"),
    ),
)
