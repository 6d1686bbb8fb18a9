"""Checks: tests, linters and builds in shell commands, and whether one passed.

A table by program. `docs/signals.md` says how often the verdicts were right.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from ccship.signals.shell import Part, Words, program_of
from ccship.signals.steps import Step
from ccship.signals.summaries import has_failed

Verdict: TypeAlias = Literal["green", "red", "unknown"]

_ANY: Final = ""

_FLAGS = r"(?:-\S+(?: (?!run )[\w@./]\S*)? )*"
"""Flags of a script runner with a value each at most: `--prefix web`, `-r`."""

_SCRIPTS = (
    r"(?:-\S+ )*(?:t|tests?|e2e|vitest|jest|coverage|spec|playwright|lint|check|typecheck|type-check|types|tsc"
    r"|format:check|fmt:check|ci|validate|verify|eslint|knip|audit|build|compile|bundle)(?:[:.-][\w:.-]*)?(?: |$)"
)
"""Names of scripts in `package.json`."""

_TARGETS = (
    r"(?:-\S+ )*\S*(?:test|e2e|spec|coverage|smoke|lint|check|verify|validate|vet|types|\bci\b|build|compile|all)"
)
"""Parts of the names of targets."""

Row: TypeAlias = tuple[str, str]
"""Programs, and a pattern at the start of their arguments."""

_JS_RUNNERS = "npm pnpm yarn bun"
_MAKES = "make gmake just task"

_ROWS: tuple[Row, ...] = (
    # Python
    ("pytest py.test tox nox", _ANY),
    ("python", r"(?:-\w )*-m (?:pytest|unittest|nose2?|doctest)\b|manage\.py test\b"),
    ("ruff", r"check\b|format .*--(?:check|diff)\b"),
    ("mypy pyright basedpyright flake8 pylint bandit vulture", _ANY),
    ("ty", r"check\b"),
    ("python", r"-m (?:(?:mypy|ruff|flake8|pylint|py_compile|compileall)\b|black --check)"),
    ("black isort", r".*--check\b"),
    ("pre-commit prek", r"run\b"),
    # JavaScript, TypeScript
    (_JS_RUNNERS, _FLAGS + "(?:run )?" + _SCRIPTS),
    ("jest vitest mocha ava cypress karma wtr", _ANY),
    ("playwright deno", r"test\b"),
    ("node", r".*--test\b"),
    ("ng", r"(?:test|e2e)\b"),
    ("tsc vue-tsc eslint biome oxlint stylelint knip svelte-check markdownlint markdownlint-cli2", _ANY),
    ("astro", r"check\b"),
    ("next", r"lint\b"),
    ("prettier", r".*(?:--check|-c)\b"),
    ("nx turbo", r"(?:run )?\S*(?:test|lint|check|build)"),
    ("deno", r"(?:check|lint)\b"),
    ("node", r"--check\b"),
    ("next vite astro nuxt webpack rollup esbuild tsup docusaurus ng", r"(?:build|export)\b"),
    # Go, Rust
    ("go", r"(?:-C \S+ )?test\b"),
    ("gotestsum", _ANY),
    ("cargo", r"(?:\+\S+ )?(?:test|nextest|t)\b"),
    ("go", r"(?:-C \S+ )?vet\b"),
    ("golangci-lint staticcheck", _ANY),
    ("gofmt gofumpt", r".*-l\b"),
    ("cargo", r"(?:\+\S+ )?(?:(?:clippy|check|c|deny|audit)\b|fmt .*--check\b)"),
    ("go", r"(?:-C \S+ )?(?:build|install)\b"),
    ("cargo", r"(?:\+\S+ )?(?:build|b)\b"),
    # JVM, .NET, Apple, Flutter
    ("gradle gradlew mvn mvnw", r".*\b(?:test|check|verify)\b"),
    ("dotnet swift flutter dart sbt", r"test\b"),
    ("xcodebuild", r".*\btest\b"),
    ("flutter dart", r"analyze\b"),
    ("swiftlint ktlint detekt", _ANY),
    ("dotnet", r"format .*--verify"),
    ("gradle gradlew mvn mvnw xcodebuild", _ANY),
    ("dotnet swift flutter", r"build\b"),
    # Ruby, PHP, Elixir, C
    ("rspec phpunit pest ctest bats busted", _ANY),
    ("rails mix", r"test\b"),
    ("php", r"artisan test\b"),
    ("composer", r"(?:run )?test\b"),
    ("rubocop standardrb phpstan psalm phpcs pint clang-tidy cppcheck luacheck", _ANY),
    ("php", r"-l\b"),
    ("mix", r"credo\b|dialyzer\b|format --check"),
    ("ninja gcc g++ clang clang++ javac", _ANY),
    ("cmake", r"--build\b"),
    ("meson mix", r"compile\b"),
    ("tinygo", r"build\b"),
    # shell, infrastructure, Nix
    ("shellcheck hadolint actionlint yamllint zizmor ansible-lint codespell typos tflint kubeconform", _ANY),
    ("bash sh zsh", r"-n\b"),
    ("terraform tofu", r"(?:-\S+ )*(?:(?:validate|plan)\b|fmt .*-check\b)"),
    ("helm", r"(?:lint|template)\b"),
    ("cue", r"(?:vet|eval)\b"),
    ("nix", r"(?:flake check|eval)\b"),
    ("nix-instantiate", _ANY),
    ("openspec", r"validate\b"),
    ("buf", r"lint\b"),
    ("docker", r"(?:compose |buildx )?(?:build|bake)\b"),
    ("nix", r"build\b"),
    ("nix-build nixos-rebuild", _ANY),
    ("packer", r"(?:build|validate)\b"),
    # runners: only a target that names a check
    (f"{_MAKES} rake invoke hatch", "(?:run )?" + _TARGETS),
    ("mise", "r(?:un)? " + _TARGETS),
    ("make gmake", r"(?:-\S+ ?)*$"),
)  # fmt: skip


def _by_program(rows: Iterable[Row]) -> dict[str, list[re.Pattern[str]]]:
    table: defaultdict[str, list[re.Pattern[str]]] = defaultdict(list)
    for programs, pattern in rows:
        for program in programs.split():
            table[program].append(re.compile(pattern))
    return dict(table)


_TABLE = _by_program(_ROWS)

_INTERPRETERS = frozenset({"bash", "sh", "zsh", "node", "python"})
_NAMED = re.compile(
    r"[\w./~$-]*(?:(?:test|smoke|e2e|spec)[\w.-]*\.(?:sh|py|js|mjs|ts|bats)"
    r"|(?:lint|check|verify|validate)[\w.-]*\.(?:sh|py|js|mjs|ts))$"
)
"""Names of scripts that say that they check."""

_NO_CHECK = frozenset({"--version", "--help", "-h", "-V"})
_INSTALLS = frozenset({"install", "add", "ci"})

_HIDES_NO_FAILURE = frozenset(
    {"cd", "pushd", "popd", "export", "set", "source", ".", "echo", "printf", "true", ":", "sleep", "unset", "mkdir",
     "local", "trap", "fi", "done", "}", ")"}
)  # fmt: skip
"""Commands behind a check that do not fail by themselves."""

_PASSES_ON = frozenset(
    {"tail", "head", "tee", "cat", "less", "sed", "awk", "cut", "tr", "sort", "uniq", "wc", "column", "jq"}
)
"""Filters that do not fail by themselves. `grep` fails when it finds nothing."""

_TIMED_OUT = re.compile(r"Exit code (?:124|137|143)\b")
_TIMED_OUT_CHARS = 200
_NOT_FOUND = re.compile(r"command not found|no such file or directory|not recognized as", re.IGNORECASE)
_NOT_FOUND_CHARS = 250
"""A longer text has other causes too."""


def is_check(part: Part) -> bool:
    """Return whether a part of a command is a check."""
    return any(words and _checks(words) for words in part.unwrapped())


def verdict_of(step: Step, parts: Sequence[Part]) -> Verdict | None:
    """Return whether the last check of a shell step passed; None if it has no check."""
    checks = [at for at, part in enumerate(parts) if is_check(part)]
    if not checks:
        return None
    if not step.has_run or step.in_background:
        return "unknown"
    if has_failed(step.text):
        return "red"
    if step.outcome == "done":
        return "green"
    return "red" if not _has_not_run(step.text) and _is_exit_code_of(parts, checks[-1]) else "unknown"


def _has_not_run(text: str) -> bool:
    """Return whether a check timed out or was not found, so that its error says nothing."""
    head = text[:_TIMED_OUT_CHARS]
    has_timed_out = _TIMED_OUT.match(head) is not None or "Command timed out" in head
    return has_timed_out or (len(text) < _NOT_FOUND_CHARS and _NOT_FOUND.search(text) is not None)


def _checks(words: Words) -> bool:
    arguments = words[1:]
    if _NO_CHECK.intersection(arguments) or (arguments and arguments[0] in _INSTALLS):
        return False
    text = " ".join(arguments)
    return any(pattern.match(text) for pattern in _TABLE.get(program_of(words), ())) or _is_script(words)


def _is_script(words: Words) -> bool:
    """Return whether a script runs whose name says that it checks."""
    if "/" in words[0]:
        script = words[0]
    elif program_of(words) in _INTERPRETERS:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
    else:
        return False
    return _NAMED.match(script) is not None


def _is_exit_code_of(parts: Sequence[Part], check: int) -> bool:
    """Return whether an error can only be that of the check: nothing else in the command could have failed."""
    behind = [part.head for part in parts[check + 1 :]]
    filters = parts[check].filters
    return all(not words or words[0] in _HIDES_NO_FAILURE or words[:2] == ("rm", "-f") for words in behind) and (
        not filters or filters[-1][0] in _PASSES_ON
    )
