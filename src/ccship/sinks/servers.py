"""The sink of a destination's server. Importing a sink takes long, so it happens when one is needed."""

from collections.abc import Collection

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.sinks import Sink


def sink_of(config: Config, refused: Collection[str] = ()) -> Sink:
    """Return a sink that sends to a destination. `refused`: names of observations that it has refused before.

    Raises:
        ConfigError: Keys are missing, or its certificates or proxy variables are invalid.
    """
    if not config.can_send:
        raise ConfigError(config.why_no_keys)
    if config.kind == "otlp":
        from ccship.sinks.otlp_http import OtlpSink  # noqa: PLC0415 - a destination needs one of both

        return OtlpSink(config, refused)
    from ccship.sinks.langfuse import LangfuseSink  # noqa: PLC0415 - the SDK takes a second to load

    return LangfuseSink(config)
