"""The other end of `tracer.py`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


class Tracer:
    """A warm interpreter that runs hooks and kills them."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.payload = folder / "payload.json"
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("tracer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environ},
            text=True,
        )

    def hook(self, kill_at: int | None = None) -> tuple[bool, list[str]]:
        """Run the hook with `payload`: whether it was killed, and what it called up to then."""
        return self._run(payload=str(self.payload), kill_at=kill_at)

    def hook_with_a_second(self, pause_at: int, transcript: Path, more: str) -> list[str]:
        """Run the hook; before its n-th call, append to the transcript and run another hook to its end."""
        return self._run(
            payload=str(self.payload), kill_at=None, pause_at=pause_at, transcript=str(transcript), more=more
        )[1]

    def hook_paused(self, pause_at: int, meanwhile: Callable[[], None]) -> list[str]:
        """Run the hook; before its n-th call, `meanwhile` runs here."""
        return self._run(meanwhile, payload=str(self.payload), kill_at=None, pause_at=pause_at)[1]

    def open(self, state_dir: Path, kill_at: int | None = None) -> tuple[bool, list[str]]:
        """The same for a process that only opens a state."""
        return self._run(open=str(state_dir), kill_at=kill_at)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _run(self, meanwhile: Callable[[], None] = lambda: None, **command: object) -> tuple[bool, list[str]]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if "paused" in told:
            meanwhile()
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            told = json.loads(self._process.stdout.readline())
        return bool(told["killed"]), list(told["calls"])
