"""Images are sent whole or not at all; text that claims to be an image is text."""

from typing import Any

import pytest

from ccship.privacy import Policy, protect
from helpers import strings_in
from privacy.observation import PNG, SECRET, observation

IMAGES: dict[str, Any] = {
    "Anthropic's": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    "MCP's": {"type": "image", "mimeType": "image/png", "data": PNG},
    "a data URI": f"data:image/png;base64,{PNG}",
    "a chat message's": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_images_are_neither_cut_nor_read_as_text(image: Any) -> None:
    """Half an image is none, and in base64 a credential shape is an accident."""
    shown = [{"type": "text", "text": "x" * 5000}, image]
    protected = protect(observation(output=shown), Policy(max_chars=1000))
    assert protected.output[1] == image
    assert len(protected.output[0]["text"]) == 1000


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_images_that_are_not_wanted_leave_a_note(image: Any) -> None:
    """Of their type and size."""
    protected = protect(observation(output=[image]), Policy(images=False))
    assert PNG not in str(protected)
    assert "image/png" in list(strings_in(protected))


NO_IMAGES: dict[str, Any] = {
    "text that is called an image": {"type": "base64", "media_type": "image/png", "data": f"echo {SECRET}"},
    "text in base64": {"type": "base64", "media_type": "text/plain", "data": PNG},
    "a data URI of text": f"data:image/png;base64,{SECRET} and more",
}


@pytest.mark.parametrize("value", NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_what_only_claims_to_be_media_is_text(value: Any) -> None:
    """It is redacted and cut like all text."""
    texts = list(strings_in(protect(observation(output=value), Policy(max_chars=1000))))
    assert not [text for text in texts if SECRET in text or len(text) > 1000]
