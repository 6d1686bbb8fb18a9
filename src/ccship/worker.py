"""The hook's background half: ship the session a hook was called for."""

from collections.abc import Mapping
from pathlib import Path

from ccship import config
from ccship.ship import Shipper
from ccship.sinks.langfuse import LangfuseSink
from ccship.state import State
from ccship.transcript.discover import sessions_at
from ccship.transcript.settle import settle


def work(payload: Mapping[str, object]) -> None:
    """Ship the session that a hook's payload names, if the person opted in and there are keys."""
    settings = config.load()
    transcript = Path(str(payload["transcript_path"]))
    if not settings.opted_in or not settings.has_keys:
        return
    last_message = payload.get("last_assistant_message")
    settle(transcript, last_message if isinstance(last_message, str) else None)
    sink = LangfuseSink(settings)
    with State(settings.state_dir, settings.destination) as state:
        shipper = Shipper(sink, state, settings.labels)
        for session in sessions_at([transcript]):
            shipper.ship(session)
