"""Made-up credentials of every shape that is redacted, built from pieces: no scanner takes them for real ones."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from recall.sets import bare
from redact_examples import EXAMPLES
from redact_examples.notation import MARKED, canary, made_up, unmarked


class Canary(NamedTuple):
    """`text` holds `secret`, which `rule` must take out: whatever leaves this machine must not contain `secret`."""

    rule: str
    text: str
    secret: str


_NAMES = (
    *("PASSWORD", "DB_PASSWORD", "MYSQL_ROOT_PASSWORD", "SMTP_PASS", "API_KEY", "STRIPE_SECRET", "JWT_SECRET_KEY"),
    *("NEXTAUTH_SECRET", "SESSION_SECRET", "ENCRYPTION_KEY", "GRAFANA_API_TOKEN", "TWILIO_AUTH_TOKEN", "DEPLOY_KEY"),
    *("password", "passwd", "client_secret", "clientSecret", "accessToken", "x-api-key", "dbPassword", "auth-token"),
)


def _canaries(rule: str, marked: str) -> Iterator[Canary]:
    return (Canary(rule, unmarked(marked), secret) for secret in MARKED.findall(marked))


def _named(name: str, place: int) -> tuple[str, str]:
    secret = made_up(17 + place)[place:]
    return f"{name}={canary(secret)}", f'{{"{name}": "{canary(secret[::-1])}"}}'


CANARIES: list[Canary] = [
    *(case for rule, examples in EXAMPLES.items() for marked in examples.hits for case in _canaries(rule, marked)),
    *(
        case
        for place, name in enumerate(_NAMES)
        for marked in _named(name, place)
        for case in _canaries("named-secret", marked)
    ),
    *({rule: Canary(rule, text, secret) for rule, text, secret in bare()}.values()),
]

PLACES: dict[str, Callable[[str], Any]] = {
    "prompt": lambda text: {"input": [{"role": "user", "content": f"please use {text} for it"}]},
    "answer": lambda text: {"output": {"role": "assistant", "content": f"I used {text} for it"}},
    "thinking": lambda text: {"output": {"content": [{"type": "thinking", "thinking": f"Hm.\n\n{text}\n\nNo."}]}},
    "tool input": lambda text: {"input": {"command": f"run --with '{text}'", "timeout": 1000}},
    "tool output": lambda text: {"output": {"stdout": f"line\n{text}\nline", "exit_code": 0}},
    "error": lambda text: {"status_message": f"Error: refused: {text}", "level": "ERROR"},
    "path": lambda text: {"metadata": {"file_path": f"/home/ada/{text}/notes.md"}},
    "URL": lambda text: {"metadata": {"url": f"https://example.com/find?page=2&q={text}"}},
    "JSON in a string": lambda text: {"output": json.dumps({"body": json.dumps({"text": text})})},
    "code fence": lambda text: {"output": f"Like this:\n```sh\n{text}\n```\nDone."},
    "beside punctuation": lambda text: {"output": f"({text}), [{text}]; **{text}**: {text}."},
    "list": lambda text: {"input": {"edits": ["first", text, {"more": [text]}]}},
    "dict key": lambda text: {"input": {text: "value", "nested": {f"{text} ": 1}}},
}
"""Where a credential may stand in what is sent, each as a part of an observation."""


def pieces_of(secret: str) -> list[str]:
    """What must be found nowhere: the lines of a secret, or the whole of a short one."""
    lines = [line.strip() for line in re.split(r"\n|\\+n", secret)]
    return [line.split("→")[-1] for line in lines if len(line) > 5] or [secret]
