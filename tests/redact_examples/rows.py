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
}
