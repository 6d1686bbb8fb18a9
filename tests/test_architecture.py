"""The rings: the core knows no shell, nothing knows the command line, the hook's foreground knows nobody."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import ccship
from ccship.transcript.classify import ROWS
from conftest import ROOT

SOURCE = Path(ccship.__file__).parent

CORE = {
    "ccship.ledger.names",
    "ccship.observations.identity",
    "ccship.pricing.model_names",
    "ccship.observations",
    "ccship.pricing.prices",
    "ccship.privacy",
    "ccship.privacy.redact",
    "ccship.signals",
    "ccship.transcript.classify",
    "ccship.transcript.direct",
    "ccship.transcript.exchange",
    "ccship.transcript.limits",
    "ccship.transcript.line_kinds",
    "ccship.transcript.notes",
    "ccship.transcript.parts",
    "ccship.transcript.parse",
    "ccship.transcript.records",
    "ccship.transcript.subagent",
    "ccship.transcript.turns",
    "ccship.transcript.typed",
    "ccship.transcript.usage",
    "ccship.ledger.calls",
    "ccship.ledger.lines",
    "ccship.ledger.scan",
    "ccship.ledger.sums",
    "ccship.usage.cache",
    "ccship.usage.dimensions",
    "ccship.usage.report",
}
EFFECTS = {
    "os",
    "time",
    "random",
    "socket",
    "subprocess",
    "sqlite3",
    "langfuse",
    "opentelemetry",
    "httpx",
    "pathlib.Path",
}


def imports_of(module: Path) -> set[str]:
    """What a module imports at its top, as dotted names."""
    names: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


MODULES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}


def is_core(name: str) -> bool:
    return any(name == core or name.startswith(f"{core}.") for core in CORE)


def test_the_core_has_no_effects_and_knows_no_shell() -> None:
    """No clock, no environment, no files, no randomness."""
    for name, path in MODULES.items():
        if is_core(name):
            imported = imports_of(path)
            ours = {other for other in imported if other in MODULES}
            assert all(is_core(other) for other in ours), name
            assert not imported & EFFECTS, name


def test_nothing_but_the_entry_points_knows_the_command_line() -> None:
    """It parses, calls and prints."""
    for name, path in MODULES.items():
        if not name.startswith("ccship.cli"):
            assert not any(other.startswith("ccship.cli") for other in imports_of(path)), name


def test_the_hook_loads_the_standard_library_only() -> None:
    """The foreground has milliseconds; typer alone takes 150 of them."""
    code = "import sys; before = set(sys.modules); import ccship.hook; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.partition(".")[0] for name in loaded}
    assert roots - {"ccship"} <= sys.stdlib_module_names
    assert {name for name in loaded if name.startswith("ccship")} == {"ccship", "ccship.hook"}


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    """Tests included: a folder where a module would grow past it."""
    modules = [path for folder in (SOURCE, ROOT / "tests") for path in folder.rglob("*.py")]
    lengths = {path: len(path.read_text().splitlines()) for path in modules}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_the_docs_show_the_classifier_row_by_row() -> None:
    """A reader can check one against the other."""
    table = (ROOT / "docs/transcripts.md").read_text().split("## What starts a turn")[1].split("##")[0]
    kinds = [
        line.split("|")[2].strip(" `") for line in table.splitlines() if line.startswith("| ") and line[2].isdigit()
    ]
    assert kinds == [kind for kind, _ in ROWS]


def test_no_group_is_repeated_possessively() -> None:
    """Up to Python 3.11.4 such a repetition keeps a part of a failed try: `(?>(?:...)*)` means the same."""
    possessive = re.compile(r"\)(?:[*+?]|\{[0-9,{}]+\})\+")
    found = [path.name for path in SOURCE.rglob("*.py") if possessive.search(path.read_text())]
    assert found == []
