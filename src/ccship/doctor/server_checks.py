"""The checks of what the servers answered. Pure functions of the facts, like those in `checks`."""

from ccship.doctor.facts import Facts
from ccship.doctor.finding import Finding
from ccship.doctor.server import Server

MIN_SERVER = (3, 22)
"""The first Langfuse server that accepts OpenTelemetry."""

_CLOCK_S = 300.0


def server_answers(facts: Facts) -> Finding | None:
    """Every server answers and is a Langfuse server."""
    for server in facts.servers:
        if server.error is not None:
            return Finding(
                f"{server.base_url} does not answer ({server.error})", f"check {_address(server)} and the network"
            )
        if server.version is None:
            problem = f"{server.base_url} is not a Langfuse server (health check: HTTP {server.health_status})"
            return Finding(problem, f"check {_address(server)}")
    return None


def endpoints_accept(facts: Facts) -> Finding | None:
    """Every OTLP endpoint and every gateway takes spans."""
    broken = [endpoint for endpoint in facts.endpoints if endpoint.problem]
    if not broken:
        return None
    problems = "; ".join(f"destination {endpoint.name}: {endpoint.problem}" for endpoint in broken)
    return Finding(problems, "correct the table in config.toml, or start the server")


def endpoint_names(facts: Facts) -> str:
    """Format the OTLP endpoints and gateways."""
    return ", ".join(f"{endpoint.name} at {endpoint.address}" for endpoint in facts.endpoints)


def keys_accepted(facts: Facts) -> Finding | None:
    """Every server accepts its keys."""
    for server in facts.servers:
        if server.error is None and server.version is not None and server.keys_status != 200:  # noqa: PLR2004 - OK
            problem = f"{server.base_url} rejects the keys of destination {server.name} (HTTP {server.keys_status})"
            return Finding(problem, "copy both keys again from the project's settings in Langfuse")
    return None


def keys_match(facts: Facts) -> Finding | None:
    """Public and secret key belong together: Langfuse stores spans in the project of the secret key."""
    for server in facts.servers:
        if server.knows_public_key is False:
            return Finding(
                f"{server.base_url} has no such public key as that of destination {server.name}, but accepts its secret"
                f" key: traces go to project {server.project or 'of the secret key'}",
                "copy both keys from the settings of one project in Langfuse",
            )
    return None


def project_names(facts: Facts) -> str:
    """Format the Langfuse projects that the keys belong to."""
    return ", ".join(f"project {server.project} at {server.base_url}" for server in facts.servers if server.project)


def priced(facts: Facts) -> Finding | None:
    """Every model has a price: a call without one costs $0.00 in Langfuse."""
    models = sorted({model for server in facts.servers for model in server.unpriced})
    if not models:
        return None
    return Finding(
        f"neither Langfuse nor ccship has a price for {', '.join(models)}",
        "add the model with its prices in Langfuse (Settings > Models), or update ccship",
    )


def server_version(facts: Facts) -> Finding | None:
    """Every server is new enough to accept OpenTelemetry."""
    for server in facts.servers:
        version = _numbers(server.version or "")
        if version and version < MIN_SERVER:
            needed = ".".join(map(str, MIN_SERVER))
            return Finding(f"{server.base_url} runs Langfuse {server.version}", f"update it to {needed} or later")
    return None


def clock(facts: Facts) -> Finding | None:
    """The clocks of this machine and the server agree: Langfuse hides spans of the future."""
    for server in facts.servers:
        if abs(server.ahead_s) > _CLOCK_S:
            way = "behind" if server.ahead_s > 0 else "ahead of"
            return Finding(
                f"this machine's clock is {abs(server.ahead_s):,.0f} s {way} {server.base_url}", "set the clock"
            )
    return None


def _address(server: Server) -> str:
    return "LANGFUSE_BASE_URL" if server.name == "default" else f"base_url of destination {server.name}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
