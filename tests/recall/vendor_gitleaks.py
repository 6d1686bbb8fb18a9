r"""Write the rules of gitleaks as data for `ccship.privacy.redact`.

    python tests/recall/vendor_gitleaks.py path/to/config/gitleaks.toml v8.30.1 path/to/LICENSE

Reads gitleaks' configuration (RE2 syntax) and writes `gitleaks.json` (Python's syntax) and `gitleaks.LICENSE` into
`src/ccship/privacy/redact`. The same input gives the same output.

There are two kinds of rules. An *assigned* rule recognises a service by its name (`adafruit_key = "..."`): the data
has its name and the pattern of its secret; the syntax between the two is the same for all and belongs to
`ccship.privacy.redact.gitleaks`. A *shaped* rule recognises a secret by its shape: the data has its pattern, how many
characters of it come before the keyword (`lead`), and whether it ends at the end of a word (`is_word`).
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent.parent / "src/ccship/privacy/redact"

LEFT_OUT = {
    "curl-auth-header": "authorization-header and named-secret find these in any command",
    "curl-auth-user": "command-line-credentials finds these; this pattern takes quadratic time",
    "freemius-secret-key": "named-secret finds it",
    "generic-api-key": "too general for running text; named-secret replaces it",
    "hashicorp-tf-password": "named-secret finds it",
    "jwt": "the built-in rule of the same name also finds encrypted tokens",
    "kubernetes-secret-yaml": "kubernetes-secret finds every value, not only the first",
    "microsoft-teams-webhook": "webhook-url finds it",
    "nuget-config-password": "named-secret finds it",
    "pkcs12-file": "matches file names, not text",
    "private-key": "the built-in rule of the same name also finds truncated, escaped and numbered keys",
    "sentry-org-token": "sentry-token finds it in linear time",
    "sidekiq-sensitive-url": "basic-auth-url finds it",
}
"""Rules that are not vendored, with the reason."""

KEYWORDS = {
    "airtable-personnal-access-token": ["pat"],
    "atlassian-api-token": ["atatt3"],
    "azure-ad-client-secret": [f"{digit}q~" for digit in range(10)],
    "cloudflare-origin-ca-key": ["v1.0-"],
    "facebook-access-token": [f"{digit}|" for digit in range(10)],
    "flyio-access-token": ["fo1_", "fm1a_", "fm1r_", "fm2_"],
    "intra42-client-secret": ["s-s4t2ud-", "s-s4t2af-"],
    "openai-api-key": ["sk-"],
    "sourcegraph-access-token": ["sgp_"],
    "twilio-api-key": [f"sk{digit}" for digit in "0123456789abcdef"],
    "vault-service-token": ["hvs."],
}
"""Keywords at the beginning of the match, for rules whose own are elsewhere in the file or in every other word."""

LEADS = {
    "azure-ad-client-secret": 3,
    "facebook-access-token": 14,
    "hashicorp-tf-api-token": 15,
    "maxmind-license-key": 36,
}

PATTERNS = {
    "azure-ad-client-secret": r"[a-zA-Z0-9_~.]{3}\dQ~[a-zA-Z0-9_~.-]{31,34}\b",
    "aws-amazon-bedrock-api-key-short-lived": r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[\w+/=%-]*\b",
    "facebook-access-token": r"\d{15}\|(?i)[0-9a-z\-_]{27,40}",
    "slack-webhook-url": r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{43,56}\b",
    "sourcegraph-access-token": r"sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}\b",
    "vault-service-token": r"hvs\.[\w-]{90,120}\b",
}
"""Patterns without the parts that a scan by keywords cannot start from, and without what a built-in rule finds."""

BARE = {
    "defined-networking-api-token": "dnkey-",
    "dropbox-short-lived-api-token": "sl.",
    "mailgun-private-api-token": "key-",
    "mailgun-pub-key": "pubkey-",
    "mapbox-api-token": "pk.",
    "new-relic-browser-api-token": "nrjs-",
    "new-relic-insert-key": "nrii-",
    "new-relic-user-api-key": "nrak-",
    "plaid-api-token": "access-",
    "twitter-bearer-token": "a" * 22,
    "typeform-api-token": "tfp_",
    "yandex-access-token": "t1.",
    "yandex-api-key": "aqvn",
}
"""Assigned rules whose secrets also have a shape of their own, with the keyword of that shape."""

MIDDLE = r"""(?:[ \t\w.-]{0,20})[\s'"]{0,3}"""
OPERATOR = r"""(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}"""
END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
OR_SHAPE = ")" + END + r"|\b("
WORD_ENDS = (END, END.removesuffix(")") + r"|\b)", r"(?:[^\w-]|\z)", r"\b")
_BEFORE_NAME = re.compile(r"^(?:\(\?i\)\[\\w\.-\]\{0,50\}\?|\[\\w\.-\]\{0,50\}\?\(\?i:\[\\w\.-\]\{0,50\}\?)")
_OPENING = re.compile(r"\((?:\?(?:P<\w+>|<[!=]|[a-zA-Z-]*[:=!]))?")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def main(config: str, version: str, licence: str) -> None:
    """Write both files.

    Raises:
        ValueError: a rule does not have the form that this script expects.
    """
    document = tomllib.loads(Path(config).read_text())
    assigned, shaped = [], []
    for rule in document["rules"]:
        if rule["id"] in LEFT_OUT:
            continue
        if OPERATOR in rule["regex"]:
            regex, _, shape = rule["regex"].partition(OR_SHAPE)
            assigned.append(_assigned({**rule, "regex": regex + (")" + END if shape else "")}))
            if shape:
                shaped.append(_shaped({**rule, "regex": "(" + shape}))
            if rule["id"] in BARE:
                shaped.append(_bare(assigned[-1]))
        else:
            shaped.append(_shaped(rule))
    allowed = document["allowlist"]
    head = {
        "source": "https://github.com/gitleaks/gitleaks",
        "version": version,
        "licence": "MIT, see gitleaks.LICENSE",
        "allowed": [python_syntax(pattern) for pattern in allowed["regexes"]],
        "stopwords": allowed["stopwords"],
        "left_out": LEFT_OUT,
    }
    (TARGET / "gitleaks.json").write_text(_json(head, {"assigned": assigned, "shaped": shaped}))
    (TARGET / "gitleaks.LICENSE").write_text(Path(licence).read_text())


def _json(head: dict[str, Any], rules: dict[str, list[dict[str, Any]]]) -> str:
    """One line a rule, so that an update is a readable diff."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, rows in rules.items():
        lines.append(f"{json.dumps(key)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _assigned(rule: dict[str, Any]) -> dict[str, Any]:
    before, _, after = rule["regex"].partition(OPERATOR)
    name, _, rest = _BEFORE_NAME.sub("", before).partition(MIDDLE)
    if rest not in {"", ")"} or not after.startswith("(") or not after.endswith(")" + END):
        raise ValueError(f"{rule['id']}: expected a name, an operator and a secret")
    name = python_syntax("(?i)" + name)
    secret = python_syntax("(?i)" * before.startswith("(?i)") + after[1 : -len(")" + END)])
    keywords = [keyword for keyword in rule["keywords"] if re.match(name, keyword)] or _literals(name)
    return _row(rule, keywords, name=name, secret=secret)


def _bare(assigned: dict[str, Any]) -> dict[str, Any]:
    shaped = {key: value for key, value in assigned.items() if key not in {"name", "secret"}}
    return _led({**shaped, "keywords": [BARE[assigned["id"]]], "pattern": assigned["secret"], "is_word": True})


def _shaped(rule: dict[str, Any]) -> dict[str, Any]:
    pattern = PATTERNS.get(rule["id"], rule["regex"])
    is_word = pattern.endswith(WORD_ENDS)
    for end in WORD_ENDS:
        pattern = pattern.removesuffix(end)
    pattern = python_syntax(pattern.replace(r"\b", "", 1) if re.match(r"(\(\?i\))?\\b", pattern) else pattern)
    return _led(_row(rule, KEYWORDS.get(rule["id"], rule["keywords"]), pattern=pattern, is_word=is_word))


def _row(rule: dict[str, Any], keywords: list[str], **more: Any) -> dict[str, Any]:
    row = {"id": rule["id"], "keywords": keywords, **more}
    if rule.get("entropy"):
        row["entropy"] = rule["entropy"]
    allowed = [python_syntax(regex) for allow in rule.get("allowlists", []) for regex in allow.get("regexes", [])]
    return {**row, "allowed": allowed} if allowed else row


def _led(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "lead": LEADS[row["id"]]} if row["id"] in LEADS else row


def _literals(name: str) -> list[str]:
    """The literals that the outermost branches of a name begin with."""
    inside = name.removeprefix("(?i:(?:").removesuffix("))")
    while inside != (flat := re.sub(r"\([^()]*\)", "#", inside)):
        inside = flat
    return sorted({found[0].lower() for branch in inside.split("|") if (found := re.match(r"[\w-]+", branch))})


def python_syntax(pattern: str) -> str:
    r"""Translate RE2's syntax to Python's: flags in the middle, `\z`, `[[:alnum:]]`. No group captures."""
    pattern = pattern.replace("[[:alnum:]]", "[A-Za-z0-9]").replace(r"\z", r"\Z")
    translated, end = _group(pattern, 0)
    if end < len(pattern):
        raise ValueError(f"{pattern}: a parenthesis too many at {end}")
    return translated


def _group(pattern: str, at: int) -> tuple[str, int]:
    """Translate the inside of a group that begins at a place; returns where it ends.

    A flag in the middle applies up to the end of its group, in all later branches too.
    """
    branches, current, ignores_case = [], "", False
    while at < len(pattern) and pattern[at] != ")":
        if pattern.startswith("(?i)", at):
            current, ignores_case, at = current + "(?i:" * (not ignores_case), True, at + len("(?i)")
        elif pattern[at] == "|":
            branches.append(current + ")" * ignores_case)
            current, at = "(?i:" * ignores_case, at + 1
        elif opening := _OPENING.match(pattern, at):
            inside, at = _group(pattern, opening.end())
            is_capturing = opening[0] == "(" or opening[0].startswith("(?P<")
            current, at = f"{current}{'(?:' if is_capturing else opening[0]}{inside})", at + 1
        elif atom := _ATOM.match(pattern, at):
            current, at = current + atom[0], atom.end()
    return "|".join([*branches, current + ")" * ignores_case]), at


if __name__ == "__main__":
    main(*sys.argv[1:])
