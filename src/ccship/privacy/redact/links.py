"""Secrets in addresses: passwords of databases and sites, signatures, codes, and whole webhooks."""

import re

from ccship.privacy.redact.accepts import is_secret
from ccship.privacy.redact.rules import Rule
from ccship.privacy.redact.values import bears_out_a_hint, is_token, looks_generated, looks_random

_DATABASES = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|valkey|amqps?|mssql|sqlserver|clickhouse|oracle|mqtts?"
    r"|nats|smtps?"
    r"|ldaps?|cockroachdb|cassandra|neo4j|bolt|influxdb|couchbases?|snowflake|redshift|kafka|stomp"
    r"|ibmmq)(?:\+\w{1,20})?$"
)
_CATCH = re.compile(r"\d{4,12}/[a-z0-9]{6,}/?$")
_LEAST_PART = 16
_PORT = re.compile(r"\d{1,5}/")


def _is_of_a_database(hit: re.Match[str]) -> bool:
    """Check a password in a database's address: only there it may contain characters that end one elsewhere."""
    return _DATABASES.search(hit.string, max(hit.start() - 40, 0), hit.start()) is not None and is_secret(hit)


def _is_of_a_user(hit: re.Match[str]) -> bool:
    """Check the password in an address: with a slash it is a port and a path, unless it is long and random."""
    return is_secret(hit) and ("/" not in hit["secret"] or (is_token(hit["secret"]) and not _PORT.match(hit["secret"])))


def _looks_random(hit: re.Match[str]) -> bool:
    return is_secret(hit) and looks_random(hit["secret"])


def _is_of_a_hook(hit: re.Match[str]) -> bool:
    """Whether an address is a webhook: one part of it is long and has digits among its letters."""
    before = hit.string[max(hit.start() - 200, 0) : hit.start()]
    return (
        is_secret(hit)
        and re.search(r"://[^\s\"'<>]*$", before) is not None
        and (
            _CATCH.match(hit["secret"]) is not None
            or any(
                len(part) >= _LEAST_PART
                and (is_token(part) or re.fullmatch(r"(?=(?:.*\d){3}).*[A-Za-z].*", part) is not None)
                for part in re.split(r"[/?&=]", hit["secret"])
            )
        )
    )


def _is_of_oauth(hit: re.Match[str]) -> bool:
    """Whether a code belongs to OAuth: the address names OAuth, or the code looks like nothing else."""
    around = hit.string[max(hit.start() - 200, 0) : hit.end() + 100]
    return (
        _looks_random(hit)
        and (not hit[0].startswith("state") or looks_generated(hit["secret"]))
        and re.search(
            r"(?i)state=|oauth|callback|redirect|scope=|authoriz|login|grant_type|verifier|SAMLResponse"
            r"|device_code|/cas\b|service=|azurewebsites",
            around,
        )
        is not None
    )


_NAMES_IN_QUERIES = (
    *(
        "key=",
        "apikey=",
        "api_key=",
        "api-key=",
        "appkey=",
        "app_key=",
        "appid=",
        "wskey=",
        "accesskey=",
        "authkey=",
        "auth=",
    ),
    *(
        "auth_key=",
        "device_key=",
        "subscription-key=",
        "jwt=",
        "sid=",
        "sessionid=",
        "sessiontoken=",
        "hapikey=",
        "x-plex-token=",
    ),
    *(
        "token=",
        "secret=",
        "pwd=",
        "passwd=",
        "client_secret=",
        "unlock_token=",
        "feed_token=",
        "rss_token=",
        "private_token=",
    ),
)
"""Names of parameters of addresses, which are shorter and looser than elsewhere."""

