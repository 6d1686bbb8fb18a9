"""What prompts, responses and results contain: thinking, images, documents, whole files."""

from lines import Lines, tool
from observed import Observe, named


def test_thinking_is_text_and_its_signature_is_not_sent(seen: Observe) -> None:
    """Signatures and encrypted thinking are for the API alone, and long."""
    thought = {"type": "thinking", "thinking": "hm", "signature": "S" * 40}
    hidden = {"type": "redacted_thinking", "data": "S" * 40}
    asked = {"type": "server_tool_use", "id": "x1", "name": "search", "input": {}, "signature": "S" * 40}
    lines = Lines().prompt("go").assistant("m1", thought).assistant("m1", hidden, asked, "done")
    observations = seen(lines)
    (call,) = named(observations, "LLM call")
    assert call.output["thinking"] == [{"type": "thinking", "content": "hm"}]
    assert [part["type"] for part in call.output["content"]] == ["server_tool_use", "text"]
    assert "SSS" not in str(observations)


def test_whole_files_in_results_are_not_shipped(seen: Observe) -> None:
    """A third of all bytes."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Edit", file_path="a.py"))
    patch = [{"lines": ["-old", "+new", "+more", " same"]}]
    outcome = {"filePath": "a.py", "originalFile": "SECRET SOURCE", "structuredPatch": patch}
    (edit,) = named(seen(lines.result("t1", "ok", toolUseResult=outcome)), "Tool: Edit")
    assert "SECRET SOURCE" not in str(edit)
    assert (edit.metadata["lines_added"], edit.metadata["lines_removed"]) == (2, 1)


def test_thinking_is_a_list_of_parts(seen: Observe) -> None:
    """Langfuse shows a message with a string there as a table; thoughts without text are left out."""
    thoughts = [{"type": "thinking", "thinking": thought} for thought in ("First, look.", "", "Then answer.")]
    (call,) = named(seen(Lines().prompt("go").assistant("m1", *thoughts, "Done.")), "LLM call")
    assert call.output["content"] == "Done."
    assert call.output["thinking"] == [
        {"type": "thinking", "content": "First, look."},
        {"type": "thinking", "content": "Then answer."},
    ]


def test_an_image_in_a_prompt_is_an_image_url(seen: Observe) -> None:
    """Langfuse shows it inside of the message; one that a tool returned stays with the tool."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    lines = Lines().prompt([image]).assistant("m1", tool("t1", "Read")).result("t1", [image])
    observations = seen(lines.assistant("m2", "a cat"))
    first, second = named(observations, "LLM call")
    assert first.input[0]["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    assert second.input[0]["content"] == [{"type": "image", "media_type": "image/png", "bytes": 3}]
    assert named(observations, "Tool: Read")[0].output == [image]


def test_documents_and_unknown_blocks_are_kept(seen: Observe) -> None:
    """PDFs, tool references, and what is to come."""
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}
    lines = Lines().prompt([{"type": "text", "text": "read"}, pdf, {"type": "hologram", "depth": 3}])
    (call,) = named(seen(lines.assistant("m1", "ok")), "LLM call")
    _, document, hologram = call.input[0]["content"]
    assert document["source"]["media_type"] == "application/pdf"
    assert hologram == {"type": "hologram", "depth": 3}
