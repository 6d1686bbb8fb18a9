"""Examples of `ccship.privacy.redact.developers`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "anthropic-key": Examples(
        hits=(
            canary("sk-", "ant-", "api03-", made_up(93), "AA"),
            canary("sk-", "ant-", "admin01-", made_up(93), "AA"),
            "CLAUDE_CODE_OAUTH=" + canary("sk-", "ant-", "oat01-", made_up(60), "_", made_up(30)),
            "token " + canary("sk-", "ant-", "sid01-", made_up(86)) + ".",
        ),
        misses=("sk-ant-...", "keys begin with `sk-ant-api03-`"),
    ),
    "langfuse-secret-key": Examples(
        hits=(
            canary("sk-", "lf-", "3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46"),
            "pk-lf-1234567890 / " + canary("sk-", "lf-", "1234567890"),
            "auth=(pk, '" + canary("sk-", "lf-", made_up(36, HEX)) + "')",
        ),
        misses=("pk-lf-3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46", "sk-lf-...", "sk-lf-<yours>"),
    ),
    "openai-key": Examples(
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
    "model-provider-key": Examples(
        hits=(
            canary("gs", "k_", made_up(52)),
            canary("xa", "i-", made_up(80)),
            canary("pp", "lx-", made_up(48)),
            canary("r", "8_", made_up(37)),
            canary("ls", "v2_", "pt_", made_up(32, HEX), "_", made_up(10, HEX)),
        ),
        misses=("gsk_...", "pplx-api-client", "r8_g8b8a8_unorm"),
    ),
    "hugging-face-token": Examples(
        hits=(
            canary("h", "f_", made_up(34)),
            canary("api_", "org_", made_up(34)),
            "login(token='" + canary("h", "f_", made_up(37)) + "')",
        ),
        misses=("hf_hub_download", "from hf_transformers_and_friends_import_pipeline", "shelf_0123456789"),
    ),
    "gitlab-token": Examples(
        hits=(
            canary("gl", "pat-", made_up(20)),
            canary("gl", "pat-", made_up(27), ".01.", made_up(9)),
            canary("gl", "rt-", made_up(20)),
            canary("gl", "cbt-", "64_", made_up(20)),
        ),
        misses=("glpat-...", "glft-short"),
    ),
    "pypi-token": Examples(
        hits=(
            canary("pypi", "-Ag", "EIcHlwaS5vcmc", made_up(120)),
            "password = " + canary("pypi", "-Ag", "ENdGVzdC5weXBpLm9yZw", made_up(100)),
        ),
        misses=("pypi-agent", "pypi-aggregator-that-has-a-name-which-is-very-long-indeed"),
    ),
    "docker-hub-token": Examples(
        hits=(canary("dckr", "_pat_", made_up(27)), canary("dckr", "_oat_", made_up(32))),
        misses=("dckr_pat_...", "dckr_pat_is_the_prefix"),
    ),
}
