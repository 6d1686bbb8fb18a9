"""Credentials of messengers, payment, mail, monitoring and planning services."""

from ccship.privacy.redact.rules import START, Rule
from ccship.privacy.redact.values import is_placeholder

RULES = (
    Rule(
        "slack-token",
        r"(?:xox[a-z]-|xoxe\.xox[bp]-|xapp-)[\w-]{10,}+",
        ("xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.xox", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
    ),
    Rule(
        "stripe-key",
        r"(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}+|" + START + r"whsec_[A-Za-z0-9+/]{24,}+=?)",
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"),
        accept=lambda hit: not is_placeholder(hit[0]),
    ),
    Rule(
        "mail-service-key",
        START + r"(?:key-[0-9a-f]{32}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30})(?![A-Za-z0-9-])",
        ("key-", "re_"),
    ),
    Rule(
        "sentry-token",
        r"sntry[su]_[\w+/=.-]{40,}+",
        ("sntrys_", "sntryu_"),
    ),
    Rule(
        "monitoring-key",
        START + r"(?:NRAK-[A-Z0-9]{27}|gls?[ac]_[\w+/=-]{32,}+|ph[xs]_[A-Za-z0-9]{40,}+)",
        ("NRAK-", "glsa_", "glc_", "phx_", "phs_"),
    ),
    Rule(
        "linear-key",
        r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{24,}+",
        ("lin_api_", "lin_oauth_", "lin_wh_"),
    ),
    Rule(
        "notion-token",
        START + r"(?:ntn_[A-Za-z0-9]{40,}+|secret_[A-Za-z0-9]{43})(?![A-Za-z0-9])",
        ("ntn_", "secret_"),
    ),
    Rule(
        "planning-service-token",
        r"(?:ATATT3[\w=-]{50,}+|ATCTT3[\w=-]{50,}+|figd_[\w-]{40,}+|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
        r"|sbp_[0-9a-f]{40}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|dp\.(?:pt|st|ct)\.\w{40,}+|pscale_(?:tkn|pw"
        r"|oauth)_[\w.-]{32,}+)",
        (
            *("ATATT3", "ATCTT3", "figd_", "shpat_", "shpca_", "shppa_", "shpss_", "sbp_", "PMAK-"),
            *("dp.pt.", "dp.st.", "dp.ct.", "pscale_"),
        ),
    ),
)
