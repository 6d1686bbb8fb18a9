"""Examples of `ccship.privacy.redact.keys`."""

from redact_examples.notation import HEX, Examples, canary, made_up

_BEGIN, _END = "-----BEGIN ", "-----END "
_DASHES = "-----"

EXAMPLES = {
    "private-key": Examples(
        hits=(
            canary(
                _BEGIN,
                "RSA PRIVATE KEY",
                _DASHES,
                "\n",
                made_up(64),
                "\n",
                made_up(48),
                "==\n",
                _END,
                "RSA PRIVATE KEY-----",
            ),
            canary(_BEGIN, "OPENSSH PRIVATE KEY", _DASHES, "\n", made_up(70), "\n", _END, "OPENSSH PRIVATE KEY-----")
            + "\n",
            'key = "'
            + canary(
                _BEGIN, "PRIVATE KEY", _DASHES, r"\n", made_up(64), r"\n", made_up(30), r"\n", _END, "PRIVATE KEY-----"
            )
            + r'\n"',
            canary(_BEGIN, "EC PRIVATE KEY", _DASHES, "\n", made_up(64), "\n", made_up(64), "\n", made_up(30)),
            "     1→" + canary(_BEGIN, "PRIVATE KEY", _DASHES, "\n     2→", made_up(64), "\n     3→", made_up(64)),
            "-" + canary(_BEGIN, "PRIVATE KEY", _DASHES, "\n-", made_up(64), "\n-", made_up(64), "\n-", made_up(40)),
            canary(
                _BEGIN,
                "PGP PRIVATE KEY BLOCK",
                _DASHES,
                "\n\n",
                made_up(64),
                "\n=aB3d\n",
                _END,
                "PGP PRIVATE KEY BLOCK-----",
            ),
        ),
        misses=(
            _BEGIN + "PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" + _END + "PUBLIC KEY-----",
            _BEGIN + "CERTIFICATE-----\nMIIB\n" + _END + "CERTIFICATE-----",
            "if '" + _BEGIN + "PRIVATE KEY-----' in text:",
        ),
    ),
    "private-key-base64": Examples(
        hits=(
            canary("LS0tLS1CRUdJTi", "BSU0EgUFJJVkFURSBLRVktLS0tLQo", made_up(80)),
            "client-key-data: " + canary("LS0tLS1CRUdJTi", "BFQyBQUklWQVRFIEtFWS0tLS0tCk1I", made_up(80), "=="),
        ),
        misses=(
            "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURJVENDQWdtZ0F3SUJBZ0lR",
            "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemow",
        ),
    ),
    "private-key-body": Examples(
        hits=(
            canary("MII", "EvQ", "IBADANBgkqhkiG9w0BAQEFAASC", made_up(120)),
            canary("MII", "Epg", "IBAAKCA", made_up(63), "\n", made_up(64)),
            "key: " + canary("MHcCAQEEI", made_up(90)),
        ),
        misses=("MIIDIjCCAgqgAwIBAgIUQ7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"),
    ),
    "ssh-private-key": Examples(
        hits=(
            canary("b3BlbnNzaC1r", "ZXktdjE", made_up(60), "\n", made_up(60)),
            "Private-Lines: 2\n".rstrip() + canary("\n", made_up(64), "\n", made_up(40)),
        ),
        misses=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOq7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5 ada@demo", "Private-Lines: 14"),
    ),
    "jwt": Examples(
        hits=(
            canary("ey", "J", made_up(33), ".ey", "J", made_up(80), ".", made_up(43)),
            "sid=" + canary("ey", "J", made_up(20), ".ey", "J", made_up(60), ".", made_up(43)) + "; Path=/",
            canary("ey", "J", made_up(40), "..", made_up(16), ".", made_up(60), ".", made_up(22)),
        ),
        misses=("eyJhbGciOiJIUzI1NiJ9", "eyJ... is base64 of {", "heyJude.mp3"),
    ),
    "shared-key-file": Examples(
        hits=(
            _BEGIN
            + "OpenVPN Static key V1-----"
            + canary("\n", made_up(32, HEX[::-1]), "\n", made_up(32, HEX[3::-1] + HEX), "\n")
            + "-----END OpenVPN Static key V1-----",
            "---- BEGIN SSH2 ENCRYPTED " + "PRIVATE KEY ----" + canary("\n", made_up(64), "\n") + "---- END SSH2",
        ),
        misses=("begin OpenVPN static keys", "---- BEGIN SSH2 PUBLIC KEY ----\n" + made_up(64)),
    ),
}
