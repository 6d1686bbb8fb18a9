"""Examples of `ccship.privacy.redact.sessions`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "printed-variable": Examples(
        hits=(
            "\n$ consul kv get app/db/password\n" + canary("Sommer", "2024") + "\n$ ",
            "\n>>> os.environ['DB_PASSWORD']\n'" + canary("tdz27D", "CfwuJj") + "'\n>>> ",
            '\n(lldb) p password\n(String) $0 = "' + canary("S3rvice", "35") + '"\n(lldb) ',
        ),
        misses=(
            "$ ls secrets\ndb1_password\n",
            "$ git log --oneline token.py\n3fa81c0 Fix\n",
            ">>> user.has_password\nTrue\n",
        ),
    ),
    "generated-secret": Examples(
        hits=(
            "$ rails secret\n" + canary(HEX * 4) + "\n",
            "$ pwgen 12 2\n" + canary(made_up(12)) + " " + canary(made_up(12)[::-1]) + "\n",
        ),
        misses=(
            "$ rails secret --help\nUsage:\n  rails\n",
            "$ php artisan key:generate\nApplication key set successfully.\n",
        ),
    ),
}
