"""Examples of `ccship.privacy.redact.devices`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "device-password": Examples(
        hits=(
            "enable password " + canary("Herbst", "2020"),
            "tacacs-server key " + canary("hunter", "22"),
            "local-user ada password cipher " + canary("hunter", "22"),
            "d-i passwd/user-password password " + canary("hunter", "22"),
        ),
        misses=(
            "enable password encryption",
            "set password policy",
            "username ada privilege 15",
            "radius-server timeout 5",
        ),
    ),
    "configured-secret": Examples(
        hits=(
            "rocommunity " + canary("xw4kqpz"),
            "createUser ada SHA " + canary("hunter", "22pass") + " AES " + canary("q7Wm", "2Zx9KdL4"),
            "rootpw --plaintext " + canary("hunter", "22"),
            'ada : EAP "' + canary("hunter", "22") + '"',
        ),
        misses=("rocommunity public", "rootpw $PASSWORD", "WIFI: the password is on the wall"),
    ),
    "password-scheme": Examples(
        hits=("ada:{PLAIN}" + canary("hunter", "22"), "{SSHA}" + canary(made_up(32)) + " "),
        misses=("{SHA}", "{noop}$password", "{MD5} "),
    ),
    "acl-password": Examples(
        hits=(
            "user ada on >" + canary("hunter", "22") + " ~* +@all",
            "ACL SETUSER ada on >" + canary("hunter", "22") + " +get",
        ),
        misses=("user ada on #" + "3fa81c09e7b4d265" * 4 + " ~*", "turn it on > log", "echo on >out.txt"),
    ),
    "password-line": Examples(
        hits=(
            "\nbindpw " + canary("hunter", "22") + "\n",
            "\nsentinel auth-pass main " + canary("hunter", "22") + "\n",
        ),
        misses=("the password expires2day\n", "pass 12 tests\n", "password required pam_unix2.so\n"),
    ),
    "login-and-password": Examples(
        hits=(
            "stats auth ada:" + canary("hunter", "22"),
            "user=ada:" + canary("hunter", "22"),
            "[mail.example.com]:587 ada:" + canary("hunter", "22"),
        ),
        misses=("user = 1000:1000", "login=ada", "auth=basic:default", "static: no"),
    ),
    "listed-login": Examples(
        hits=(
            "chpasswd:\n  list: |\n    ada:" + canary("hunter", "22") + "\n",
            "chpasswd:\n  users: |-\n    root:" + canary("Sommer", "2024") + "\n",
        ),
        misses=("chpasswd:\n  expire: false\n", "chpasswd < file"),
    ),
    "ppp-secret": Examples(
        hits=('"ada" * "' + canary("hunter", "22") + '" *', "ada l2tpd " + canary("hunter", "22") + " *"),
        misses=('"a" * "b" * 2', "restart l2tpd service now"),
    ),
    "encoded-secret": Examples(
        hits=("tls.key: " + canary(made_up(60)), "userPassword:: " + canary(made_up(14), "==")),
        misses=("tls.key: <key>", "userPassword:: ${PASSWORD}", "tls.key: |"),
    ),
    "jaas-user": Examples(
        hits=(
            'password="x" user_alice="' + canary("hunter", "22") + '";',
            'Password user_bob="' + canary("hunter", "22") + '" ;',
        ),
        misses=('user_name="ada";', 'password user_role="admin";'),
    ),
    "protocol-password": Examples(
        hits=(
            "PRIVMSG NickServ :IDENTIFY " + canary("hunter", "22"),
            "a1 LOGIN ada@example.com " + canary("hunter", "22"),
            "127.0.0.1:6379> AUTH " + canary("hunter", "22"),
        ),
        misses=("PASS 12 tests", "to identify the user2", "POST LOGIN form", "AUTH PLAIN LOGIN"),
    ),
    "expected-password": Examples(
        hits=(
            'expect "password:"; send "' + canary("hunter", "22") + '\\r"',
            "child.expect('assword:'); child.sendline('" + canary("hunter", "22") + "')",
        ),
        misses=("expect 'password:'; send $password", "password: send a mail"),
    ),
    "keyword-password": Examples(
        hits=(
            "Input Password    id:password    " + canary("hunter", "22"),
            "${PASSWORD}    " + canary("hunter", "22"),
            'And I fill in "Password" with "' + canary("hunter", "22") + '"',
        ),
        misses=("Input Text    id:name    hunter22", "${PASSWORD}    Get Password", 'I fill in "Name" with "hunter22"'),
    ),
    "inline-login": Examples(
        hits=(
            "chpasswd: {expire: false, list: ['ubuntu:" + canary("hunter", "22") + "']}",
            "chpasswd: {list: [root:" + canary(made_up(12)) + ", 'ada:" + canary("hunter", "22") + "']}",
        ),
        misses=("chpasswd: {expire: false, list: []}", "list: ['ubuntu:hunter22']"),
    ),
    "device-key": Examples(
        hits=(
            "radius server a\n address 10.0.0.1\n key " + canary("hunter", "22") + "\n",
            "server a\nkey hmac-sha256:ddns " + canary(made_up(43) + "=") + "\nsend",
        ),
        misses=("key hunter22\n", "radius server a\n key chain\n"),
    ),
    "zone-key": Examples(
        hits=("a. IN KEY 512 3 157 " + canary(made_up(44)), "passwd " + canary(made_up(16)) + " encrypted"),
        misses=("a. IN DNSKEY 257 3 8 " + made_up(44), "passwd ada"),
    ),
    "ftp-login": Examples(
        hits=(
            "ftp -n h <<EOF\nuser ada " + canary("hunter", "22") + "\nput a",
            "open h\nuser a@b " + canary("Sommer", "2024") + "\nput a",
        ),
        misses=("a\nuser ada admin\n", "a\nuser ada version2\n"),
    ),
    "setting-login": Examples(
        hits=("basic.auth.user.info=ada:" + canary("hunter", "22"), "HTTP_BASIC=ada:" + canary("Sommer", "2024")),
        misses=("auth.provider=a:b", "basic.auth.user.info=ada:${PASSWORD}"),
    ),
}
