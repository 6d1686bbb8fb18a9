"""Examples of `ccship.privacy.redact.services`."""

from redact_examples.notation import DIGITS, HEX, UPPER, Examples, canary, made_up

EXAMPLES = {
    "slack-token": Examples(
        hits=(
            canary("xo", "xb-", made_up(12, DIGITS), "-", made_up(13, DIGITS), "-", made_up(24)),
            canary("xo", "xp-", made_up(12, DIGITS), "-", made_up(12, DIGITS), "-", made_up(32, HEX)),
            canary("xa", "pp-", "1-A0", made_up(9, UPPER), "-", made_up(13, DIGITS), "-", made_up(64, HEX)),
            canary("xo", "xe.xo", "xp-1-", made_up(160)),
        ),
        misses=("xoxb-...", "xapp-", "xoxb-your"),
    ),
    "stripe-key": Examples(
        hits=(
            canary("sk", "_live_", made_up(24)),
            canary("sk", "_test_", "51", made_up(97)),
            canary("rk", "_live_", made_up(24)),
            canary("wh", "sec_", made_up(32)),
        ),
        misses=("pk_live_q7Wm2Zx9KdL4vTb8RnY3hGs6", "sk_test_...", "whsec_"),
    ),
    "mail-service-key": Examples(
        hits=(canary("ke", "y-", made_up(32, HEX)), canary("r", "e_", made_up(8), "_", made_up(24))),
        misses=("key-value", "re_match_something", "key-3fa81c09"),
    ),
    "sentry-token": Examples(
        hits=(canary("sntr", "ys_eyJ", made_up(120), "_", made_up(43)), canary("sntr", "yu_", made_up(64, HEX))),
        misses=("sntrys_...", "sntryu_short"),
    ),
    "monitoring-key": Examples(
        hits=(
            canary("NR", "AK-", made_up(27, UPPER)),
            canary("gl", "sa_", made_up(32), "_", made_up(8, HEX)),
            canary("ph", "x_", made_up(43)),
        ),
        misses=("glc_short", "phc_q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5q7Wm2Zx9KdL4vTb8"),
    ),
    "linear-key": Examples(
        hits=(canary("lin", "_api_", made_up(40)), canary("lin", "_oauth_", made_up(64, HEX))),
        misses=("lin_api_...", "plugin_api_client"),
    ),
    "notion-token": Examples(
        hits=(canary("nt", "n_", made_up(46)), canary("sec", "ret_", made_up(43))),
        misses=("secret_name", "ntn_short", "secret_key_of_something_that_is_long_enough"),
    ),
    "planning-service-token": Examples(
        hits=(
            canary("ATA", "TT3", made_up(180), "=", made_up(8, HEX)),
            canary("fig", "d_", made_up(43)),
            canary("shp", "at_", made_up(32, HEX)),
            canary("sb", "p_", made_up(40, HEX)),
            canary("PM", "AK-", made_up(24, HEX), "-", made_up(34, HEX)),
            canary("dp", ".pt.", made_up(43)),
            canary("pscale", "_tkn_", made_up(43)),
        ),
        misses=("figd_...", "shpat_short", "pscale_branch"),
    ),
}
