"""The practice set: like the hold-out, but the redaction may be tuned on it.

Improve the rules with these cases, then measure the hold-out, which shows whether the improvement is a general one.
"""

from collections.abc import Iterator

from recall import (
    practice_bare,
    practice_calls,
    practice_carriers,
    practice_files_apps,
    practice_files_daemons,
    practice_formats,
    practice_innocent,
    practice_languages,
    practice_named,
    practice_prose,
    practice_requests,
    practice_sessions,
    practice_tokens,
    practice_tools,
    practice_tools_more,
)
from recall.holdout import (
    BARE_FRAMES,
    COMMAND_FRAMES,
    FILE_FRAMES,
    PLAIN,
    SEED,
    TEXT_FRAMES,
    Case,
    Tables,
    cases,
)

TABLES: Tables = (
    ("named", FILE_FRAMES, practice_named.FILES),
    ("named", COMMAND_FRAMES, practice_named.COMMANDS),
    ("named", TEXT_FRAMES, practice_named.OUTPUT),
    ("named", FILE_FRAMES, practice_languages.FILES),
    ("carrier", TEXT_FRAMES, practice_carriers.OUTPUT),
    ("carrier", TEXT_FRAMES, practice_requests.OUTPUT),
    ("carrier", FILE_FRAMES, practice_calls.FILES),
    ("carrier", FILE_FRAMES, practice_carriers.FILES),
    ("carrier", COMMAND_FRAMES, practice_carriers.COMMANDS),
    ("bare", BARE_FRAMES, practice_bare.TOKENS),
    ("bare", TEXT_FRAMES, practice_bare.BLOCKS),
    ("bare", BARE_FRAMES, practice_tokens.TOKENS),
    ("format", COMMAND_FRAMES, practice_sessions.COMMANDS),
    ("format", COMMAND_FRAMES, practice_tools.COMMANDS),
    ("format", COMMAND_FRAMES, practice_tools_more.COMMANDS),
    ("format", FILE_FRAMES, practice_formats.FILES),
    ("format", FILE_FRAMES, practice_files_daemons.FILES),
    ("format", FILE_FRAMES, practice_files_apps.FILES),
    ("format", PLAIN, practice_sessions.OUTPUT),
    ("format", PLAIN, practice_prose.OUTPUT),
    ("innocent", FILE_FRAMES, practice_innocent.FILES),
    ("innocent", TEXT_FRAMES, practice_innocent.OUTPUT),
)


def practice_cases(seed: int = SEED) -> Iterator[Case]:
    """Yield every case of the practice set; see `recall.holdout.cases`."""
    return cases(seed, TABLES)
