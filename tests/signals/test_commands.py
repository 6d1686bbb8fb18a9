"""What shell commands check, run and write, and whether a check passed."""

from typing import Any

import pytest

from ccship.signals.bypass import bypasses_hooks
from ccship.signals.checks import is_check, verdict_of
from ccship.signals.executed import has_executed
from ccship.signals.files import written
from ccship.signals.shell import parts_of
from ccship.signals.steps import Step, steps_of
from ccship.signals.summaries import has_failed
from lines import Lines, tool
from signals.evaluated import evaluated

CHECKS = {
    "pytest -q": 1,
    ".venv/bin/python3.12 -m pytest tests": 1,
    "uv run --with x pytest | tail -3": 1,
    "cd web && npm run test:unit -- --run; npm run lint": 2,
    "npm --prefix web run build": 1,
    "npm ci && npm test": 1,
    "FOO=1 BAR='a b' sudo -u x timeout 30 go test ./...": 1,
    "docker compose exec -T web pytest": 1,
    "docker exec -w /app web pytest": 1,
    "nix develop .#x -c make check": 1,
    "nix-shell -p jq --run 'make test'": 1,
    "mise exec -- cargo clippy": 1,
    "direnv exec . ruff check .": 1,
    "out=$(cd src && go build ./... 2>&1)": 1,
    "if ! tsc --noEmit; then echo no; fi": 1,
    "(cd web; npx -y vitest run)": 1,
    "make": 1,
    "make -j4 integration-tests": 1,
    "just lint": 1,
    "hatch run test": 1,
    "bash scripts/smoke-test.sh": 1,
    "./scripts/check_types.py": 1,
    "for t in a b; do pytest $t; done": 1,
    "git commit -m \"$(cat <<'EOF'\nrun pytest; it's done\nEOF\n)\"": 0,
    "cat <<EOF > notes\nmake test\nEOF": 0,
    "cat > x.sh <<'END'\npytest\nno end": 0,
    "echo 'pytest && make'": 0,
    "echo a # pytest": 0,
    "pytest --version": 0,
    "go install ./...": 0,
    "npm install jest": 0,
    "ruff format .": 0,
    "prettier --write a.ts": 0,
    "ls test.sh": 0,
}


@pytest.mark.parametrize(("command", "checks"), CHECKS.items(), ids=CHECKS.keys())
def test_checks_are_found_in_commands(command: str, checks: int) -> None:
    """Behind prefixes, and not inside of texts."""
    assert sum(map(is_check, parts_of(command))) == checks


FAILED = {
    "== 2 failed, 3 passed in 0.10s ==": True,
    "== 3 passed in 0.10s ==": False,
    "0 failed": False,
    "--- FAIL: TestA (0.00s)": True,
    "FAIL\tgithub.com/a/b 0.1s": True,
    "Tests:       1 failed, 3 passed, 4 total": True,
    "Tests:       4 passed, 4 total": False,
    "  3 failing": True,
    "test result: FAILED. 1 passed; 1 failed": True,
    "src/a.ts(1,2): error TS2322: no": True,
    "Found 2 errors in 1 file (checked 3 source files)": True,
    "Found 2 errors (2 fixed, 0 remaining).": False,
    "3 issues:": True,
    "npm ERR! code ELIFECYCLE": True,
    "BUILD FAILED in 3s": True,
    "make: *** [Makefile:2: test] Error 1": True,
    "- hook id: ruff\n- exit code: 1": True,
    "a.md:3 error MD013/line-length": True,
    "5 tests, 2 failures": True,
    "5 tests, 0 failures": False,
    "done\nEXIT: 1": True,
    "exit code: 0": False,
    "no errors were found, nothing failed": False,
}


@pytest.mark.parametrize(("text", "failed"), FAILED.items(), ids=FAILED.keys())
def test_summaries_of_runners_are_read(text: str, failed: bool) -> None:
    """Their own lines only: prose about failures is none."""
    assert has_failed(text) == failed


def step_of(command: str, result: str = "ok", *, name: str = "Bash", **fields: Any) -> Step:
    use = tool("t1", name, command=command, **{key: fields.pop(key) for key in ("run_in_background",) if key in fields})
    lines = Lines().prompt("go").assistant("m1", use).result("t1", result, **fields)
    (one,) = evaluated("\n".join(lines.lines).encode())
    return next(steps_of(one.turn.exchange))


def verdict(command: str, result: str = "ok", **fields: Any) -> str | None:
    return verdict_of(step_of(command, result, **fields), parts_of(command))


