"""Credentials of clouds and of the platforms that run there."""

from ccship.redact.rules import HEX, START, UPPER, Rule, any_case, canary, made_up

_KEY_ID = r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"
_KEY_IDS = ("AKIA", "ASIA", "ABIA", "ACCA")

RULES = (
    Rule(
        "aws-access-key-id",
        START + _KEY_ID + r"(?![A-Za-z0-9])",
        _KEY_IDS,
        hits=(
            canary("AK", "IA", made_up(16, UPPER)),
            canary("AS", "IA", made_up(16, UPPER)),
            "aws_access_key_id = " + canary("AK", "IA", "IOSFODNN7", "EXAMPLE"),
        ),
        misses=("AKIA", "ASIAN_CUISINE_RESTAURANTS", "https://example.com/Asia/Tokyo", "EURASIAN0123456789ABCDEF"),
    ),
    Rule(
        "aws-secret-key",
        START
        + _KEY_ID
        + r"[^A-Za-z0-9](?:[^\n]|\n(?!\n)){0,160}?(?<![A-Za-z0-9/+])(?P<secret>(?![0-9a-f]{40})[A-Za-z0-9/+]{40})"
        + r"(?![A-Za-z0-9+=])",
        _KEY_IDS,
        hits=(
            canary("AK", "IA", made_up(16, UPPER)) + "," + canary(made_up(20), "/", made_up(19)),
            "id " + canary("AK", "IA", made_up(16, UPPER)) + "\nsecret " + canary(made_up(19), "+", made_up(20)),
            canary("AK", "IA", made_up(16, UPPER)) + " wants " + canary("wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYEXAMPLEKEY"),
        ),
        misses=(
            "0123456789012345678901234567890123456789",
            "ASIA is big. 3fa81c09e7b4d2653fa81c09e7b4d2653fa81c09 is a commit",
        ),
    ),
    Rule(
        "aws-signature",
        r"(?i)x-amz-(?:signature|security-token)(?:=|%3D)(?P<secret>[\w%/+=.-]{32,}+)",
        (*any_case("x-amz-signature", "x-amz-security-token"), "X-Amz-Signature", "X-Amz-Security-Token"),
        hits=(
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=" + canary(made_up(64, HEX)),
            "&X-Amz-Security-Token=" + canary("IQoJb3Jp", made_up(200)) + "&X-Amz-Expires=60",
        ),
        misses=("X-Amz-Signature=...", "X-Amz-SignedHeaders=host"),
    ),
    Rule(
        "gcp-api-key",
        START + r"AIza[\w-]{35}(?![\w-])",
        ("AIza",),
        hits=(
            canary("AI", "za", made_up(35)),
            "?key=" + canary("AI", "za", made_up(30), "-_", made_up(3)) + "&v=3",
        ),
        misses=("AIzaSyExample", "faiza0123456789"),
    ),
    Rule(
        "gcp-oauth",
        START + r"(?:ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+|1//0[\w-]{40,}+)",
        ("ya29.", "GOCSPX-", "1//0"),
        hits=(
            canary("ya", "29.", "a0", made_up(120)),
            canary("GOC", "SPX-", made_up(28)),
            canary("1/", "/0", "g", made_up(60)),
        ),
        misses=("ya29.", "GOCSPX-...", "http://1//0/1"),
    ),
    Rule(
        "gcp-service-account",
        r"private_key(?:_id)?\\{0,31}\"[ \t]{0,8}:[ \t]{0,8}\\{0,31}\""
        r"(?P<secret>[0-9a-f]{40}|-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----[^\"]*+)",
        ("private_key",),
        hits=(
            '"private_key": "'
            + canary(
                "-----BEGIN PRIVATE", r" KEY-----\n", made_up(64), r"\n", made_up(30), r"\n-----END PRIVATE KEY-----\n"
            )
            + '"',
            '"private_key_id": "' + canary(made_up(40, HEX)) + '",',
        ),
        misses=('"private_key": "..."', '"private_key_id": "my-key"', "private_key = load(path)"),
    ),
    Rule(
        "azure-key",
        r"(?:AccountKey|SharedAccessKey|PrimaryKey|SecondaryKey)"
        r"[ \t]{0,4}=[ \t]{0,4}(?P<secret>[A-Za-z0-9+/]{43,}+={0,2})",
        ("AccountKey", "SharedAccessKey", "PrimaryKey", "SecondaryKey"),
        hits=(
            "DefaultEndpointsProtocol=https;AccountName=ada;AccountKey=" + canary(made_up(86), "==") + ";",
            "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey="
            + canary(made_up(43), "="),
        ),
        misses=("SharedAccessKeyName=RootManageSharedAccessKey;", "AccountKey=<key>;", "AccountKey=..."),
    ),
    Rule(
        "azure-sas",
        START + r"sig=(?P<secret>[A-Za-z0-9%/+]{40,}+(?:=|%3D)?)",
        ("sig=",),
        hits=(
            "https://a.blob.core.windows.net/c?sv=2022-11-02&sig=" + canary(made_up(43), "%3D") + "&se=2030",
            "?sig=" + canary(made_up(20), "%2F", made_up(23), "%3D"),
        ),
        misses=("sig=abc", "gpgsig=-----BEGIN PGP SIGNATURE-----"),
    ),
    Rule(
        "azure-client-secret",
        r"[\w~.-]{3}\dQ~[\w~.-]{31,34}",
        tuple(f"{digit}Q~" for digit in range(10)),
        hits=(canary("abc", "8Q", "~", made_up(34)), "secret value: " + canary("x.Y", "7Q", "~", made_up(31))),
        misses=("8Q~", "abc8Q~short"),
        lead=3,
    ),
    Rule(
        "azure-devops-token",
        r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        ("AZDO",),
        hits=(canary(made_up(76), "AZ", "DO", made_up(4)), "PAT " + canary(made_up(76, HEX), "AZ", "DO", "a1B2") + ";"),
        misses=("AZDO0123", "the AZDO project"),
        lead=76,
    ),
    Rule(
        "databricks-token",
        START + r"dapi[0-9a-f]{32}(?:-\d)?(?![A-Za-z0-9])",
        ("dapi",),
        hits=(
            canary("da", "pi", made_up(32, HEX)),
            canary("da", "pi", made_up(32, HEX), "-2"),
        ),
        misses=("dapi", "two doses", "dapi3fa81c09"),
    ),
    Rule(
        "digitalocean-token",
        r"do[opr]_v1_[0-9a-f]{64}",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        hits=(
            canary("do", "p_v1_", made_up(64, HEX)),
            canary("do", "o_v1_", made_up(64, HEX)),
            canary("do", "r_v1_", made_up(64, HEX)),
        ),
        misses=("dop_v1_...", "dop_v1_3fa81c09"),
    ),
    Rule(
        "cloudflare-token",
        START + r"(?:cf(?:ut|at|k)_[\w-]{36,}+|v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}+)",
        ("cfut_", "cfat_", "cfk_", "v1.0-"),
        hits=(
            canary("cf", "ut_", made_up(48)),
            canary("cf", "at_", made_up(48)),
            canary("v1.0", "-", made_up(24, HEX), "-", made_up(146, HEX)),
        ),
        misses=("cfut_...", "v1.0-beta", "v1.0-3fa81c09"),
    ),
    Rule(
        "cloudflare-key",
        r"(?i)(?:cloudflare|x-auth-key|cf_api)[\w\\\"' .-]{0,30}(?:=>|[:=])[ \t]{0,4}[\\\"'`]{0,8}"
        r"(?P<secret>[\w-]{37,45})(?![\w-])",
        (*any_case("cloudflare", "x-auth-key", "cf_api"), "X-Auth-Key"),
        hits=(
            "CLOUDFLARE_API=" + canary(made_up(40)),
            "-H 'X-Auth-Key: " + canary(made_up(37, HEX)) + "'",
            'cf_api: "' + canary(made_up(20), "_", made_up(19)) + '"',
        ),
        misses=("cloudflare: see https://example.com", "cloudflare_zone: 3fa81c09e7b4d2653fa81c09e7b4d265"),
    ),
)
