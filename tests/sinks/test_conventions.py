"""Every name that ccship writes is one of the pinned conventions."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.semconv import _incubating, attributes
from opentelemetry.semconv.schemas import Schemas

from ccship.privacy.capture import Capture
from ccship.sinks import conventions
from sinks.gen_ai_spans import CAPTURES, SESSIONS, spans_of


def known() -> set[str]:
    """The attribute names of the installed conventions."""
    incubating = import_module(f"{_incubating.__name__}.attributes")
    return {
        value
        for package in (incubating, attributes)
        for module in pkgutil.iter_modules(package.__path__)
        for name, value in vars(import_module(f"{package.__name__}.{module.name}")).items()
        if name.isupper() and isinstance(value, str)
    }


NAMES = {name: value for name, value in vars(conventions).items() if name.isupper()}
VERSION, SCHEMA_URL = NAMES.pop("VERSION"), NAMES.pop("SCHEMA_URL")
KNOWN = known()


def test_the_installed_conventions_are_those_that_are_documented() -> None:
    """After an upgrade: compare the names, then change the version and the schema."""
    assert version("opentelemetry-semantic-conventions") == VERSION
    assert list(Schemas)[-1].value == SCHEMA_URL


@pytest.mark.parametrize("name", NAMES.values())
def test_a_name_is_one_of_the_conventions(name: str) -> None:
    """Whether a fixture has it or not."""
    assert name in KNOWN


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_spans_have_no_other_names(transcript: Path, capture: Capture) -> None:
    """Of spans, events, resource and scope; so none of Langfuse's either."""
    written = {name for span in spans_of(transcript, capture) for found in places(span) for name in found}
    assert len(written) > 10
    assert written <= set(NAMES.values())


def places(span: Any) -> Iterator[dict[str, Any]]:
    yield span.attributes
    yield span.resource.attributes
    yield span.instrumentation_scope.attributes or {}
    for event in span.events:
        yield event.attributes


def test_resource_and_scope_name_the_schema() -> None:
    """A reader can convert names of this version to those of another."""
    span = spans_of(SESSIONS[0])[0]
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.schema_url, span.resource.schema_url) == ("ccship", SCHEMA_URL, SCHEMA_URL)
    assert dict(span.resource.attributes) == {"service.name": "claude-code", "deployment.environment.name": "staging"}
