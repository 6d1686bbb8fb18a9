"""Credentials that are known by their shape or by what stands before them, whoever issued them."""

import re

from ccship.redact.names import is_placeholder
from ccship.redact.rules import HEX, START, Rule, any_case, canary, is_user_and_password, made_up

_DATABASES = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|valkey|amqps?|mssql|sqlserver|clickhouse|oracle)(?:\+\w{1,20})?$"
)
_BEGIN, _END = "-----BEGIN ", "-----END "
_DASHES = "-----"


def _is_secret(hit: re.Match[str]) -> bool:
    return not is_placeholder(hit["secret"])


def _is_of_a_database(hit: re.Match[str]) -> bool:
    """Only there a password may hold what ends one in any other address."""
    return _DATABASES.search(hit.string, max(hit.start() - 40, 0), hit.start()) is not None and _is_secret(hit)


def _is_for_curl(hit: re.Match[str]) -> bool:
    """Other programs mean a user and a group by it."""
    before = hit.string[max(hit.start() - 1000, 0) : hit.start()]
    return ("curl" in before or hit[0].startswith("sshpass")) and _is_secret(hit)


def _looks_random(hit: re.Match[str]) -> bool:
    """A token has a digit, or capitals among small letters; a word of prose has neither."""
    secret = hit["secret"]
    return not is_placeholder(secret) and bool(re.search(r"\d|[a-z][A-Z]", secret))


