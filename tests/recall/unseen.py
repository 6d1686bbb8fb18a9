"""A second hold-out, with its own templates, values and frames: `uv run python -m tests.recall --unseen` measures it.

Its author had not seen the redaction's rules, the practice set, or more than 35 carriers of the first hold-out. The
same rule applies: correct a case when it is unrealistic or wrong, never because the redaction misses it.
Most bare tokens have the same shape in both sets: services document one.
"""

import json
from collections.abc import Iterator

from recall import unseen_bare, unseen_carriers, unseen_formats, unseen_innocent, unseen_named
from recall.holdout import SEED, Case, Frame, Tables, cases, path, prefixed
from recall.unseen_pieces import make


def written(text: str, name: str) -> str:
    """The input of a tool that writes a file, as JSON."""
    return json.dumps({"file_path": f"/home/ada/src/shop/{name}", "content": text + "\n"}, ensure_ascii=False)


def hunk(text: str, name: str, line: int) -> str:
    """A diff that replaces the old text by nothing: what removes a secret shows it as well."""
    size = text.count("\n") + 1
    head = f"diff --git a/{name} b/{name}\nindex 3f1c9aa..b7e02d4 100644\n--- a/{name}\n+++ b/{name}\n"
    return f"{head}@@ -{line},{size + 1} +{line},1 @@\n" + prefixed(text, lambda _: "-") + "\n  \n"


FILE_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: prefixed(text, lambda line: f"{line + n:6}\t"),
    lambda text, kind, n: hunk(text, path(kind), n),
    lambda text, kind, n: prefixed(text, lambda line: f"./{path(kind)}-{line + n}-"),
    lambda text, kind, n: written(text, path(kind)),
    lambda text, kind, n: f"I changed line {n} of **{path(kind)}**:\n\n```\n{text}\n```\n\nIt works now.",
)
COMMAND_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: f"root@node{n}:/opt# {text}\nok",
    lambda text, kind, n: f"  {n}  2025-06-14 11:02:{n % 60:02}  {text}",
    lambda text, kind, n: f"Please try\n\n```bash\n{text}\n```\nand paste the output.",
    lambda text, kind, n: f"#!/bin/sh\nset -eu\n\n{text}\necho done {n}",
    lambda text, kind, n: f"+ {text}\nbuild {n} finished",
)
BARE_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: f"can you check whether {text} still works? It was in ticket {n}",
    lambda text, kind, n: f"| {n} | {text} | active |",
    lambda text, kind, n: f"  - {text}\n  - item {n}",
    lambda text, kind, n: f'result = call("{text}", {n})',
    lambda text, kind, n: f"{n}: {text}\n",
)
TEXT_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: prefixed(text, lambda line: f"{line + n:6}\t"),
    lambda text, kind, n: f"The log of pod {n} has this:\n{text}\nWhat does it mean?",
    lambda text, kind, n: prefixed(text, lambda line: f"Jun 14 08:{line % 60:02}:31 node{n} app[{n}]: "),
    lambda text, kind, n: prefixed(text, lambda _: "> "),
    lambda text, kind, n: prefixed(text, lambda _: f"app-{n}-1  | "),
)
WHOLE_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: f"{text}\n",
    lambda text, kind, n: f"exit code {n}\n\n{text}",
    lambda text, kind, n: f"<bash-stdout>{text}</bash-stdout>",
    lambda text, kind, n: f"Here it is again:\n\n{text}\n",
    lambda text, kind, n: prefixed(text, lambda _: "    "),
)

TABLES: Tables = (
    ("named", FILE_FRAMES, unseen_named.FILES),
    ("named", COMMAND_FRAMES, unseen_named.COMMANDS),
    ("carrier", TEXT_FRAMES, unseen_carriers.OUTPUT),
    ("carrier", FILE_FRAMES, unseen_carriers.FILES),
    ("carrier", COMMAND_FRAMES, unseen_carriers.COMMANDS),
    ("bare", BARE_FRAMES, unseen_bare.TOKENS),
    ("bare", TEXT_FRAMES, unseen_bare.BLOCKS),
    ("format", FILE_FRAMES, unseen_formats.FILES),
    ("format", COMMAND_FRAMES, unseen_formats.COMMANDS),
    ("format", WHOLE_FRAMES, unseen_formats.OUTPUT),
    ("innocent", FILE_FRAMES, unseen_innocent.FILES),
    ("innocent", COMMAND_FRAMES, unseen_innocent.COMMANDS),
    ("innocent", WHOLE_FRAMES, unseen_innocent.OUTPUT),
)


def unseen_cases(seed: int = SEED) -> Iterator[Case]:
    """Yield the cases of the second hold-out."""
    return cases(seed, TABLES, make)
