"""Check the files of a home that home-manager built, and run the hook that it registers: `check_home.py FILES plugin`.

`FILES` is the `home-files` folder of the generation; the home is that of `nix/checks.nix`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

EVENTS = {"Stop", "SubagentStop", "SessionEnd", "SessionStart"}
CONFIG = {"trace": True, "secret_key_file": "~/.secrets/langfuse"}
PLUGIN = ".claude/skills/ccship"
SETTINGS = ".claude/settings.json"


def main(files: Path, registration: str) -> None:
    """Check everything.

    Raises:
        AssertionError: a file is missing, is where it does not belong, or has other content.
    """
    there, elsewhere = (f"{PLUGIN}/hooks/hooks.json", SETTINGS) if registration == "plugin" else (SETTINGS, PLUGIN)
    assert not (files / elsewhere).exists(), f"{elsewhere} is in a home of registration {registration}"
    hooks = json.loads((files / there).read_text())["hooks"]
    assert set(hooks) == EVENTS, f"{there} registers {sorted(hooks)}"
    if registration == "plugin":
        manifest = json.loads((files / PLUGIN / ".claude-plugin/plugin.json").read_text())
        assert manifest["name"] == "ccship", manifest
    (config,) = files.rglob("ccship/config.toml")
    assert tomllib.loads(config.read_text()) == CONFIG, f"{config} is {config.read_text()}"
    (command,) = {hook["command"] for groups in hooks.values() for group in groups for hook in group["hooks"]}
    check_hook(files, command)


def check_hook(files: Path, command: str) -> None:
    """Run the hook in this home: its worker starts, imports ccship, and reads the config file.

    Raises:
        AssertionError: the hook printed or failed, or its worker left no line about the secret key, which is not there.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, state, transcript = (Path(folder, name) for name in ("home", "state", "session.jsonl"))
        shutil.copytree(files, home)
        transcript.write_text("{}\n")
        payload = {"session_id": "session", "transcript_path": str(transcript), "hook_event_name": "Stop"}
        environ = {"HOME": str(home), "CC_LANGFUSE_STATE_DIR": str(state), "CC_LANGFUSE_FOREGROUND": "true"}
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=json.dumps(payload).encode(),
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
        logs = [path.read_text() for path in state.glob("ccship.log")]
        assert f"{home}/.secrets/langfuse" in "".join(logs), f"the worker logged {logs}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
    print("ok")
