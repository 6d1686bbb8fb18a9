"""Examples of `ccship.privacy.redact.printed`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "printed-secret": Examples(
        hits=(
            "$ openssl rand -hex 32\n" + canary(HEX * 4) + "\n$ ",
            "$ gh auth token\n" + canary(made_up(40)) + "\n",
            "$ echo $API_TOKEN\n" + canary(made_up(24)) + "\n",
        ),
        misses=(
            "$ echo $API_TOKEN\nNo such variable is set\n",
            "$ cat src/token.rs\nmod v2::lexer;\n",
            "$ openssl rand -hex 32 > key.txt\n$ ls -l2",
        ),
    ),
    "announced-secret": Examples(
        hits=(
            "A temporary password is generated for root@localhost: " + canary("w7Hq", "fX2kLp") + "\n",
            "Use the following password to proceed to installation:\n\n" + canary(HEX * 2) + "\n\nNext",
        ),
        misses=(
            "The password must contain: 12 characters\n",
            "the token is read from: /etc/app2/token\n",
            "The secret is in the vault: see vault2.md\n",
        ),
    ),
    "announced-key": Examples(
        hits=("Here is my OpenAI key: " + canary(made_up(48)), "use this key: " + canary(made_up(32))),
        misses=(
            "this is the cache key: " + HEX * 2,
            "the key is documented-in-the-readme-file",
            "monkey: " + made_up(32),
        ),
    ),
    "printed-value": Examples(
        hits=(
            "Unseal Key 1: " + canary(made_up(43)),
            "    Key Content            : " + canary("correcthorse"),
            "New value: " + canary("x4Kq9w", "2Lm"),
        ),
        misses=("New value: default", "Unseal Key Shares", "Recovery Key 1: <key>"),
    ),
    "recovery-codes": Examples(
        hits=(
            "Recovery codes:\n  " + canary("4kq2z", "-9d8f1") + "\n  " + canary("m2n3b", "-8v7c6") + "\n",
            "Backup codes\n1. " + canary("8315", "2094") + "\n2. " + canary("7204", "1583") + "\n",
        ),
        misses=("Recovery codes are printed once.\nKeep them.", "See backup codes:\n- the docs\n- the screen"),
    ),
    "named-after": Examples(
        hits=(
            "use " + canary("Sommer", "2024!") + " as the password",
            "enter `" + canary(made_up(24)) + "` as your API key",
        ),
        misses=("use the variable as the password", "type it as your password", "use config.token as the token"),
    ),
    "written-pair": Examples(
        hits=("creds: ada / " + canary("hunter", "22"), "Zugangsdaten: ada:" + canary("Sommer", "2024")),
        misses=("login: ada/feature-branch", "credentials: see docs", "account: 12:30", "login: ok / failed"),
    ),
    "written-login-pair": Examples(
        hits=("user ada pass " + canary("hunter", "22"), "ssh ada@example.com (pw " + canary("hunter", "22") + ")"),
        misses=("user ada password reset", "(pass the flag)", "all users pass login2"),
    ),
    "private-key-list": Examples(
        hits=(
            "Private Keys\n==================\n(0) " + canary("0x", HEX * 4),
            "Private Keys\n(0) " + canary("0x", HEX * 4) + "\n(1) " + canary("0x", HEX[::-1] * 4),
        ),
        misses=("Private Keys\n(0) none", "private keys are stored in " + HEX * 4),
    ),
    "changed-password": Examples(
        hits=(
            "changed the password from " + canary("hunter", "22") + " to " + canary("wheel", "44"),
            "the passphrase went from '" + canary("hunter", "22") + "' to '" + canary("wheel", "44") + "'.",
        ),
        misses=("changed the password from weak to strong", "password length from 8 to 12"),
    ),
}
