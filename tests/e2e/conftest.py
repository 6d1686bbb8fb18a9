from collections.abc import Iterator

import pytest

from e2e.messages import ScriptedModel, scripted_model


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model() as server:
        yield server
