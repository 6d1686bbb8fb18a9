"""Credentials of model providers, code hosts and package registries."""

from ccship.redact.rules import HEX, START, Rule, canary, is_user_and_password, made_up

_GITLAB = ("pat", "dt", "rt", "rtr", "cbt", "ptt", "ft", "imt", "agent", "oas", "soat", "ffct", "wt")

RULES = (
    Rule(
        "anthropic-key",
        r"sk-ant-[\w-]{16,}+",
        ("sk-ant-",),
        hits=(
            canary("sk-", "ant-", "api03-", made_up(93), "AA"),
            canary("sk-", "ant-", "admin01-", made_up(93), "AA"),
            "CLAUDE_CODE_OAUTH=" + canary("sk-", "ant-", "oat01-", made_up(60), "_", made_up(30)),
            "token " + canary("sk-", "ant-", "sid01-", made_up(86)) + ".",
        ),
        misses=("sk-ant-...", "keys begin with `sk-ant-api03-`"),
    ),
    Rule(
        "langfuse-secret-key",
        r"sk-lf-[A-Za-z0-9-]{8,}+",
        ("sk-lf-",),
        hits=(
            canary("sk-", "lf-", "3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46"),
            "pk-lf-1234567890 / " + canary("sk-", "lf-", "1234567890"),
            "auth=(pk, '" + canary("sk-", "lf-", made_up(36, HEX)) + "')",
        ),
        misses=("pk-lf-3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46", "sk-lf-...", "sk-lf-<yours>"),
    ),
    Rule(
        "openai-key",
        START + r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[\w-]{20,}+|[A-Za-z0-9]{32,}+)",
        ("sk-",),
        hits=(
            canary("sk-", made_up(20), "T3Blbk", "FJ", made_up(20)),
            canary("sk-", "proj-", made_up(60), "_", made_up(30), "-", made_up(20)),
            "sent with " + canary("sk-", "svcacct-", made_up(80)) + ", sorry",
            canary("sk-", "or-v1-", made_up(64, HEX)),
        ),
        misses=(
            "sk-estimator-doc-link-is-a-css-class-of-a-table",
            "task-0123456789abcdef0123456789abcdef",
            "sk-proj-...",
        ),
    ),
    Rule(
        "model-provider-key",
        START
        + r"(?:gsk_[A-Za-z0-9]{40,}+|xai-[A-Za-z0-9]{60,}+|pplx-[A-Za-z0-9]{40,}+|r8_[A-Za-z0-9]{37}|lsv2_\w{40,}+)",
        ("gsk_", "xai-", "pplx-", "r8_", "lsv2_"),
        hits=(
            canary("gs", "k_", made_up(52)),
            canary("xa", "i-", made_up(80)),
            canary("pp", "lx-", made_up(48)),
            canary("r", "8_", made_up(37)),
            canary("ls", "v2_", "pt_", made_up(32, HEX), "_", made_up(10, HEX)),
        ),
        misses=("gsk_...", "pplx-api-client", "r8_g8b8a8_unorm"),
    ),
    Rule(
        "hugging-face-token",
        START + r"(?:hf_|api_org_)[A-Za-z0-9]{30,}+",
        ("hf_", "api_org_"),
        hits=(
            canary("h", "f_", made_up(34)),
            canary("api_", "org_", made_up(34)),
            "login(token='" + canary("h", "f_", made_up(37)) + "')",
        ),
        misses=("hf_hub_download", "from hf_transformers_and_friends_import_pipeline", "shelf_0123456789"),
    ),
    Rule(
        "github-token",
        r"(?:gh[pousr]_[A-Za-z0-9_]{30,}+|github_pat_\w{22,}+)",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        hits=(
            canary("gh", "p_", made_up(36)),
            canary("gh", "o_", made_up(36)),
            canary("gh", "u_", made_up(36)),
            canary("gh", "s_", made_up(36)),
            canary("gh", "r_", made_up(76)),
            canary("github", "_pat_", made_up(22), "_", made_up(59)),
            "https://" + canary("gh", "p_", made_up(40)) + "@github.com/ada/demo.git",
        ),
        misses=("ghp_...", "github_pat_ is the new prefix", "ghs_token_of_the_run"),
    ),
    Rule(
        "gitlab-token",
        rf"gl(?:{'|'.join(_GITLAB)})-[\w.-]{{20,}}+",
        tuple(f"gl{kind}-" for kind in _GITLAB),
        hits=(
            canary("gl", "pat-", made_up(20)),
            canary("gl", "pat-", made_up(27), ".01.", made_up(9)),
            canary("gl", "rt-", made_up(20)),
            canary("gl", "cbt-", "64_", made_up(20)),
        ),
        misses=("glpat-...", "glft-short"),
    ),
    Rule(
        "npm-token",
        START + r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])",
        ("npm_",),
        hits=(
            canary("np", "m_", made_up(36)),
            "//registry.npmjs.org/:_authToken=" + canary("np", "m_", made_up(36)),
        ),
        misses=("npm_config_registry", "npm_lifecycle_event", "npm_package_json"),
    ),
    Rule(
        "pypi-token",
        r"pypi-Ag[\w-]{40,}+",
        ("pypi-Ag",),
        hits=(
            canary("pypi", "-Ag", "EIcHlwaS5vcmc", made_up(120)),
            "password = " + canary("pypi", "-Ag", "ENdGVzdC5weXBpLm9yZw", made_up(100)),
        ),
        misses=("pypi-agent", "pypi-aggregator-that-has-a-name-which-is-very-long-indeed"),
    ),
    Rule(
        "docker-hub-token",
        r"dckr_(?:pat|oat)_[\w-]{20,}+",
        ("dckr_pat_", "dckr_oat_"),
        hits=(canary("dckr", "_pat_", made_up(27)), canary("dckr", "_oat_", made_up(32))),
        misses=("dckr_pat_...", "dckr_pat_is_the_prefix"),
    ),
    Rule(
        "docker-auth",
        r"auth\\{0,31}[\"'][ \t]{0,8}:[ \t]{0,8}\\{0,31}[\"'](?P<secret>[A-Za-z0-9+/]{12,}+={0,2})\\{0,31}[\"']",
        ('auth"', "auth\\", "auth'"),
        hits=(
            '{"auths": {"https://index.docker.io/v1/": {"auth": "' + canary("YWRhOmh1", "bnRlcjI5OQ==") + '"}}}',
            r"{\"auth\": \"" + canary("YWRhOmxvdmVs", "YWNlMTgxNQ==") + r"\"}",
        ),
        misses=('{"auth": "none"}', '{"auth": "oauth2-device-code"}', '{"auth": {"type": "basic"}}'),
        accept=is_user_and_password,
    ),
    Rule(
        "vault-token",
        START + r"hv[sbr]\.[\w-]{24,}+",
        ("hvs.", "hvb.", "hvr."),
        hits=(canary("hv", "s.", made_up(24)), canary("hv", "b.", made_up(138)), canary("hv", "s.CAES", made_up(90))),
        misses=("hvs.example", "archivs.0123456789012345678901234567"),
    ),
    Rule(
        "age-secret-key",
        r"AGE-SECRET-KEY-1[0-9A-Z]{50,}+",
        ("AGE-SECRET-KEY-1",),
        hits=(
            canary("AGE-", "SECRET-KEY-1", made_up(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
            "key.txt: " + canary("AGE-", "SECRET-KEY-1", made_up(58, "L7AUM6ECHK45NJ3S0WDVT2FG8X9YRZPQ")),
        ),
        misses=("AGE-SECRET-KEY-1...", "age1qpzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jn5"),
    ),
)
