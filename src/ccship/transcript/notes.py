"""Session notes: Claude Code's lines about a session as a whole, such as its title or pull request.

A note applies to the turns that follow it. Titles are conversation text, which the state must not contain: the state
stores the offsets of notes, and a reader that resumes reads them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from ccship.transcript.records import SessionNote


@dataclass(frozen=True, slots=True)
class SessionNotes:
    """The latest notes. `offsets`: their offsets in the file by type of line."""

    custom_title: str | None = None
    ai_title: str | None = None
    pull_requests: Mapping[int, str] = field(default_factory=dict)
    offsets: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str | None:
        """The user's title, else the generated one."""
        return self.custom_title or self.ai_title

    def with_note(self, note: SessionNote, offset: int) -> Self:
        """Return the notes after reading one more; `offset` is where its line begins."""
        noted = replace(self, offsets={**self.offsets, note.type: offset})
        if note.pr_number is not None and note.pr_url:
            return replace(noted, pull_requests={note.pr_number: note.pr_url})
        return replace(
            noted, custom_title=note.custom_title or self.custom_title, ai_title=note.ai_title or self.ai_title
        )