RULES = (
    Rule(
        "private-key",
        _BEGIN
        + r"(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        + r"(?:(?:(?!-----)[\s\S]){0,20000}?-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        # Cut off: all that looks like base64, whatever stands at the beginnings of the lines.
        + r"|(?:(?:\\{1,31}(?:[nrt]|u2192)|[\s\"'`+,|>:→\d])*+(?:[\w-]{1,20}: [\w,-]{1,80}|[A-Za-z0-9+/=]{24,}+))*+"
        + r"(?:(?:\\{1,31}(?:[nrt]|u2192)|[\s\"'`+,|>:→\d]){0,12}[A-Za-z0-9+/=]{4,})?)",
        ("-----BEGIN ",),
        hits=(
            canary(
                _BEGIN,
                "RSA PRIVATE KEY",
                _DASHES,
                "\n",
                made_up(64),
                "\n",
                made_up(48),
                "==\n",
                _END,
                "RSA PRIVATE KEY-----",
            ),
            canary(_BEGIN, "OPENSSH PRIVATE KEY", _DASHES, "\n", made_up(70), "\n", _END, "OPENSSH PRIVATE KEY-----")
            + "\n",
            'key = "'
            + canary(
                _BEGIN, "PRIVATE KEY", _DASHES, r"\n", made_up(64), r"\n", made_up(30), r"\n", _END, "PRIVATE KEY-----"
            )
            + r'\n"',
            canary(_BEGIN, "EC PRIVATE KEY", _DASHES, "\n", made_up(64), "\n", made_up(64), "\n", made_up(30)),
            "     1→" + canary(_BEGIN, "PRIVATE KEY", _DASHES, "\n     2→", made_up(64), "\n     3→", made_up(64)),
            canary(
                _BEGIN,
                "PGP PRIVATE KEY BLOCK",
                _DASHES,
                "\n\n",
                made_up(64),
                "\n=aB3d\n",
                _END,
                "PGP PRIVATE KEY BLOCK-----",
            ),
        ),
        misses=(
            _BEGIN + "PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" + _END + "PUBLIC KEY-----",
            _BEGIN + "CERTIFICATE-----\nMIIB\n" + _END + "CERTIFICATE-----",
        ),
    ),
    Rule(
        "ssh-private-key",
        r"(?:b3BlbnNzaC1rZXktdjE(?:[A-Za-z0-9+/=\s]|\\{1,31}[nr])*+"
        r"|Private-Lines: \d{1,3}(?P<secret>(?:(?:\s|\\{1,31}[nr]){1,4}[A-Za-z0-9+/=]{16,}+)++))",
        ("b3BlbnNzaC1rZXktdjE", "Private-Lines: "),
        hits=(
            canary("b3BlbnNzaC1r", "ZXktdjE", made_up(60), "\n", made_up(60)),
            "Private-Lines: 2\n".rstrip() + canary("\n", made_up(64), "\n", made_up(40)),
        ),
        misses=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOq7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5 ada@demo", "Private-Lines: 14"),
    ),
    Rule(
        "jwt",
        START + r"eyJ[\w-]{10,600}+(?:\.[\w-]*+){2,4}",
        ("eyJ",),
        hits=(
            canary("ey", "J", made_up(33), ".ey", "J", made_up(80), ".", made_up(43)),
            "sid=" + canary("ey", "J", made_up(20), ".ey", "J", made_up(60), ".", made_up(43)) + "; Path=/",
            canary("ey", "J", made_up(40), "..", made_up(16), ".", made_up(60), ".", made_up(22)),
        ),
        misses=("eyJhbGciOiJIUzI1NiJ9", "eyJ... is base64 of {", "heyJude.mp3"),
    ),
    Rule(
        "database-url",
        r"://[^\s:@/\"'`<>]{0,80}:(?P<secret>[^\s\"'`<>]{1,200})@",
        ("://",),
        hits=(
            "DATABASE_URL=postgresql://ada:" + canary("love", "lace1815") + "@db.example.com:5432/demo",
            "mongodb+srv://ada:" + canary("p@ss/", "w0rd") + "@cluster0.example.net",
            "redis://:" + canary("s3", "same") + "@localhost:6379/0",
            "mysql+pymysql://root:" + canary("tiger", "77") + "@127.0.0.1/demo",
            "amqps://ada:" + canary("hop", "Rabbit1") + "@mq.example.com",
        ),
        misses=(
            "postgres://user:password@localhost/db",
            "redis://localhost:6379/0",
            "postgresql://${USER}:${PASSWORD}@db/demo",
            "mysql://localhost:3306/a and ada@example.com",
        ),
        accept=_is_of_a_database,
    ),
    Rule(
        "url-token",
        r"://(?:x-access-token:|oauth2:)?(?P<secret>[\w-]{20,200}+)@(?=\w)",
        ("://",),
        hits=(
            "https://" + canary(made_up(40)) + "@git.example.com/ada/demo",
            "https://oauth2:" + canary(made_up(26)) + "@git.example.com/ada/demo",
        ),
        misses=("https://a-very-long-user-name-indeed@example.com", "https://${TOKEN}@github.com"),
        accept=_looks_random,
    ),
    Rule(
        "basic-auth-url",
        r"://(?:[^\s/?#:@\"'`<>\\]{0,100}:(?P<secret>[^\s/?#@\"'`<>\\]{1,300})@(?=[\w\[]))",
        ("://",),
        hits=(
            "https://ada:" + canary("love", "lace1815") + "@example.com/repo.git",
            "http://deploy:" + canary("hunter", "2") + "@10.0.0.1:8080",
            "ftp://ada:" + canary("x", "y-z!9") + "@files.example.com",
        ),
        misses=(
            "https://example.com:8080/@ada",
            "https://user:password@example.com",
            "https://ada@example.com",
            "a://${U}:${P}@h",
        ),
        accept=_is_secret,
    ),
    Rule(
        "authorization-header",
        r"authorization\\{0,31}[\"']?\]?[ \t]{0,4}[:=,][ \t]{0,4}\\{0,31}[\"'`]?(?:[A-Za-z-]{2,20}[ \t]{1,4})?"
        r"(?P<secret>[^\s\"'`,;<>(){}\[\]\\]{8,}+)(?![(\[])".replace("authorization", "(?i:authorization)"),
        any_case("authorization"),
        hits=(
            "Authorization: Bearer " + canary(made_up(24)),
            "-H 'Authorization: Basic " + canary("YWRhOmxv", "dmVsYWNl", "MTgxNQ==") + "'",
            '{"authorization": "token ' + canary(made_up(40, HEX)) + '"}',
            r"{\"Authorization\": \"Bearer " + canary(made_up(30)) + r"\"}",
            "headers['Authorization'] = '" + canary(made_up(32)) + "'",
        ),
        misses=(
            "Authorization: Bearer <token>",
            "Authorization: Bearer ${TOKEN}",
            '"Authorization": `Bearer ${token}`',
            "Authorization: required",
            "authorization: 401 Unauthorized",
        ),
        accept=_looks_random,
    ),
    Rule(
        "bearer-token",
        START + r"(?i:bearer)(?:[ \t]{1,4}|%20)\\{0,31}[\"']?(?P<secret>[\w.~+/-]{16,}+=*)",
        any_case("bearer"),
        hits=(
            "Bearer " + canary(made_up(32)),
            "curl -H 'X-Auth: bearer " + canary(made_up(20), ".", made_up(20)) + "'",
        ),
        misses=("Bearer authentication-is-needed", "the bearer of this letter", "Bearer $TOKEN"),
        accept=_looks_random,
    ),
    Rule(
        "basic-credentials",
        START + r"(?i:basic)[ \t]{1,4}(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})",
        any_case("basic "),
        hits=(
            "Basic " + canary("YWRhOmxv", "dmVsYWNl", "MTgxNQ=="),
            "auth 'basic " + canary("cm9vdDp0", "aWdlcjc3") + "'",
        ),
        misses=("Basic authentication", "basic Chapter01", "Basic realm"),
        accept=is_user_and_password,
    ),
    Rule(
        "cookie",
        r"(?i:cookie):[ \t]{0,4}(?P<secret>[\w.-]{1,60}=[^\s\"'\\;]{8,}+(?:;[ ]?[\w.-]{1,60}=[^\s\"'\\;]{1,}+)*+)",
        any_case("cookie: "),
        hits=(
            "Set-Cookie: " + canary("session=", made_up(24), "; Path=/"),
            "curl -H 'Cookie: " + canary("sid=", made_up(24), "; lang=en") + "'",
        ),
        misses=("Cookie: name=value", "Cookie: sid=$SESSION", "cookie: a small cake"),
        accept=_looks_random,
    ),
    Rule(
        "command-line-credentials",
        r"(?:(?:-u|--(?:proxy-)?user)[ =]?[\"']?[\w.@+-]{1,80}:|sshpass[ ]{1,4}-p[ ]{0,4}[\"']?)"
        r"(?P<secret>[^\s\"'`\\]{1,200})",
        ("-u ", "--user", "--proxy-user", "sshpass "),
        hits=(
            "curl -s -u ada:" + canary("love", "lace1815") + " https://example.com",
            "sshpass -p " + canary("hunter", "2") + " ssh ada@example.com",
            "curl https://example.com --user 'ada:" + canary("hunter", "2") + "'",
        ),
        misses=(
            "curl -u $USER:$PASSWORD https://example.com",
            "curl -u ada https://example.com:8080",
            "docker run -u ada:wheel4 x",
        ),
        accept=_is_for_curl,
    ),
)
