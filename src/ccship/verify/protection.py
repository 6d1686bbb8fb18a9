"""Redacts the names that verify compares, and drops the content that it does not."""

from msgspec.structs import replace

from ccship.observations import Observation
from ccship.privacy import Protection


class NamesOnly(Protection):
    """Applies a policy to the trace and the name of an observation. Its other texts are dropped unread.

    Redaction and encoding of the content took half of a check.
    """

    def observation(self, observation: Observation) -> Observation:
        """Return the observation with the trace and the name that are sent, without content."""
        return replace(
            observation,
            trace=self.trace(observation.trace),
            name=self.name(observation.name),
            input=None,
            output=None,
            metadata={},
            volatile={},
            status_message=None,
            model_parameters=None,
        )
