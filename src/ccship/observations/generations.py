"""LLM calls -> generations: model, parameters, usage, and the time of the first token."""

from collections.abc import Iterator
from typing import Any

from ccship.observations.chat import assistant_message
from ccship.observations.identity import span_id_of
from ccship.observations.model import Observation, Trace, present
from ccship.pricing.model_names import family_of, priced_name
from ccship.transcript.parts import LLMCall
from ccship.transcript.records import Assistant, Block, Usage
from ccship.transcript.usage import advisor_usages, cache_writes, usage_details, usage_of

_NS_PER_MS = 1_000_000


def generations(call: LLMCall, given: list[dict[str, Any]], trace: Trace, parent: str) -> Iterator[Observation]:
    """Yield the generation of a call, and one for each advisor that it used.

    `given`: the messages that are new since the previous call.
    """
    if call.start_ns is None:
        return
    blocks = call.blocks
    usage = usage_of(call.lines)
    details = usage_details(usage)
    model_id = next((line.message.model for line in call.lines if line.message and line.message.model), "") or ""
    stop_reason = _stop_reason(call)
    times = [line.time_ns for line in call.lines if line.time_ns is not None]
    aborted = any(line.is_aborted_mid_stream for line in call.lines)
    kinds = [block.get("type") for block in blocks]
    yield Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "llm", call.message_id),
        parent_span_id=parent,
        type="generation",
        name="LLM call",
        start_ns=call.start_ns,
        end_ns=max([call.start_ns, *times]),
        input=given or None,
        output=assistant_message(blocks),
        level="WARNING" if aborted else "DEFAULT",
        status_message="interrupted while streaming" if aborted else None,
        model=priced_name(model_id),
        model_parameters=_parameters(call, usage),
        usage_details=details,
        completion_start_ns=_completion_start(call),
        response_id=call.message_id,
        metadata=present(
            {
                **_model_metadata(model_id, usage, details),
                "tool_count": kinds.count("tool_use"),
                "stop_reason": stop_reason,
                "request_id": call.lines[0].request_id,
                "skill": call.lines[0].attribution_skill,
                "fallback_from": _fallback_from(blocks) if "fallback" in kinds else None,
                "output_is_lower_bound": None if stop_reason else True,
            }
        ),
    )
    if usage.iterations:
        yield from _advisors(call, blocks, usage, trace, parent)


def _advisors(call: LLMCall, blocks: list[Block], usage: Usage, trace: Trace, parent: str) -> Iterator[Observation]:
    """Yield a generation for each advisor call (`server_tool_use`).

    Advisor tokens are billed, but the call's own usage excludes them, and later lines repeat them: count them per
    advisor call, not per line.
    """
    asked = [b for b in blocks if b.get("type") == "server_tool_use" and b.get("name") == "advisor"]
    named = next((line.advisor_model for line in call.lines if line.advisor_model), "")
    for block, (model, advice) in zip(asked, advisor_usages(usage), strict=False):
        model_id = model or named
        details = usage_details(advice)
        yield Observation(
            trace=trace,
            span_id=span_id_of(trace.trace_id, "llm", str(block.get("id"))),
            parent_span_id=parent,
            type="generation",
            name="Advisor",
            start_ns=call.start_ns or 0,
            end_ns=max([call.start_ns or 0, *(line.time_ns for line in call.lines if line.time_ns is not None)]),
            input=block.get("input"),
            model=priced_name(model_id),
            usage_details=details,
            metadata=present(_model_metadata(model_id, advice, details)),
        )


def _model_metadata(model_id: str, usage: Usage, details: dict[str, int]) -> dict[str, Any]:
    return {
        "model_family": family_of(model_id),
        "model_id": model_id,
        "cache_read_tokens": usage.cache_read_input_tokens or 0,
        "cache_creation_tokens": cache_writes(details),
        "new_input_tokens": usage.input_tokens or 0,
        "service_tier": usage.service_tier,
    }


def _parameters(call: LLMCall, usage: Usage) -> dict[str, Any]:
    params = call.request.params if call.request else {}
    thinking = params.get("thinking")
    thinking = thinking if isinstance(thinking, dict) else {}
    output_config = params.get("output_config")
    effort = output_config.get("effort") if isinstance(output_config, dict) else None
    return present(
        {
            "speed": usage.speed,
            "effort": effort or next((line.effort for line in call.lines if line.effort), None),
            "max_tokens": params.get("max_tokens"),
            "thinking": thinking.get("type"),
            "thinking_budget": thinking.get("budget_tokens"),
        }
    )


def _stop_reason(call: LLMCall) -> str | None:
    reasons = [line.message.stop_reason for line in call.lines if line.message and line.message.stop_reason]
    return reasons[-1] if reasons else None


def _fallback_from(blocks: list[Block]) -> str | None:
    """Return the model that refused, if another model answered instead."""
    for block in blocks:
        source = block.get("from")
        if block.get("type") == "fallback" and isinstance(source, dict) and source.get("model"):
            return str(source["model"])
    return None


def _completion_start(call: LLMCall) -> int | None:
    """Return the time of the first token: the end of the first block minus its streaming time, if both are known."""
    for line in call.lines:
        streamed_ms = _streamed_ms(line)
        if line.api_block_index == 0 and streamed_ms is not None and line.time_ns is not None:
            return max(call.start_ns or 0, line.time_ns - int(streamed_ms * _NS_PER_MS))
    return None


def _streamed_ms(line: Assistant) -> float | None:
    return line.thinking_duration_ms if line.thinking_duration_ms is not None else line.tool_input_stream_ms
