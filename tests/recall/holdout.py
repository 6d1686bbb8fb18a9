"""The hold-out: generated secrets in everyday text, and text without secrets, to measure the redaction.

Write new cases from how credentials look in the wild, without reading the redaction's rules. Correct a case only when
it is unrealistic or its secrets are wrong, never because the redaction misses it.

A template marks a secret as «…» and a random piece as ⟨…⟩ (see `holdout_pieces`); the content of «…» is one piece when
it contains no ⟨…⟩ of its own. A secret of several lines counts line by line. Each template gives six cases with
different values and mostly different frames: as Read prints it, in a diff, from grep, in a log, in an answer.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from recall import holdout_bare, holdout_carriers, holdout_commands, holdout_formats, holdout_innocent, holdout_named
from recall.holdout_pieces import piece

Group = Literal["named", "carrier", "bare", "format", "innocent"]
GROUPS: tuple[Group, ...] = get_args(Group)
SEED = 20260
VALUES = 6

MARKS = re.compile(r"«(?P<secret>[^»]*)»|⟨(?P<piece>[^⟩]*)⟩")

Table = dict[str, str]
Frame = Callable[[str, str, int], str]
"""Takes the text, the kind (its first word is the path of the file) and a line number or the like."""
Make = Callable[[str, Random, int], str]
"""Makes the value of a piece from its name and length, a generator, and the number of the variant."""
Tables = tuple[tuple[Group, tuple[Frame, ...], Table], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A text and the exact substrings that must not remain after redaction (none in an innocent text)."""

    group: Group
    kind: str
    text: str
    secrets: tuple[str, ...]


def prefixed(text: str, prefix: Callable[[int], str]) -> str:
    return "\n".join(prefix(number) + line for number, line in enumerate(text.split("\n")))


def path(kind: str) -> str:
    return kind.split(" ", 1)[0]


def diff(text: str, name: str, line: int) -> str:
    size = text.count("\n") + 1
    return f"--- a/{name}\n+++ b/{name}\n@@ -{line},0 +{line + 1},{size} @@\n" + prefixed(text, lambda _: "+")


FILE_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: prefixed(text, lambda line: f"{line + n:6}→"),
    lambda text, kind, n: diff(text, path(kind), n),
    lambda text, kind, n: prefixed(text, lambda line: f"{path(kind)}:{line + n}:"),
    lambda text, kind, n: f"This is what I put into `{path(kind)}`:\n\n```\n{text}\n```\n\nShall I run the tests?",
    lambda text, kind, n: f"cat > {path(kind)} <<'EOF'\n{text}\nEOF",
)
COMMAND_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: f"ada@build-{n}:~$ {text}",
    lambda text, kind, n: prefixed(text, lambda line: f"{line + n:5}  "),
    lambda text, kind, n: f"Run this on the server and tell me what it prints:\n\n    {text}\n",
    lambda text, kind, n: f"cd /srv/app && {text}",
    lambda text, kind, n: f"$ {text}\nError: exit code {n}",
)
BARE_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: f"The value in the log of build {n} was {text}, is that still in use?",
    lambda text, kind, n: f"I found `{text}` in the history.",
    lambda text, kind, n: f'[\n  "{text}",\n  "{n}"\n]',
    lambda text, kind, n: f"{n}:\t{text}",
    lambda text, kind, n: f"$ cat /tmp/out.{n}\n{text}\n$ ",
)
TEXT_FRAMES: tuple[Frame, ...] = (
    lambda text, kind, n: text,
    lambda text, kind, n: prefixed(text, lambda line: f"{line + n:6}→"),
    lambda text, kind, n: prefixed(text, lambda _: "    "),
    lambda text, kind, n: f"It prints:\n\n```\n{text}\n```\n\nThat is what I expected.",
    lambda text, kind, n: prefixed(text, lambda _: f"web-{n}  | "),
    lambda text, kind, n: prefixed(text, lambda line: f"2025-08-11T09:{line % 60:02}:12.{n:03}Z "),
)
PLAIN: tuple[Frame, ...] = (lambda text, kind, n: text,)

TABLES: Tables = (
    ("named", FILE_FRAMES, holdout_named.FILES),
    ("named", COMMAND_FRAMES, holdout_named.COMMANDS),
    ("named", TEXT_FRAMES, holdout_named.OUTPUT),
    ("carrier", TEXT_FRAMES, holdout_carriers.OUTPUT),
    ("carrier", FILE_FRAMES, holdout_carriers.FILES),
    ("carrier", COMMAND_FRAMES, holdout_carriers.COMMANDS),
    ("bare", BARE_FRAMES, holdout_bare.TOKENS),
    ("bare", TEXT_FRAMES, holdout_bare.BLOCKS),
    ("format", COMMAND_FRAMES, holdout_commands.COMMANDS),
    ("format", FILE_FRAMES, holdout_formats.FILES),
    ("format", PLAIN, holdout_formats.OUTPUT),
    ("innocent", FILE_FRAMES, holdout_innocent.FILES),
    ("innocent", TEXT_FRAMES, holdout_innocent.OUTPUT),
)


def render(template: str, rng: Random, turn: int, make: Make = piece) -> tuple[str, tuple[str, ...]]:
    """Fill in a template: return the text and its secrets, split into lines."""
    secrets: list[str] = []

    def value(mark: re.Match[str]) -> str:
        inner = mark["secret"]
        if inner is None:
            return make(mark["piece"], rng, turn)
        made = MARKS.sub(value, inner) if "⟨" in inner else make(inner, rng, turn)
        secrets.extend(made.split("\n"))
        return made

    return MARKS.sub(value, template), tuple(secrets)


def cases(seed: int = SEED, tables: Tables = TABLES, make: Make = piece) -> Iterator[Case]:
    """Yield the cases of these tables. The same seed gives the same cases; a new row changes no case of another row."""
    for group, frames, table in tables:
        for kind, template in table.items():
            for number in range(VALUES):
                rng = Random(f"{seed} {group} {kind} {number}")  # noqa: S311 - reproducible, not secret
                # Shifted by the length of the name: otherwise the same variant of a value always meets the same frame.
                text, secrets = render(template, rng, number + len(kind), make)
                text = frames[number % len(frames)](text, kind, rng.randint(2, 180))
                yield Case(group, kind, text, secrets)
