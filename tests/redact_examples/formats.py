"""Examples of `ccship.privacy.redact.formats`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "netrc": Examples(
        hits=(
            "machine example.com login ada password " + canary("hunter", "2"),
            "machine example.com\n  login ada\n  password " + canary("hunter", "2") + "\n",
        ),
        misses=("login with your password", "login ada password $PASSWORD", "a login needs password policies"),
    ),
    "pgpass": Examples(
        hits=("localhost:5432:demo:ada:" + canary("hunter", "2"), "*:*:*:postgres:" + canary("hunter", "2")),
        misses=("localhost:5432:5432", "localhost:5432:demo:ada:$PASSWORD", "127.0.0.1:5432:5432:tcp"),
    ),
    "npm-auth": Examples(
        hits=(
            "//registry.example.com/:_auth=" + canary("YWRhOmxv", "dmVsYWNl"),
            '_auth = "' + canary("YWRhOmh1", "bnRlcjI5OQ==") + '"',
        ),
        misses=("_auth=${NPM_AUTH}", "always_auth = true", "_auth=your-token"),
    ),
    "docker-auth": Examples(
        hits=(
            '{"auths": {"https://index.docker.io/v1/": {"auth": "' + canary("YWRhOmh1", "bnRlcjI5OQ==") + '"}}}',
            r"{\"auth\": \"" + canary("YWRhOmxvdmVs", "YWNlMTgxNQ==") + r"\"}",
        ),
        misses=('{"auth": "none"}', '{"auth": "oauth2-device-code"}', '{"auth": {"type": "basic"}}'),
    ),
    "sql-password": Examples(
        hits=(
            "CREATE USER 'ada'@'%' IDENTIFIED BY '" + canary("hunter", "2") + "';",
            "ALTER USER ada IDENTIFIED WITH mysql_native_password BY '" + canary("hunter", "2") + "';",
        ),
        misses=("rows are identified by 'id'", "IDENTIFIED BY '${PASSWORD}'", "identified by name"),
    ),
    "kubernetes-secret": Examples(
        hits=(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  user: "
            + canary("YWRhbG92", "ZWxhY2U=")
            + "\n  uri: "
            + canary("cG9zdGdyZXM6Ly9hZGE6", "aHVudGVyMg=="),
            "kind: Secret\nstringData:\n  config: " + canary("hunter", "22"),
        ),
        misses=(
            "kind: Secret\nmetadata:\n  name: db-2\n  namespace: demo2\n",
            "kind: SecretStore\ndata:\n  a: YWRhbG92ZWxhY2U=",
        ),
    ),
    "written-login": Examples(
        hits=(
            "Credentials: ada / " + canary("hunter", "22"),
            "log in with `ada@example.com` / `" + canary("hunter", "22") + "`",
        ),
        misses=("login: src / lib2", "account settings / profile", "username / password1"),
    ),
    "password-hash": Examples(
        hits=(
            "ada:" + canary("$2", "y$10$", made_up(53)) + "\n",
            "root:" + canary("$", "6$rounds=5000$", made_up(16), "$", made_up(86)) + ":19000:0:99999:7:::",
        ),
        misses=("costs $5$ or $6$", "$2b$10$...", "awk '{print $1$2}'"),
    ),
    "network-device-password": Examples(
        hits=(
            "username ada privilege 15 password 7 " + canary("0822455D", "0A16"),
            "snmp-server community " + canary("publ", "1c22") + " RO",
        ),
        misses=("the password 7 characters long", "a secret 5 people keep", "password 8 to 64 characters"),
    ),
    "mnemonic": Examples(
        hits=(
            'mnemonic: "'
            + canary("ocean velvet cousin blast ", "tunnel garden orbit sketch ", "walnut ember fossil magnet")
            + '"',
            "Seed phrase: "
            + canary("ocean velvet cousin blast ", "tunnel garden orbit sketch ", "walnut ember fossil magnet"),
        ),
        misses=("a mnemonic is a word list", "seed phrase: keep it in a safe place.", "mnemonic = load()"),
    ),
    "vault-token": Examples(
        hits=(canary("hv", "s.", made_up(24)), canary("hv", "b.", made_up(138)), canary("hv", "s.CAES", made_up(90))),
        misses=("hvs.example", "archivs.0123456789012345678901234567", "items.map", "this.a1"),
    ),
    "login-tuple": Examples(
        hits=(
            "requests.get(url, auth=('ada', '" + canary("hunter", "22") + "'))",
            "'auth' => ['ada', '" + canary("hunter", "22") + "'],",
        ),
        misses=("auth=(user, password)", "auth=('user', 'password')"),
    ),
    "netrc-password": Examples(
        hits=(
            "machine example.com password " + canary("hunter", "22") + " login ada",
            'machine example.com port 587 password "' + canary("hunter", "22") + '" login ada',
        ),
        misses=("machine learning password policy", "machine example.com login ada"),
    ),
}
