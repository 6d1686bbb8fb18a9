"""Volatile facts: sent with a turn but not in its transcript (settings, environment, git facts).

They describe one moment, so they are not part of an observation's hash and no reason to send it again. When it is sent
again for another reason, Langfuse replaces the whole observation. So the state keeps the facts of open turns: a
backfill from another shell must not remove those that the hook found.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from ccship.observations import TRACE_NAME, Observation, Trace, TraceSettings

_DEFAULT_NAME = re.compile(TRACE_NAME.replace("{n}", r"\d+"))
_OF_TRACE = ("name", "user_id", "environment", "settings_tags")


def facts_of(trace_settings: TraceSettings, git: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a turn's root: environment, git facts and settings."""
    facts = {
        "anthropic_base_url": trace_settings.anthropic_base_url,
        "user_name": trace_settings.user_name,
        "namespace": trace_settings.namespace,
    }
    return {**{key: value for key, value in facts.items() if value is not None}, **git, **trace_settings.metadata}


@dataclass(frozen=True, slots=True)
class Volatile:
    """Volatile fields of a turn's trace and root, as they were sent."""

    trace: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Observation) -> Self:
        """Return the fields worth storing. The default trace name is left out, to keep the state small."""
        trace = _known(root.trace)
        if _DEFAULT_NAME.fullmatch(root.trace.name):
            del trace["name"]
        return cls(trace, root.volatile)

    def __bool__(self) -> bool:
        return bool(self.trace or self.metadata)

    def in_trace(self, trace: Trace, *, newer: bool) -> Trace:
        """Return the trace with the stored fields. `newer`: prefer the trace's own."""
        fields = _merged(self.trace, _known(trace), newer=newer)
        return replace(trace, **{**fields, "settings_tags": tuple(fields.get("settings_tags", ()))})

    def in_metadata(self, metadata: Mapping[str, Any], *, newer: bool) -> dict[str, Any]:
        """Return the root's metadata with the stored fields. `newer`: prefer the metadata's own."""
        return _merged(self.metadata, metadata, newer=newer)


def _known(trace: Trace) -> dict[str, Any]:
    return {name: value for name in _OF_TRACE if (value := getattr(trace, name))}


def _merged(kept: Mapping[str, Any], found: Mapping[str, Any], *, newer: bool) -> dict[str, Any]:
    return {**kept, **found} if newer else {**found, **kept}
