"""The practice set: like the hold-out, but the redaction may be tuned on it.

Improve the rules with these cases, then measure the hold-out, which shows whether the improvement is a general one.
"""

from collections.abc import Iterator

from recall import (
    practice_bare,
    practice_calls,
    practice_carriers,
    practice_conversations,
    practice_everyday,
    practice_files_apps,
    practice_files_daemons,
    practice_formats,
    practice_infrastructure,
    practice_innocent,
    practice_invocations,
    practice_languages,
    practice_libraries,
    practice_lookalikes,
    practice_messages,
    practice_named,
    practice_names,
    practice_notes,
    practice_outputs,
    practice_prose,
    practice_requests,
    practice_sessions,
    practice_settings,
    practice_systems,
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
    ("named", FILE_FRAMES, practice_names.FILES),
    ("named", FILE_FRAMES, practice_conversations.NAMED),
    ("named", FILE_FRAMES, practice_notes.NAMED),
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
    ("format", COMMAND_FRAMES, practice_invocations.COMMANDS),
    ("format", COMMAND_FRAMES, practice_systems.COMMANDS),
    ("format", COMMAND_FRAMES, practice_everyday.COMMANDS),
    ("format", FILE_FRAMES, practice_libraries.FILES),
    ("format", FILE_FRAMES, practice_infrastructure.FILES),
    ("format", FILE_FRAMES, practice_settings.FILES),
    ("format", FILE_FRAMES, practice_everyday.FILES),
    ("format", PLAIN, practice_outputs.OUTPUT),
    ("format", PLAIN, practice_messages.OUTPUT),
    ("format", PLAIN, practice_conversations.OUTPUT),
    ("format", PLAIN, practice_notes.OUTPUT),
    ("innocent", FILE_FRAMES, practice_innocent.FILES),
    ("innocent", FILE_FRAMES, practice_lookalikes.FILES),
    ("innocent", TEXT_FRAMES, practice_lookalikes.OUTPUT),
    ("innocent", TEXT_FRAMES, practice_conversations.INNOCENT),
    ("innocent", TEXT_FRAMES, practice_notes.INNOCENT),
    ("innocent", TEXT_FRAMES, practice_innocent.OUTPUT),
)


def practice_cases(seed: int = SEED) -> Iterator[Case]:
    """Yield every case of the practice set; see `recall.holdout.cases`."""
    return cases(seed, TABLES)
