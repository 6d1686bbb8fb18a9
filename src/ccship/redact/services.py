"""Credentials of messengers, payment, mail, monitoring and planning services."""

from ccship.redact.rules import DIGITS, HEX, START, UPPER, Rule, canary, made_up

RULES = (
    Rule(
        "slack-token",
        r"(?:xox[a-z]-|xoxe\.xox[bp]-|xapp-)[\w-]{10,}+",
        ("xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.xox", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
        hits=(
            canary("xo", "xb-", made_up(12, DIGITS), "-", made_up(13, DIGITS), "-", made_up(24)),
            canary("xo", "xp-", made_up(12, DIGITS), "-", made_up(12, DIGITS), "-", made_up(32, HEX)),
            canary("xa", "pp-", "1-A0", made_up(9, UPPER), "-", made_up(13, DIGITS), "-", made_up(64, HEX)),
            canary("xo", "xe.xo", "xp-1-", made_up(160)),
        ),
        misses=("xoxb-...", "xapp-", "xoxb-your"),
    ),
    Rule(
        "slack-webhook",
        r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[A-Z0-9]{5,20}/[\w/]{8,}+)",
        ("slack.com/",),
        hits=(
            "https://hooks.slack.com/"
            + canary("services", "/T0", made_up(9, UPPER), "/B0", made_up(9, UPPER), "/", made_up(24)),
            "curl https://hooks.slack.com/"
            + canary("workflows", "/T0", made_up(9, UPPER), "/A0", made_up(30))
            + " -d x",
        ),
        misses=("https://hooks.slack.com/services/...", "https://hooks.slack.com/"),
        lead=len("hooks."),
    ),
    Rule(
        "discord-webhook",
        r"/api/webhooks/\d{15,20}/(?P<secret>[\w-]{40,}+)",
        ("/api/web",),
        hits=(
            "https://discord.com/api/webhooks/" + made_up(18, DIGITS) + "/" + canary(made_up(68)),
            "https://discordapp.com/api/webhooks/" + made_up(19, DIGITS) + "/" + canary(made_up(40), "-_", made_up(26)),
        ),
        misses=("/api/webhooks/7390518264", "/api/webhooks/github"),
    ),
    Rule(
        "telegram-bot-token",
        r"(?<=\d{8}):(?P<secret>AA[\w-]{33})(?![\w-])",
        (":AA",),
        hits=(
            "https://api.telegram.org/bot" + made_up(10, DIGITS) + ":" + canary("AA", made_up(33)) + "/getMe",
            made_up(9, DIGITS) + ":" + canary("AA", "H", made_up(32)),
        ),
        misses=("12:AA", "12345678:AAshort", "fe80::aa:1"),
    ),
    Rule(
        "stripe-key",
        r"(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}+|" + START + r"whsec_[A-Za-z0-9+/]{24,}+=?)",
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"),
        hits=(
            canary("sk", "_live_", made_up(24)),
            canary("sk", "_test_", "51", made_up(97)),
            canary("rk", "_live_", made_up(24)),
            canary("wh", "sec_", made_up(32)),
        ),
        misses=("pk_live_q7Wm2Zx9KdL4vTb8RnY3hGs6", "sk_test_...", "whsec_"),
    ),
    Rule(
        "twilio-key",
        START + r"SK[0-9a-f]{32}(?![A-Za-z0-9])",
        tuple(f"SK{digit}" for digit in "0123456789abcdef"),
        hits=(
            canary("S", "K", made_up(32, HEX)),
            "sid: " + canary("S", "K", made_up(32, HEX[::-1])) + ",",
        ),
        misses=("SKU-3fa81c09", "sk3fa81c09e7b4d2653fa81c09e7b4d265", "SK3fa81c09"),
    ),
    Rule(
        "twilio-auth-token",
        r"api\.twilio\.com[^\n]{0,200}?AC[0-9a-f]{32}:(?P<secret>[0-9a-f]{32})",
        ("api.twilio.com",),
        hits=(
            "curl https://api.twilio.com/2010-04-01/Accounts -u AC"
            + made_up(32, HEX)
            + ":"
            + canary(made_up(32, HEX[::-1])),
            "https://api.twilio.com/ (AC" + made_up(32, HEX) + ":" + canary(made_up(32, HEX[3:])) + ")",
        ),
        misses=("https://api.twilio.com/2010-04-01/Accounts/AC" + made_up(32, HEX), "api.twilio.com"),
    ),
    Rule(
        "sendgrid-key",
        START + r"SG\.[\w-]{16,32}\.[\w-]{32,64}",
        ("SG.",),
        hits=(
            canary("S", "G.", made_up(22), ".", made_up(43)),
            "key=" + canary("S", "G.", made_up(20), "-_", ".", made_up(43)) + ";",
        ),
        misses=("msg.content.text", "SG.", "SG.short.short"),
    ),
    Rule(
        "mail-service-key",
        START + r"(?:key-[0-9a-f]{32}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30})(?![A-Za-z0-9-])",
        ("key-", "re_"),
        hits=(canary("ke", "y-", made_up(32, HEX)), canary("r", "e_", made_up(8), "_", made_up(24))),
        misses=("key-value", "re_match_something", "key-3fa81c09"),
    ),
    Rule(
        "sentry-token",
        r"sntry[su]_[\w+/=.-]{40,}+",
        ("sntrys_", "sntryu_"),
        hits=(canary("sntr", "ys_eyJ", made_up(120), "_", made_up(43)), canary("sntr", "yu_", made_up(64, HEX))),
        misses=("sntrys_...", "sntryu_short"),
    ),
    Rule(
        "sentry-dsn",
        r"://(?P<secret>[0-9a-f]{32}(?::[0-9a-f]{32})?)@[\w.-]{1,80}/\d",
        ("://",),
        hits=(
            "https://" + canary(made_up(32, HEX)) + "@o447951.ingest.sentry.io/5429219",
            "https://" + canary(made_up(32, HEX), ":", made_up(32, HEX[::-1])) + "@sentry.example.com/2",
        ),
        misses=("https://sentry.io/5429219", "https://ada@example.com/2"),
    ),
    Rule(
        "monitoring-key",
        START + r"(?:NRAK-[A-Z0-9]{27}|gls?[ac]_[\w+/=-]{32,}+|ph[xs]_[A-Za-z0-9]{40,}+)",
        ("NRAK-", "glsa_", "glc_", "phx_", "phs_"),
        hits=(
            canary("NR", "AK-", made_up(27, UPPER)),
            canary("gl", "sa_", made_up(32), "_", made_up(8, HEX)),
            canary("ph", "x_", made_up(43)),
        ),
        misses=("glc_short", "phc_q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5q7Wm2Zx9KdL4vTb8"),
    ),
    Rule(
        "linear-key",
        r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{24,}+",
        ("lin_api_", "lin_oauth_", "lin_wh_"),
        hits=(canary("lin", "_api_", made_up(40)), canary("lin", "_oauth_", made_up(64, HEX))),
        misses=("lin_api_...", "plugin_api_client"),
    ),
    Rule(
        "notion-token",
        START + r"(?:ntn_[A-Za-z0-9]{40,}+|secret_[A-Za-z0-9]{43})(?![A-Za-z0-9])",
        ("ntn_", "secret_"),
        hits=(canary("nt", "n_", made_up(46)), canary("sec", "ret_", made_up(43))),
        misses=("secret_name", "ntn_short", "secret_key_of_something_that_is_long_enough"),
    ),
    Rule(
        "planning-service-token",
        r"(?:ATATT3[\w=-]{50,}+|ATCTT3[\w=-]{50,}+|figd_[\w-]{40,}+|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
        r"|sbp_[0-9a-f]{40}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|dp\.(?:pt|st|ct)\.\w{40,}+|pscale_(?:tkn|pw|oauth)_[\w.-]{32,}+)",
        (
            *("ATATT3", "ATCTT3", "figd_", "shpat_", "shpca_", "shppa_", "shpss_", "sbp_", "PMAK-"),
            *("dp.pt.", "dp.st.", "dp.ct.", "pscale_"),
        ),
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
)
