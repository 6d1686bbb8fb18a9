"""Examples of `ccship.privacy.redact.sentences`."""

from redact_examples.notation import Examples, canary, made_up

PERSON = canary("Sommer", "2024")
TOKEN = canary(made_up(32))

EXAMPLES = {
    "numeric-code": Examples(
        hits=(
            '{"user": "ada", "pin": "' + canary("315", "442") + '"}',
            "pin: " + canary("847", "077") + " # front door",
            "app -pin " + canary("966", "108"),
            "?user=ada&otp=" + canary("110", "771"),
            "userPin = " + canary("110", "771"),
        ),
        misses=("pin: 13", "spin: 123456", "pin 123456 boards", "otp: 12345.5", "mapping: 123456"),
    ),
    "spoken-password": Examples(
        hits=(
            "remove the hard-coded password " + PERSON + " from it",
            "ilo Passwort " + canary("Adm1n", "36") + " bitte",
        ),
        misses=("the password field2 is empty", "hash the password sha256 twice", "the password prompt opens"),
    ),
    "set-password": Examples(
        hits=(
            "the password was changed to " + PERSON + " yesterday",
            "Changed password for user 'neo4j' to " + canary("Qw7Xk2", "Zp9") + ".",
            "is the db password still " + PERSON + "?",
        ),
        misses=("set the password to something longer", "Change the password to a longer one"),
    ),
    "labelled-password": Examples(
        hits=("Passwort Laptop: " + PERSON, "password (if asked): " + canary("tigger", "501")),
        misses=("password reset: see page2", "password length: 12345678"),
    ),
    "entered-password": Examples(
        hits=("it asks for a password, just type " + PERSON, "Password reset: new one is " + canary("dragon", "430")),
        misses=("After the password, type Enter.", "For the password, use version2"),
    ),
    "prompted-secret": Examples(
        hits=(
            "Enter same passphrase again: " + PERSON + "\nDone",
            'Enter new password for user "ada": ' + canary("shadow", "988") + "\nDone",
        ),
        misses=("Enter your password for Ada: \n", "Enter password: required\n"),
    ),
    "spoken-token": Examples(
        hits=("we leaked the token " + TOKEN + ", rotate it", "chave de API: " + TOKEN, "revoke the key " + TOKEN),
        misses=(
            "the next token " + made_up(32),
            "the token " + "3fa81c09" * 5,
            "the key user/profile/settings/theme/dark",
        ),
    ),
    "spoken-header": Examples(
        hits=("set the header X-Auth-Token to " + TOKEN, "send the header Authorization as " + TOKEN),
        misses=("set the header X-Request-Id to a-new-uuid-for-each-call", "the header X-Api-Key to the request"),
    ),
    "said-before": Examples(
        hits=(PERSON + " is the password for the router", "nimm " + canary("Qw7Xk2", "Zp9") + " als Passwort"),
        misses=(
            "bcrypt is the password hash",
            "this is the password for the router",
            "AES256 is the key, it is my token",
        ),
    ),
    "entered-text": Examples(
        hits=(
            'When I enter "' + canary("diHX7u", "TaQPK") + '" into the "password" field',
            'type "' + PERSON + '" in the password box',
        ),
        misses=('enter "anything" into the "password" field', 'I put "hunter22" into the "name" field'),
    ),
    "spoken-login": Examples(
        hits=(
            "admin panel is at https://acme.io/admin (admin/" + canary("tigger", "501") + ")",
            "ssh to db1 (root / " + PERSON + ")",
            "connect to db1 as ada with " + canary("Winter", "2025"),
        ),
        misses=("login / logout2 and user/profile3 are routes", "log in with github and google", "use tabs/spaces"),
    ),
    "listed-account": Examples(
        hits=(
            "- Grafana: http://localhost:3000 (admin / " + PERSON + ")",
            "| x | admin / " + canary("tigger", "501") + " |",
        ),
        misses=("- Paths: admin/users, root/home", "| x | admin / editor |"),
    ),
    "listed-credentials": Examples(
        hits=("Creds:\nada\n" + PERSON + "\nEnd", "[credentials]\nada = " + canary("monkey", "77") + "\n"),
        misses=("Login:\nVisit the page\nand read on\n", "[users]\nada = admin\n"),
    ),
    "spoken-pin": Examples(
        hits=("the SIM PIN is " + canary("4407", "19"), "OTP: " + canary("4407", "19")),
        misses=("pin 13 is an input", "the exit code is 404404", "PIN: see the letter"),
    ),
    "spoken-license": Examples(
        hits=(
            "Product Key: " + canary("KWYCT-O1YZP-", "F4R8P-T11Z0-BZ4F4"),
            "activation key " + canary("Z7L1-VGFA-", "UD71-BX6M"),
        ),
        misses=("license MIT-0 or BSD-3-CLAUSE", "Serial: 1234-5678-9012-3456"),
    ),
    "recovery-password": Examples(
        hits=(
            "Password:\n        " + canary("536316-723541-869170-897599-", "511992-352777-335062-371419"),
            "recovery key: " + canary("736316-723541-869170-897599-", "511992-352777-335062-371419"),
        ),
        misses=("Password: 536316-723541", "recovery key: none"),
    ),
    "spaced-password": Examples(
        hits=(
            "app password: " + canary("eavv ou0d ", "bmzi 7dka"),
            "Google app password " + canary("p34t e2a4 ", "th6f ipfx"),
        ),
        misses=("app password when your code only asks", "app password: none"),
    ),
    "foreign-password": Examples(
        hits=("Kata sandi: " + canary("xLth", "DX1Rxq"), "Lozinka: " + PERSON),
        misses=("Mật khẩu: bắt buộc", "WLAN-Schlüssel: siehe Aufkleber"),
    ),
}
