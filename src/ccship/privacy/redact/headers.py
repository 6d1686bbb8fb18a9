"""Secrets in HTTP headers: on the wire, on a command line, in code."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.names import names_secret
from ccship.privacy.redact.rules import START, Rule, is_user_and_password
from ccship.privacy.redact.values import has_no_words, is_placeholder, looks_random

_TAB = r"(?:\t|\\{1,31}t)"
_SHORTEST_COOKIE = 8
_ALGORITHM = re.compile(r"[A-Z]+\d?(?:-[A-Z]+\d*){1,3}")


def _looks_random(hit: re.Match[str]) -> bool:
    secret = hit["secret"]
    return (
        not is_placeholder(secret)
        and not names_secret(secret)
        and re.search(r"\d|[a-z][A-Z]", secret) is not None
        and has_no_words(secret)
        and not _ALGORITHM.fullmatch(secret)
    )


def _is_cookie(hit: re.Match[str]) -> bool:
    """Whether a cookie's value looks like a secret and not like a setting."""
    values = re.findall(r"=([^;\s]*)", hit["secret"])
    return _looks_random(hit) and any(len(value) >= _SHORTEST_COOKIE and looks_random(value) for value in values)


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUOTED = re.compile(r":[ ]?\\{0,31}[\"'](?P<secret>[^\s\"'\\]{16,2000})\\{0,31}[\"']")


def _values(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    return (value.span("secret") for value in _QUOTED.finditer(hit.string, *hit.span("block")) if _looks_random(value))


def _is_for_curl(hit: re.Match[str]) -> bool:
    before = hit.string[max(hit.start() - 1000, 0) : hit.start()]
    return re.search(r"curl|https?\b|wget", before) is not None and _is_cookie(hit)


_COOKIES = r"(?P<secret>[\w.%-]{1,80}=[^\s\"'\\;]{8,400}+(?>(?:;[ ]?[\w.%-]{1,80}=[^\s\"'\\;]{1,400}+){0,50}))"
"""The cookies that decide. Any number of any length would take quadratic time for a text of many `cookie=`."""
_MORE_COOKIES = r"[^\s\"'\\;]*+(?>(?:;[ ]?[\w.%-]{1,80}=[^\s\"'\\;]++)*)"

RULES = (
    Rule(
        "authorization-header",
        r"authorization\\{0,31}[\"']?\]?[ \t]{0,4}[:=,][ \t]{0,4}\\{0,31}[\"'`]?(?:[A-Za-z-]{2,20}[ \t]{1,4})?"
        r"(?P<secret>[^\s\"'`,;<>(){}\[\]\\]{8,}+)(?![(\[])".replace("authorization", "(?i:authorization)"),
        ("authorization",),
        accept=_looks_random,
    ),
    Rule(
        "bearer-token",
        START + r"(?i:bearer)(?:[ \t]{1,4}|%20|\\[ ]|\",[ ]?)\\{0,31}[\"']?(?P<secret>[\w.~+/-]{16,}+=*)",
        ("bearer",),
        accept=_looks_random,
    ),
    Rule(
        "basic-credentials",
        START + r"(?i:basic)[ \t]{1,4}(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})",
        ("basic ",),
        accept=is_user_and_password,
    ),
    Rule(
        "cookie",
        r"(?i:cookies?)(?:\\{0,31}[\"'](?:,[ ]?\\{0,31}\"value\\{0,31}\")?)?\]?"
        r"[ \t]{0,4}[:=,][ \t]{0,4}(?:\\{0,31}[\"'`])?" + _COOKIES,
        ("cookie",),
        accept=_is_cookie,
        rest=_MORE_COOKIES,
    ),
    Rule(
        "cookie-argument",
        r"(?:-b|--cookie)[ =]\\{0,31}[\"']?" + _COOKIES,
        ("-b ", "-b'", '-b"', "--cookie"),
        accept=_is_for_curl,
        rest=_MORE_COOKIES,
    ),
    Rule(
        "session-cookie",
        r"(?:JSESSIONID|PHPSESSID|ASP\.NET_SessionId|connect\.sid|laravel_session|_session_id|sessionid"
        r"|csrftoken|XSRF-TOKEN|remember_user_token"
        r"|next-auth\.session-token|__Secure-[\w.-]{1,60}|__Host-[\w.-]{1,60}|wordpress_logged_in_\w{1,40})"
        r"\\{0,31}[\"']?[ ]?(?:=|:[ ]?\\{0,31}[\"']|,[ ]?\\{0,31}[\"']|\t)(?P<secret>[\w.%+/:=|-]{16,}+)",
        (
            *(
                "jsessionid",
                "phpsessid",
                "asp.net_sessionid",
                "connect.sid",
                "laravel_session",
                "_session_id",
                "sessionid",
            ),
            *("csrftoken", "xsrf-token", "remember_user_token", "next-auth.session-token", "__secure-", "__host-"),
            "wordpress_logged_in_",
        ),
        accept=_looks_random,
    ),
    Rule(
        "digest-response",
        r"(?<![A-Za-z])(?:response=\\{0,31}\"?(?P<secret>[0-9a-f]{32,64})(?![0-9a-f])"
        r"|mac=\\{0,31}\"(?P<mac>[A-Za-z0-9+/]{20,}+=*)\\{0,31}\")",
        ("response=", 'mac="', 'mac=\\"'),
    ),
    Rule(
        "cookie-dict",
        r"(?i:cookies)\\{0,31}[\"']?[ ]?[=:][ ]?\{(?P<block>[^{}]{10,4000})\}",
        ("cookies",),
        spans=_values,
    ),
    Rule(
        "cookie-pair",
        r"name\\{0,31}\"[ ]?:[ ]?\\{0,31}\"[\w.-]{0,40}(?i:sess|sid|auth|token|csrf|remember|jwt|login"
        r"|connect)[\w.-]{0,40}\\{0,31}\",\s{0,20}"
        r"\\{0,31}\"value\\{0,31}\"[ ]?:[ ]?\\{0,31}\"(?P<secret>[\w.%+/:=|-]{16,4000}+)",
        ('name":', "name\\"),
        accept=lambda hit: _looks_random(hit) and not _ID.fullmatch(hit["secret"]),
    ),
    Rule(
        "cookie-file",
        rf"(?:\t|(?<=\\)t)(?:TRUE|FALSE){_TAB}[^\t\n\\]{{1,200}}{_TAB}(?:TRUE|FALSE){_TAB}\d{{1,12}}{_TAB}"
        rf"[^\t\n\\]{{1,100}}{_TAB}(?P<secret>[^\s\\\"]{{8,4000}}+)",
        ("\ttrue\t/", "\tfalse\t/", "ttrue\\", "tfalse\\"),
        accept=_looks_random,
    ),
)
