"""Examples of `ccship.privacy.redact.programs`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "command-line-password": Examples(
        hits=(
            "redis-cli -h cache -a " + canary("hunter", "22") + " ping",
            "docker login -u ada -p " + canary("hunter", "22") + " registry.example.com",
            "az login --service-principal -u 7 -p " + canary("x.Y", "7Q", made_up(20)) + " --tenant t",
            "sshpass -p " + canary("hunter", "22") + " ssh ada@example.com",
            "ldapsearch -x -D cn=admin -w " + canary("hunter", "22") + " -b dc=example",
            "htpasswd -cb .htpasswd ada " + canary("hunter", "22"),
            "net user ada " + canary("P@ss", "w0rd1") + " /add",
            "7z a -p" + canary("hunter", "22") + " a.7z b",
            "mysql -u root -p" + canary("hunter", "22") + " demo",
            "mysqldump -uroot -p'" + canary("battery", " 9") + "' demo > demo.sql",
            '["mysqladmin", "ping", "-uroot", "-p' + canary("hunter", "22") + '"]',
            "curl -u ada:'" + canary("hunter", "22") + "' https://example.com",
            "snmpwalk -v3 -A " + canary("hunter", "22") + " -x AES -X " + canary("wheel", "44") + " db",
            "security unlock-keychain -p " + canary("hunter", "22") + " build.keychain",
            "rabbitmqctl change_password ada " + canary("hunter", "22"),
            "com2sec readonly default " + canary("hunter", "22"),
        ),
        misses=(
            "mysql -u root -p demo",
            "mysql -u root -p$PASSWORD demo",
            "docker run mysql -p 3306:3306",
            "redis-cli auth default",
            "snmpwalk -v2c -c public db",
            "curl -u ada https://example.com:8080",
            "net user guests",
            "forward the user of the net",
            "docker run -p 8080:80 nginx",
            "docker compose -p demo2 up",
            "docker login -u ada -p $TOKEN",
            "redis-cli -a $REDIS_PASSWORD",
            "ssh-keygen -t ed25519 -N ''",
            "mkdir -p src/v2/tests",
        ),
    ),
}