def test_a_check_that_ran_is_green_or_red() -> None:
    """By its summary, else by its exit code if that is its own."""
    assert verdict("pytest") == "green"
    assert verdict("ls") is None
    assert verdict("pytest", "Exit code 1", is_error=True) == "red"
    assert verdict("pytest | tail -2; echo done", "Exit code 1", is_error=True) == "red"
    assert verdict("pytest | grep -c x", "Exit code 1", is_error=True) == "unknown"
    assert verdict("pytest && deploy", "Exit code 1", is_error=True) == "unknown"
    assert verdict("pytest && deploy", "Exit code 1\n1 failed in 0.1s", is_error=True) == "red"


def test_a_check_that_did_not_run_has_no_verdict() -> None:
    """Denied, in the background, timed out, not found."""
    assert verdict("pytest", "Permission to use Bash denied", is_error=True) == "unknown"
    assert verdict("pytest", run_in_background=True) == "unknown"
    assert verdict("pytest", "Exit code 124", is_error=True) == "unknown"
    assert verdict("pytest", "Command timed out after 2m", is_error=True) == "unknown"
    assert verdict("pytest", "zsh: command not found: pytest", is_error=True) == "unknown"


def test_only_the_ends_of_a_long_result_are_read() -> None:
    """Summaries are last, errors of the shell first."""
    assert verdict("pytest", "x\n" * 50_000 + "1 failed in 0.1s") == "red"
    assert verdict("pytest", "x\n" * 5_000 + "1 failed in 0.1s\n" + "x\n" * 50_000) == "green"


EXECUTED = {
    "python app.py": True,
    "curl -s localhost:8000": True,
    "./app": True,
    "/home/dev/build/git status": True,
    '"$BIN" --once': True,
    "$BIN --once": True,
    "python - <<'EOF'\nprint(1)\nEOF": True,
    "python - <<'EOF'\nopen('a', 'w').write('x')\nEOF": False,
    "python -c 'from a import b; b()'": True,
    "ls -la && cat a | grep b": False,
    "/bin/ls": False,
    "git add -A && git commit -m 'run python app.py'": False,
    "npm install left-pad": False,
    "uv sync": False,
    "ruff format .": False,
    "npm run format": False,
    "A=$(git rev-parse HEAD)": False,
    "A=$(python app.py)": True,
    "X=1": False,
    "Get-ChildItem -Recurse": False,
}


@pytest.mark.parametrize(("command", "executed"), EXECUTED.items(), ids=EXECUTED.keys())
def test_a_command_that_is_not_harmless_has_executed_something(command: str, executed: bool) -> None:
    """Looking, moving and version control are harmless."""
    assert has_executed(step_of(command), parts_of(command)) == executed


def test_a_denied_command_has_executed_nothing() -> None:
    """And a subagent may have: what it did is not seen."""
    assert not has_executed(step_of("./app", "Permission to use Bash denied", is_error=True), parts_of("./app"))
    assert has_executed(step_of("", name="Task"), ())


WRITTEN = {
    "cat > a.py <<'EOF'\ncat > b.py\nEOF": ["a.py"],
    "cat <<'EOF' >> a.py\nEOF": ["a.py"],
    "cat a.py 2>/dev/null": ["/dev/null"],
    "sed -i 's/a|b/c/' src/a.py && ls b.py": ["src/a.py"],
    "sed -n 1,2p a.py": [],
    "perl -pi -e 's/a/b/' a.rb": ["a.rb"],
    "make | tee -a log.txt": ["log.txt"],
    "grep x a.py > b.py": [],
}


@pytest.mark.parametrize(("command", "files"), WRITTEN.items(), ids=WRITTEN.keys())
def test_files_that_a_command_writes(command: str, files: list[str]) -> None:
    """Those that people and models write this way."""
    assert list(written(step_of(command), parts_of(command))) == files


BYPASSES = {
    "git commit --no-verify -m x": True,
    "git -C web push --no-verify": True,
    "git commit -nm x": True,
    "git commit -an": True,
    "HUSKY=0 git commit -m x": True,
    "export HUSKY=0; git push": True,
    "SKIP=mypy git commit -m x": True,
    "git commit -m 'use --no-verify'": False,
    "git commit -m n": False,
    "git commit --amend --no-edit": False,
    "git push -n": False,
    "HUSKY=0 npm ci": False,
    "echo git commit --no-verify": False,
}


@pytest.mark.parametrize(("command", "bypasses"), BYPASSES.items(), ids=BYPASSES.keys())
def test_hooks_that_a_commit_leaves_out(command: str, bypasses: bool) -> None:
    """Written by the model, not quoted by it."""
    assert bypasses_hooks(parts_of(command)) == bypasses