RULES = (
    Rule(
        "database-url",
        r"://[^\s:@/\"'`<>]{0,80}:(?P<secret>[^\s\"'`<>]{1,200})@",
        ("://",),
        accept=_is_of_a_database,
    ),
    Rule(
        "url-token",
        r"://(?:x-access-token:|oauth2:)?(?P<secret>[\w-]{20,200}+)(?::x-oauth-basic)?@(?=\w)",
        ("://",),
        accept=_looks_random,
    ),
    Rule(
        "basic-auth-url",
        r"://(?:[^\s/?#:@\"'`<>\\]{0,100}:(?P<secret>[^\s?#@\"'`<>\\]{1,300})@(?=[\w\[]))",
        ("://",),
        accept=_is_of_a_user,
    ),
    Rule(
        "oracle-login",
        r"(?:thin|oci|sqlplus)[: ](?:-\w{1,3}[ ])?[\w$#.]{1,30}/(?P<secret>[^@\s\"'`/]{3,60})@",
        ("thin:", "oci:", "sqlplus "),
        accept=is_secret,
    ),
    Rule(
        "sentry-dsn",
        r"://(?P<secret>[0-9a-f]{32}(?::[0-9a-f]{32})?)@[\w.-]{1,80}/\d",
        ("://",),
    ),
    Rule(
        "signed-url",
        r"(?i)(?:signature|(?<=-)signature-256|(?<=-)sign|security-token|[?&;~]hmac|[?&]sign|[?&]hash|[?&]sig"
        r"|[?&]policy)(?:=|%3D|=\\{0,31}\"|(?<=-signature):[ ]|(?<=-signature-256):[ ]"
        r"|(?<=-sign):[ ])(?:sha\d{1,3}=)?(?P<secret>[\w%/+=.~-]{24,}+)",
        (
            "signature=",
            "signature: ",
            "signature-256: ",
            "-sign: ",
            "signature%3d",
            "security-token=",
            "hmac=",
            "&sign=",
            "?sign=",
            "?sig=",
            "&sig=",
            "?policy=",
            "&policy=",
        ),
    ),
    Rule(
        "azure-sas",
        r"(?<![A-Za-z0-9])sig=(?P<secret>[A-Za-z0-9%/+]{40,}+(?:=|%3D)?)",
        ("sig=",),
    ),
    Rule(
        "oauth-code",
        r"(?<![A-Za-z0-9_-])(?:code|state|device_code|code_verifier|assertion|SAMLResponse|ticket)\\{0,31}[\"']?"
        r"(?:=|:[ ]?\\{0,31}[\"'])(?P<secret>[\w%/~+.-]{16,}+=*)",
        (
            "code=",
            "state=",
            "device_code=",
            "code_verifier",
            "assertion=",
            "samlresponse=",
            "ticket=",
            'code": "',
            'code":"',
        ),
        accept=_is_of_oauth,
    ),
    Rule(
        "token-in-address",
        r"(?:(?<=[?&])(?:token_hash|confirmation_token|invite_token)=|[?&](?:magic|otp|key)="
        r"|/t/(?=\w{2,8}-[0-9a-f-]{24}))(?P<secret>[\w-]{20,200}+)",
        (
            "token_hash=",
            "confirmation_token=",
            "invite_token=",
            "?magic=",
            "&magic=",
            "?otp=",
            "&otp=",
            "?key=",
            "&key=",
            "/t/",
        ),
        accept=_looks_random,
    ),
    Rule(
        "key-in-address",
        r"[?&](?P<name>(?i:[\w.-]{0,16}(?:key|appid|auth|jwt|sid|token|secret|pwd"
        r"|passwd)))=(?P<secret>[\w.~%+/:-]{12,400}+)",
        tuple(f"{mark}{name}" for mark in "?&" for name in _NAMES_IN_QUERIES),
        accept=lambda hit: _looks_random(hit) and bears_out_a_hint(hit["secret"]),
    ),
    Rule(
        "key-in-path",
        r"(?:infura\.io/(?:ws/)?v3/|alchemy(?:api)?\.(?:com|io)/(?:nft/)?v\d/|quiknode\.pro/"
        r"|rpc\.ankr\.com/\w{1,30}/|chainstack\.com/"
        r"|blastapi\.io/|getblock\.io/|ntfy\.sh/[\w]{0,20}-?|/ical/[^\s/]{1,120}/private-"
        r"|telegram\.org/(?:file/)?bot\d{6,12}:|api\.day\.app/"
        r"|pushover\.net/\w{0,20}/|nhost\.run/|/api/v\d/push/)(?P<secret>[\w-]{16,64}+)",
        (
            *(
                "infura.io/",
                "alchemy.com/",
                "alchemyapi.io/",
                "quiknode.pro/",
                "rpc.ankr.com/",
                "chainstack.com/",
                "ntfy.sh/",
            ),
            *("blastapi.io/", "getblock.io/", "/ical/", "telegram.org/", "api.day.app/", "/api/v1/push/"),
        ),
        accept=_looks_random,
    ),
    Rule(
        "proxy-link",
        r"(?:(?<![\w-])|(?<=\\[nrt]))(?:ss|ssr|trojan|vless|vmess|hysteria2?|hy2"
        r"|tuic)://(?P<secret>[^@\s\"'<>#?\\]{5,600})(?=@|[#\s?\"'<]|\\|$)",
        ("ss://", "ssr://", "trojan://", "vless://", "vmess://", "hysteria2://", "hy2://", "tuic://"),
        accept=is_secret,
    ),
    Rule(
        "secret-host",
        r"://(?P<secret>e[no][a-z0-9]{10,16})\.m\.pipedream\.net",
        ("://en", "://eo"),
    ),
    Rule(
        "slack-webhook",
        r"hooks\.slack(?:-gov)?\.com/(?:(?:services|workflows|triggers)/[A-Z0-9]{5,20}/[\w/]{8,}+)",
        ("hooks.slack",),
    ),
    Rule(
        "webhook-url",
        r"(?:hooks?(?:b2)?(?:[.-][\w.-]{1,60})?(?:/(?:catch|incoming|send|v\d|bot|test))*(?:/"
        r"|/?\?[\w&=.-]{0,60}?(?:key|token)=)|/with/key/|/integration/|/(?:invite|magic|reset|verify|confirm"
        r"|activate|unsubscribe)[\w-]{0,20}/"
        r"|hc-ping\.com/|m\.pipedream\.net/?|/send\?(?:access_token|key)=|/messages\?key=|/workflows/)"
        r"(?P<secret>[\w@/%.~?&=-]{16,400}+)",
        (
            *(
                "hook/",
                "hooks/",
                "hookb2/",
                "hook.",
                "hooks.",
                "hook-",
                "hooks-",
                "hook?",
                "/invite",
                "/magic",
                "/reset",
                "/verify",
                "/confirm",
                "/activate",
                "/unsubscribe",
            ),
            "/with/key/",
            "pagerduty.com/integration/",
            "/integration/",
            "hc-ping.com/",
            "/send?",
            "/messages?key=",
            "/workflows/",
        ),
        accept=_is_of_a_hook,
    ),
    Rule(
        "telegram-bot-token",
        r"(?<=\d{8}):(?P<secret>AA[\w-]{32,33})(?![\w-])",
        (":AA",),
    ),
    Rule(
        "twilio-auth-token",
        r"api\.twilio\.com[^\n]{0,200}?AC[0-9a-f]{32}:(?P<secret>[0-9a-f]{32})",
        ("api.twilio.com",),
    ),
)
