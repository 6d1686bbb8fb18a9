"""A session in which much goes wrong, so that every kind of score changes while it grows."""

from lines import Lines, tool

FILE = "/home/dev/demo/a.py"
WRITTEN = {"cache_creation_input_tokens": 90_000, "cache_creation": {"ephemeral_5m_input_tokens": 90_000}}


def eventful(turns: int = 8, session: str = "s1") -> Lines:
    """Prompts that come again, caches that expire, complaints, failed edits, code that is verified late or never.

    A turn with an odd number goes on after its answer, as a Stop hook makes it do: what was unverified is verified.
    """
    lines = Lines(session=session)
    for n in range(turns):
        key = f"{session}{n}"
        lines.seconds += 400
        prompt = f"please make the tests of module {'alpha beta'[n % 2 :]} pass at last"
        lines.prompt("explain to me what you did and why" if n == 3 else prompt, uuid=f"{key}-prompt")
        lines.assistant(f"m{key}", tool(f"t{key}", "Edit", file_path=FILE), usage=WRITTEN)
        if n % 3:
            lines.result(f"t{key}", "String to replace not found in file", is_error=True)
            lines.assistant(f"m{key}r", tool(f"t{key}r", "Edit", file_path=FILE))
        lines.result(f"t{key}r" if n % 3 else f"t{key}")
        lines.assistant(f"m{key}b", "You're right, I missed it" if n % 4 == 1 else "Done", usage=WRITTEN)
        if n % 2:
            lines.user("Stop hook feedback: run the tests", isMeta=True)
            lines.assistant(f"m{key}c", tool(f"t{key}c", "Bash", command="pytest")).result(f"t{key}c", "1 passed")
            lines.assistant(f"m{key}d", "All tests pass")
        if n == 4:
            lines.add("system", subtype="compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 1})
        if n == turns - 2:
            lines.user("[Request interrupted by user]")
    return lines


def content_of(lines: Lines) -> bytes:
    """The transcript as it is on disk."""
    return "".join(f"{line}\n" for line in lines.lines).encode()
