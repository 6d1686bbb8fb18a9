"""Private keys and signed tokens: as PEM, truncated, numbered, escaped, in base64 again, or without a header."""

import base64
import re

from ccship.privacy.redact.rules import NEXT_LINE, START, Rule

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_BREAK = r"(?:\\{1,31}(?:[nrt]|u2192)|[\s\"'+,|>:→\d-]){1,16}"
_BASE64 = r"[A-Za-z0-9+/]"


def _is_private(hit: re.Match[str]) -> bool:
    """Whether base64 text encodes the PEM of a private key, not of a certificate."""
    encoded = re.sub(r"[^A-Za-z0-9+/]", "", hit[0][:120])
    return b"PRIVATE KEY" in base64.b64decode(encoded[: len(encoded) // 4 * 4])


def _has_a_body(hit: re.Match[str]) -> bool:
    """Whether there is a key between the marker lines; code that searches for the markers has none."""
    return re.search(r"[A-Za-z0-9+/=_-]{16,}", hit[0].removeprefix(_BEGIN).replace(_DASHES, " ")) is not None


RULES = (
    Rule(
        "private-key",
        _BEGIN
        + r"(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        + r"(?:(?:(?!-----)[\s\S]){0,20000}?-?-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        # Truncated: match all base64 text, whatever prefix the lines have.
        + r"|(?>(?:(?>(?:\\{1,31}(?:[nrt]|u2192)|[\s\"'`+,|>:→\d]|-(?!-))*)"
        + r"(?:[\w-]{1,20}: [\w,-]{1,80}|[A-Za-z0-9+/=]{24,}+))*)"
        + r"(?:(?:\\{1,31}(?:[nrt]|u2192)|[\s\"'`+,|>:→\d]|-(?!-)){0,12}[A-Za-z0-9+/=]{4,})?)",
        ("-----BEGIN ",),
        accept=_has_a_body,
    ),
    Rule(
        "private-key-base64",
        rf"{START}LS0tLS1CRUdJTi{_BASE64}{{20,}}+(?>(?:(?:\s|\\{{1,31}}[nr]){{1,12}}{_BASE64}{{20,}}+)*)(?:(?:\s"
        rf"|\\{{1,31}}[nr]){{1,12}}{_BASE64}{{1,}}+)?=*",
        ("LS0tLS1CRUdJTi",),
        accept=_is_private,
    ),
    Rule(
        "private-key-body",
        r"(?:MII[A-Za-z0-9+/]{3}IBA(?:DANBgkqhkiG9w0BAQEFAASC|AK[BC])|MC4CAQAwBQYDK2VwBCIEI"
        r"|MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg|MHcCAQEEI)"
        rf"{_BASE64}{{20,}}+(?>(?:{_BREAK}{_BASE64}{{20,}}+)*)(?:{_BREAK}{_BASE64}{{1,80}}+)?=*",
        ("MII", "MC4CAQAwBQYDK2VwBCIEI", "MIGHAgEAMBMGByqGSM49", "MHcCAQEEI"),
    ),
    Rule(
        "ssh-private-key",
        r"(?:b3BlbnNzaC1rZXktdjE(?>(?:[A-Za-z0-9+/=\s]|\\{1,31}[nr])*)"
        rf"|Private-Lines: \d{{1,3}}(?P<secret>(?>(?:{NEXT_LINE}[ \t]{{0,8}}[A-Za-z0-9+/=]{{16,}}+)+)))",
        ("b3BlbnNzaC1rZXktdjE", "Private-Lines: "),
    ),
    Rule(
        "shared-key-file",
        r"BEGIN (?:OpenVPN Static key V\d|SSH2 ENCRYPTED PRIVATE KEY) ?-{4,5}"
        r"(?P<secret>(?:(?!----[ -]?END)[\s\S]){16,20000})",
        ("begin openvpn static", "begin ssh2 encrypted"),
    ),
    Rule(
        "jwt",
        START + r"eyJ[\w-]{10,600}+(?:\.[\w-]*+){2,4}",
        ("eyJ",),
    ),
)
