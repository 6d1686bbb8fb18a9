"""Langfuse's rows as its two read APIs return them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ccship import config
from ccship.verify.compare import Arrived
from ccship.verify.read_api import Reader
from loopback import LoopbackLangfuse, Reply

ROW = {
    "id": "b" * 16,
    "traceId": "a" * 32,
    "startTime": "2026-07-17T08:03:48.294Z",
    "projectId": "p1",
    "type": "GENERATION",
    "latency": 3.738,
    "modelId": None,
    "inputPrice": None,
    "usageDetails": {"input": 3, "output": 250, "total": 253},
    "costDetails": {"total": 0.01},
    "usage": {"unit": "TOKENS", "input": 3, "inputCost": None},
}
"""Most of its fields are not compared."""

PLAIN = Arrived(
    "a" * 32, "b" * 16, 1_784_275_428_294, {"input": 3, "output": 250, "total": 253}, model="opus", cost=0.5
)

VERSIONS: dict[str, tuple[dict[str, Any], Arrived]] = {
    "v2": (
        {"model": "opus", "totalCost": 0.5, "updatedAt": "2026-11-22T02:32:40.247Z"},
        replace(PLAIN, updated_ms=1_795_314_760_247),
    ),
    "v2 of other versions": ({"providedModelName": "opus", "totalCost": 0.5}, PLAIN),
    "traces": ({"model": "opus", "calculatedTotalCost": 0.5}, PLAIN),
    "a number as text": ({"model": "opus", "totalCost": "0.5"}, PLAIN),
    "a cost of null": ({"model": "opus", "totalCost": None}, replace(PLAIN, cost=0.0)),
    "no cost": ({"model": "opus"}, replace(PLAIN, cost=None)),
    "no model": ({"providedModelName": None, "model": None, "totalCost": 0.5}, replace(PLAIN, model=None)),
    "tokens of null": ({"model": "opus", "totalCost": 0.5, "usageDetails": None}, replace(PLAIN, usage={})),
    "another time zone": ({"model": "opus", "totalCost": 0.5, "startTime": "2026-07-17T10:03:48.294+02:00"}, PLAIN),
}


@pytest.mark.parametrize(("fields", "expected"), VERSIONS.values(), ids=VERSIONS.keys())
def test_a_row_is_read_by_the_names_of_each_version(
    langfuse: LoopbackLangfuse, fields: dict[str, Any], expected: Arrived
) -> None:
    """A cost of null is a call without a price; a missing one says nothing."""
    langfuse.reads = [Reply(body=json.dumps({"data": [ROW | fields], "meta": {}}).encode())]
    with Reader(config.load(langfuse.environ)) as reader:
        assert reader.session("session", []) == [expected]
