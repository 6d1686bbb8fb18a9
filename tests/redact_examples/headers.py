"""Examples of `ccship.privacy.redact.headers`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "authorization-header": Examples(
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
    ),
    "bearer-token": Examples(
        hits=(
            "Bearer " + canary(made_up(32)),
            "curl -H 'X-Auth: bearer " + canary(made_up(20), ".", made_up(20)) + "'",
        ),
        misses=("Bearer authentication-is-needed", "the bearer of this letter", "Bearer $TOKEN"),
    ),
    "basic-credentials": Examples(
        hits=(
            "Basic " + canary("YWRhOmxv", "dmVsYWNl", "MTgxNQ=="),
            "auth 'basic " + canary("cm9vdDp0", "aWdlcjc3") + "'",
        ),
        misses=("Basic authentication", "basic Chapter01", "Basic realm"),
    ),
    "cookie": Examples(
        hits=(
            "Set-Cookie: " + canary("session=", made_up(24), "; Path=/"),
            "curl -H 'Cookie: " + canary("sid=", made_up(24), "; lang=en") + "'",
            'document.cookie = "' + canary("sid=", made_up(24)) + '"',
        ),
        misses=("Cookie: name=value", "Cookie: sid=$SESSION", "cookie: a small cake", "document.cookie = name + value"),
    ),
    "cookie-argument": Examples(
        hits=(
            "curl -b '" + canary("sid=", made_up(24)) + "' https://example.com",
            "curl https://example.com --cookie '" + canary("sid=", made_up(24)) + "'",
        ),
        misses=("git checkout -b feature=something2", "curl -b cookies.txt https://example.com"),
    ),
    "session-cookie": Examples(
        hits=(
            "PHPSESSID=" + canary(made_up(26)),
            "cookies={'sessionid': '" + canary(made_up(32)) + "'}",
            "connect.sid=" + canary("s%3A", made_up(32), ".", made_up(43)),
        ),
        misses=(
            "JSESSIONID=...",
            "sessionid = request.cookies.get",
            '"sessionId": "3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46"',
        ),
    ),
    "digest-response": Examples(
        hits=(
            'Authorization: Digest username="ada", response="' + canary(made_up(32, HEX)) + '"',
            "Digest username=ada, uri=/x, response=" + canary(made_up(32, HEX)) + ", qop=auth",
        ),
        misses=("response=200", "response=await fetch(x)"),
    ),
    "cookie-dict": Examples(
        hits=(
            "requests.get(u, cookies={'session': '" + canary(made_up(32)) + "', 'lang': 'en'})",
            'cookies = {"auth": "' + canary(made_up(30)) + '"}',
        ),
        misses=("cookies = {'lang': 'en', 'theme': 'dark'}", "cookies: { path: '/', secure: true }"),
    ),
    "cookie-file": Examples(
        hits=(
            ".example.com\tTRUE\t/\tFALSE\t0\tsession\t" + canary(made_up(28)),
            "example.com\tFALSE\t/\tTRUE\t1893456000\tauth\t" + canary(made_up(40)),
        ),
        misses=(".example.com\tTRUE\t/\tFALSE\t0\ttheme\tdarkness", "a\tTRUE\t/b"),
    ),
    "cookie-pair": Examples(
        hits=(
            '{"name": "sessionid", "value": "' + canary(made_up(32)) + '"}',
            '{"name":"auth_session","value":"' + canary(made_up(40)) + '","path":"/"}',
        ),
        misses=('{"name": "session_theme", "value": "dark"}', '{"name": "color", "value": "' + made_up(32) + '"}'),
    ),
}
