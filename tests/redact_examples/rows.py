"""Examples of `ccship.privacy.redact.rows`."""

# ruff: noqa: S608 - the examples are SQL

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "secret-insert": Examples(
        hits=(
            "INSERT INTO users (name, password) VALUES ('ada', '" + canary("hunter", "2") + "');",
            "INSERT INTO u (token, id) VALUES ('" + canary(made_up(24)) + "', 1), ('" + canary(made_up(26)) + "', 2);",
        ),
        misses=(
            "INSERT INTO users (name, password) VALUES (?, ?)",
            "INSERT INTO users (name, password) VALUES ($1, $2);",
            "INSERT INTO words (token_count, word) VALUES (3, 'abc1')",
        ),
    ),
    "secret-table": Examples(
        hits=(
            "\nuser   password   role\nada    " + canary("hunter", "22") + "   admin\n",
            "||Name||Password||\n|ada|" + canary("hunter", "22") + "|\n",
            "| user | password |\n|------|----------|\n| ada | " + canary("hunter", "22") + " |\n",
            "user,password,role\nada," + canary("hunter", "22") + ",admin\nbob," + canary("tiger", "77") + ",user\n",
        ),
        misses=(
            "db-password   Opaque   2\ndefault-token-9wt7k   Opaque   3\n",
            "web  | feature/password-reset-token\nweb  | fix/JIRA-8099-api-key-header\n",
            "| token | meaning |\n|---|---|\n| ada | a name |\n",
            "user,\npassword,\nhost2,\n",
            "id,token\n1,EOS\n",
        ),
    ),
    "secret-list": Examples(
        hits=(
            "passwords:\n  - " + canary("hunter", "22") + "\n  - " + canary("tiger", "77") + "\n",
            "api_keys = ['" + canary(made_up(24)) + "', '" + canary(made_up(26)) + "']",
        ),
        misses=(
            "secrets:\n  - db_password\n  - api2\n",
            "tokens = ['EOS', 'BOS']",
            "passwords: [string]",
            '"js-tokens": ["js-tokens@4.0.0", ""]',
        ),
    ),
    "secret-tuple": Examples(
        hits=(
            'user, password = "ada", "' + canary("hunter", "22") + '"',
            'HOST, USER, PASSWORD = "db", "ada", "' + canary("hunter", "22") + '"',
        ),
        misses=("user, password = login()", 'user, password = "ada", None'),
    ),
    "copied-row": Examples(
        hits=(
            "COPY users (id, password) FROM stdin;\n1\t" + canary("hunter", "22") + "\n\\.",
            "COPY a.users (secret, id) FROM stdin;\n" + canary(made_up(24)) + "\t7\n\\.",
        ),
        misses=("COPY tokens (id, token_type) FROM stdin;\n1\thunter22\n", "COPY users (id, password) FROM stdin;\n"),
    ),
    "html-table": Examples(
        hits=(
            "<tr><th>User</th><th>Password</th></tr><tr><td>ada</td><td>" + canary("hunter", "22") + "</td></tr>",
            "<tr><th>API token</th></tr>\n<tr><td>" + canary(made_up(24)) + "</td></tr>",
        ),
        misses=(
            "<tr><th>Field</th><th>Password</th></tr><tr><td>type</td><td>string</td></tr>",
            "<tr><th>Name</th></tr><tr><td>hunter22</td></tr>",
        ),
    ),
}
