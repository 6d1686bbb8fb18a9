"""Every setting there is: what it is called, what holds without it, what it is for.

`settings` reads by this table, `ccship config` prints it, and a test holds `docs/configuration.md` to it. To add a
setting: a row here, a line where `Config` is made, a row in the docs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: `name` is that of its variable without `CC_LANGFUSE_`, in lower case that of its key in the file.

    `plain`: variables of other programs that set it too. `has_file`: a file may hold the value (`..._FILE`).
    `in_file`, `per_destination`: whether it may stand in `config.toml`, and in a table of a destination there.
    `in_plugin`: whether the Claude Code plugin asks for it.
    """

    name: str
    default: str
    help: str
    plain: tuple[str, ...] = ()
    has_file: bool = False
    is_secret: bool = False
    in_file: bool = True
    per_destination: bool = True
    in_plugin: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that set it, the strongest first."""
        return (*(() if self.name.startswith("CLAUDE_") else (f"CC_LANGFUSE_{self.name}",)), *self.plain)

    @property
    def looked_up(self) -> tuple[str, ...]:
        """These, and behind them what Claude Code calls the value that a person gave the plugin."""
        return (*self.variables, *((f"CLAUDE_PLUGIN_OPTION_{self.name}",) if self.in_plugin else ()))

    @property
    def key(self) -> str:
        """What it is called in `config.toml`."""
        return self.name.lower()


SETTINGS = (
    Setting("TRACE", "false", "The consent: hooks send nothing without it.", ("TRACE_TO_LANGFUSE",), in_plugin=True),
    Setting("PUBLIC_KEY", "", "The project's public key.", ("LANGFUSE_PUBLIC_KEY",), has_file=True, in_plugin=True),
    Setting(
        "SECRET_KEY", "", "Its secret key.", ("LANGFUSE_SECRET_KEY",),
        has_file=True, is_secret=True, in_plugin=True,
    ),
    Setting(
        "BASE_URL", "https://cloud.langfuse.com", "Where Langfuse is.", ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
        in_plugin=True,
    ),
    Setting(
        "ENVIRONMENT", "", "Langfuse's environment for the traces.", ("LANGFUSE_TRACING_ENVIRONMENT",), in_plugin=True
    ),
    Setting("USER_ID", "your user name", "The user of every trace.", ("LANGFUSE_USER_ID",)),
    Setting("TRACE_TAGS", "", "Tags for every trace: a list."),
    Setting("METADATA", "", "Metadata for every trace: a table, or key=value,key=value."),
    Setting("TRACE_SEED", "", "Makes trace ids that others can compute: of turn n, from `<seed>:<n>`."),
    Setting(
        "CAPTURE", "full", "What is sent of the text: full, no-tool-io (not what tools got and gave) or metadata.",
        in_plugin=True,
    ),
    Setting("CAPTURE_IMAGES", "true", "Whether images and PDFs are sent."),
    Setting("MAX_CHARS", "20000", "How long a text may be; the rest is cut off."),
    Setting("REDACT", "true", "Whether what looks like a credential is replaced."),
    Setting("REDACT_EXTRA", "", "A file with more that is to be replaced."),
    Setting("COST", "server", "Who says what a call cost: server, or client for servers that do not know a model yet."),
    Setting("EXCLUDE", "", "Projects that are never shipped: a list of path patterns.", per_destination=False),
    Setting("DEBUG", "false", "Whether the log says more.", per_destination=False),
    Setting(
        "FOREGROUND", "false", "Whether the hook waits for the worker, for containers that end at once.",
        in_file=False, per_destination=False,
    ),
    Setting("STATE_DIR", "", "Where the state is.", in_file=False, per_destination=False),
    Setting("CONFIG", "", "Where config.toml is.", in_file=False, per_destination=False),
    Setting(
        "CLAUDE_CONFIG_DIR", "~/.claude", "Where Claude Code keeps its settings and transcripts.",
        ("CLAUDE_CONFIG_DIR",), in_file=False, per_destination=False,
    ),
)  # fmt: skip
