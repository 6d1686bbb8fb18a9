"""Files that a step wrote, and which of them are code."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from ccship.signals.shell import Part, Words, program_of
from ccship.signals.steps import Step

EDITORS = ("Edit", "Write", "MultiEdit", "NotebookEdit")

_CODE = frozenset(
    {
        "py", "pyi", "js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte", "astro", "go", "rs",
        "java", "kt", "kts", "scala", "groovy", "gradle", "cs", "fs", "vb", "c", "h", "cc", "cpp", "cxx", "hpp",
        "m", "mm", "swift", "dart", "rb", "php", "ex", "exs", "erl", "clj", "cljs", "hs", "ml", "lua", "r",
        "jl", "pl", "pm", "sh", "bash", "zsh", "fish", "ps1", "sql", "nix", "tf", "cue", "sol", "zig", "nim",
        "proto", "css", "scss", "less",
    }
)  # fmt: skip
"""Extensions of files that a check could be about: no documents, no JSON, YAML, TOML or lock files."""

_SCRATCH = re.compile(
    r"/(?:private/)?(?:tmp|var/folders|var/tmp)/"
    r"|.*[/\\](?:\.claude[/\\](?:plans|projects|jobs)|scratchpad|temp|tmp)[/\\]"
    r"|[~\w]*\$",
    re.IGNORECASE,
)
"""Files that nobody keeps. A path that begins with a shell variable is mostly one of a temporary folder."""

_OUTPUT = re.compile(r"\d?>>?(?P<target>[^&>]*)")


def code_written(step: Step, parts: Sequence[Part]) -> bool:
    """Return whether a step wrote a code file."""
    return any(_is_code(path) for path in written(step, parts))


def written(step: Step, parts: Sequence[Part]) -> Iterator[str]:
    """Yield the files that a step wrote, as far as its input tells; none if it did not succeed."""
    if step.outcome != "done":
        return
    if step.name in EDITORS:
        path = step.arguments.get("file_path") or step.arguments.get("notebook_path")
        if isinstance(path, str):
            yield path
    for part in parts:
        yield from _written_by(part.head)
        for words in part.filters:
            yield from _written_by(words)


def _written_by(words: Words) -> Iterator[str]:
    """Yield the targets of `cat > F`, `tee F`, `sed -i F`, `perl -i F`."""
    program = program_of(words) if words else ""
    if program in ("cat", "tee"):
        yield from _targets(words[1:])
    if program == "tee":
        yield from (word for word in words[1:] if not word.startswith(("-", ">", "<")))
    in_place = r"-i" if program == "sed" else r"-\w*i"
    if program in ("sed", "perl") and any(re.match(in_place, word) for word in words[1:]):
        yield words[-1]


def _targets(words: Words) -> Iterator[str]:
    """Yield the files to which output is redirected."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if found := _OUTPUT.match(word):
            yield found["target"] or following


def _is_code(path: str) -> bool:
    path = path.strip("'\"")
    return path.rpartition(".")[2].lower() in _CODE and not _SCRATCH.match(path)
