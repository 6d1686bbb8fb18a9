"""Examples of `ccship.privacy.redact.clouds`."""

from redact_examples.notation import HEX, UPPER, Examples, canary, made_up

EXAMPLES = {
    "aws-access-key-id": Examples(
        hits=(
            canary("AK", "IA", made_up(16, UPPER)),
            canary("AS", "IA", made_up(16, UPPER)),
            "aws_access_key_id = " + canary("AK", "IA", "IOSFODNN7", "EXAMPLE"),
        ),
        misses=("AKIA", "ASIAN_CUISINE_RESTAURANTS", "https://example.com/Asia/Tokyo", "EURASIAN0123456789ABCDEF"),
    ),
    "aws-secret-key": Examples(
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
    "gcp-oauth": Examples(
        hits=(
            canary("ya", "29.", "a0", made_up(120)),
            canary("GOC", "SPX-", made_up(28)),
            canary("1/", "/0", "g", made_up(60)),
        ),
        misses=("ya29.", "GOCSPX-...", "http://1//0/1"),
    ),
    "gcp-service-account": Examples(
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
    "azure-key": Examples(
        hits=(
            "DefaultEndpointsProtocol=https;AccountName=ada;AccountKey=" + canary(made_up(86), "==") + ";",
            "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey="
            + canary(made_up(43), "="),
        ),
        misses=("SharedAccessKeyName=RootManageSharedAccessKey;", "AccountKey=<key>;", "AccountKey=..."),
    ),
    "azure-devops-token": Examples(
        hits=(canary(made_up(76), "AZ", "DO", made_up(4)), "PAT " + canary(made_up(76, HEX), "AZ", "DO", "a1B2") + ";"),
        misses=("AZDO0123", "the AZDO project"),
    ),
    "cloudflare-token": Examples(
        hits=(
            canary("cf", "ut_", made_up(48)),
            canary("cf", "at_", made_up(48)),
            canary("v1.0", "-", made_up(24, HEX), "-", made_up(146, HEX)),
        ),
        misses=("cfut_...", "v1.0-beta", "v1.0-3fa81c09"),
    ),
    "cloudflare-key": Examples(
        hits=(
            "CLOUDFLARE_API=" + canary(made_up(40)),
            "-H 'X-Auth-Key: " + canary(made_up(37, HEX)) + "'",
            'cf_api: "' + canary(made_up(20), "_", made_up(19)) + '"',
        ),
        misses=("cloudflare: see https://example.com", "cloudflare_zone: 3fa81c09e7b4d2653fa81c09e7b4d265"),
    ),
    "azure-key-list": Examples(
        hits=(
            '{"keyName": "key1", "permissions": "FULL", "value": "' + canary(made_up(86), "==") + '"}',
            '{"keyName": "key2", "value": "' + canary(made_up(86), "==") + '"}',
        ),
        misses=('{"keyName": "key1", "value": null}', '{"keyName": "key1"}'),
    ),
}
