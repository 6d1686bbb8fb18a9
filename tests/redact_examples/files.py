"""Examples of `ccship.privacy.redact.files`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "secret-subkeys": Examples(
        hits=(
            "passwords:\n  root: " + canary("hunter", "22") + "\n  app: '" + canary("wheel", "44") + "'",
            "encryption_keys:\n  current: " + canary(made_up(43), "=") + "\n  old: " + canary(made_up(40)) + "\nx: 2",
        ),
        misses=(
            "secrets:\n  name: db-credentials-v2\n  key: password",
            "keys:\n  up: arrow-up2\n  down: arrow-down2",
            "tokens:\n  color: '#1a2b3c'\n  space: 8px",
        ),
    ),
    "login-file": Examples(
        hits=(
            "cat > userlist.txt <<'EOF'\nada:" + canary("hunter", "22") + "\nEOF",
            "etc/sasl_passwd.db:3:example.com ada:" + canary("hunter", "22") + "\n",
            "`jetty-realm.properties`:\n\n```\nada: " + canary("hunter", "22") + ",admin\n```",
        ),
        misses=(
            "reset-password.txt\nada:admin",
            "src/passwd.c:3:int x = 2;",
            "secrets.txt\nsee https://example.com/a1",
        ),
    ),
    "login-pair": Examples(
        hits=(
            '\n"ada" "' + canary("hunter", "22") + '"\n',
            'x\n"ada" * "' + canary("hunter", "22") + '" *\n',
        ),
        misses=('print "ada" "hunter22"', '"red" "green"', '"ada" "hunter22" "more"'),
    ),
    "encrypted-password": Examples(
        hits=(
            "<password>{" + canary("AQAAABAAAAAg", made_up(43), "=") + "}</password>",
            'password="{xor}' + canary("LDo8LTor", "MTY4Nw==") + '"',
            "keyStorePassword=" + canary("OBF:1v2j1uum", "1xtv1zej1zer1xtn1uvk1v1v"),
        ),
        misses=("<password>{password}</password>", "OBF:short", "{AES}", "ENC(value)"),
    ),
    "encoded-key": Examples(
        hits=(
            'encrypt = "' + canary(made_up(43), "=") + '"',
            '{"password_hash": "' + canary(made_up(48)) + '"}',
            '- secure: "' + canary(made_up(172), "=") + '"',
        ),
        misses=('encrypt = "yes"', '"password_hash": "bcrypt"', "secure: true"),
    ),
    "authentication-key": Examples(
        hits=("\n1 SHA1 " + canary(HEX * 2, HEX[:8]) + "\n", "x\n12 MD5 " + canary("hunter", "22ab") + "\n"),
        misses=("the 1 SHA1 sum of it", "3 MD5 checksums"),
    ),
    "token-map": Examples(
        hits=(
            'tokens {\n  agent = "' + canary(HEX[:8], "-3fa8-4c09-a7b4-", HEX[:12]) + '"\n}',
            '{"tokens": {"agent": "' + canary(made_up(40)) + '"}}',
        ),
        misses=('tokens = {"color": "#fff"}', "secrets { }"),
    ),
    "secret-generator": Examples(
        hits=(
            "secretGenerator:\n- name: db\n  literals:\n  - user=" + canary("hunter", "22"),
            "secretGenerator:\n- name: db\n  literals:\n  - a="
            + canary(made_up(9))
            + "\n  - b="
            + canary("wheel", "44"),
        ),
        misses=("secretGenerator:\n- name: db\n  files:\n  - db.txt", "secretGenerator: {}"),
    ),
    "prompted-password": Examples(
        hits=(
            "<auth-user-pass>\nada\n" + canary("hunter", "22") + "\n</auth-user-pass>",
            "<auth-user-pass>\nbob\n" + canary("wheel", "44") + "\n</auth-user-pass>",
        ),
        misses=("<auth-user-pass>\n</auth-user-pass>", "<auth-user-pass>\nada\n$PASSWORD\n</auth-user-pass>"),
    ),
}
