"""Examples for each redaction rule: one module per module of `ccship.privacy.redact`, keyed by the name of the rule."""

from redact_examples import (
    arguments,
    assigned,
    calls,
    clouds,
    commands,
    developers,
    devices,
    env,
    files,
    formats,
    headers,
    keys,
    links,
    printed,
    programs,
    rows,
    sentences,
    services,
    sessions,
    tokens,
)
from redact_examples.notation import Examples

MODULES = (
    *(developers, clouds, services, keys, tokens, headers, links, commands, formats),
    *(calls, devices, printed, assigned, rows, env, arguments, files, programs, sentences, sessions),
)

EXAMPLES: dict[str, Examples] = {name: examples for module in MODULES for name, examples in module.EXAMPLES.items()}
