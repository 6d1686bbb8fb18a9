"""A case whose hooks are forked from a warm interpreter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from faults.case import Case
from loopback import LoopbackLangfuse


class Warm:
    """A warm interpreter that runs hooks, see `warm.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, environ: Mapping[str, str], stdin: bytes, first: str) -> tuple[int, str]:
        """The exit code of a hook and what it said."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"environ": dict(environ), "stdin": stdin.decode("utf-8", "surrogateescape"), "first": first}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return int(told["code"]), str(told["said"])


@contextmanager
def warm_interpreter() -> Iterator[Warm]:
    """A running one."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("warm.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Warm(process)


class QuickCase(Case):
    """`hook(first=...)` runs a program of the test's own in the hook's process, before the hook."""

    def __init__(self, folder: Path, server: LoopbackLangfuse, warm: Warm) -> None:
        super().__init__(folder, server)
        self._warm = warm

    def hook(self, environ: Mapping[str, str] | None = None, stdin: bytes | None = None, first: str = "") -> None:
        """Run the hook; whatever is broken, it exits with 0 and says nothing."""
        code, said = self.run(environ, stdin, first)
        assert (code, said) == (0, "")

    def run(
        self, environ: Mapping[str, str] | None = None, stdin: bytes | None = None, first: str = ""
    ) -> tuple[int, str]:
        """Run the hook and give its exit code and what it said."""
        wanted = {**os.environ, **self.environ, **(environ or {})}
        return self._warm.run(wanted, self.payload() if stdin is None else stdin, first)
