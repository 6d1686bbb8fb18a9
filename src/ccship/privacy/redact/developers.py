"""Credentials of model providers, code hosts and package registries."""

from ccship.privacy.redact.rules import START, Rule

_GITLAB = ("pat", "dt", "rt", "rtr", "cbt", "ptt", "ft", "imt", "agent", "oas", "soat", "ffct", "wt")

RULES = (
    Rule(
        "anthropic-key",
        r"sk-ant-[\w-]{16,}+",
        ("sk-ant-",),
    ),
    Rule(
        "langfuse-secret-key",
        r"sk-lf-[A-Za-z0-9-]{8,}+",
        ("sk-lf-",),
    ),
    Rule(
        "openai-key",
        START + r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[\w-]{20,}+|[A-Za-z0-9]{32,}+)",
        ("sk-",),
    ),
    Rule(
        "model-provider-key",
        START
        + r"(?:gsk_[A-Za-z0-9]{40,}+|xai-[A-Za-z0-9]{60,}+|pplx-[A-Za-z0-9]{40,}+|r8_[A-Za-z0-9]{37}|lsv2_\w{40,}+)",
        ("gsk_", "xai-", "pplx-", "r8_", "lsv2_"),
    ),
    Rule(
        "hugging-face-token",
        START + r"(?:hf_|api_org_)[A-Za-z0-9]{30,}+",
        ("hf_", "api_org_"),
    ),
    Rule(
        "gitlab-token",
        rf"gl(?:{'|'.join(_GITLAB)})-[\w.-]{{20,}}+",
        tuple(f"gl{kind}-" for kind in _GITLAB),
    ),
    Rule(
        "pypi-token",
        r"pypi-Ag[\w-]{40,}+",
        ("pypi-Ag",),
    ),
    Rule(
        "docker-hub-token",
        r"dckr_(?:pat|oat)_[\w-]{20,}+",
        ("dckr_pat_", "dckr_oat_"),
    ),
)
