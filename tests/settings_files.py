"""Ten settings files as people have them: how they are written differs more than what they say."""

import json

_NOTIFY = {"type": "command", "command": "notify-send 'Claude is done'"}
_LINT = {"matcher": "Edit|Write", "hooks": [{"type": "command", "command": "ruff check --fix $CLAUDE_FILE"}]}
_MANY = {
    "$schema": "https://json.schemastore.org/claude-code-settings.json",
    "cleanupPeriodDays": 99999,
    "env": {"LANGFUSE_BASE_URL": "https://langfuse.example", "TRACE_TO_LANGFUSE": "true"},
    "permissions": {"allow": ["Bash(npm run test:*)", "WebFetch(domain:docs.python.org)"], "deny": ["Read(./.env)"]},
    "statusLine": {"type": "command", "command": "~/.claude/statusline.sh"},
    "enabledPlugins": {"formatter@acme": True},
    "alwaysThinkingEnabled": True,
}

SETTINGS = {
    "an empty object": b"{}",
    "an empty object on two lines": b"{\n}\n",
    "one line": b'{"model": "opus", "includeCoAuthoredBy": false}',
    "permissions": json.dumps(_MANY, indent=2).encode() + b"\n",
    "tabs and no newline at the end": json.dumps(_MANY, indent="\t").encode(),
    "four blanks and Windows line ends": json.dumps(_MANY, indent=4).replace("\n", "\r\n").encode() + b"\r\n",
    "hooks of others": json.dumps(
        {"hooks": {"Stop": [{"hooks": [_NOTIFY]}], "PostToolUse": [_LINT]}, **_MANY}, indent=2
    ).encode()
    + b"\n",
    "hooks that are empty": b'{\n  "hooks": {},\n  "model": "sonnet"\n}\n',
    "an event that is empty": b'{\n  "model": "sonnet",\n  "hooks": {"Stop": [], "SessionEnd": [ ]}\n}\n',
    "formatted by hand, not in English": (
        '{ "language":"日本語",\n\n   "env" : { "GREETING":"¡Hola! 👋", "PATH_\\u00e9":"x" } ,\n'
        '  "hooks":{\n "Stop":[ {"matcher":"","hooks":[{"type":"command","command":"echo \\"}{][\\""} ] } ]}}\n\n'
    ).encode(),
}
