"""Examples of `ccship.privacy.redact.tokens`."""

from redact_examples.notation import DIGITS, HEX, Examples, canary, made_up

EXAMPLES = {
    "prefixed-token": Examples(
        hits=(
            "vcp_" + canary(made_up(48)),
            "n8n_api_" + canary(made_up(40)),
            "tskey-auth-" + canary(made_up(12), "CNTRL-", made_up(32)),
            "rdme_" + canary("xn8s9h", HEX * 3),
            "dt0s01." + canary(made_up(24), ".", made_up(40)),
        ),
        misses=("squ_id = 4", "vca_configuration_of_the_project", "shippo_webhook_handler_for_orders"),
    ),
    "provider-token": Examples(
        hits=(
            canary("np", "g_", made_up(12)),
            canary("f", "c-", HEX * 2),
            canary("sd", "k-3fa81c09-e7b4-4265-a1b2-", HEX[:12]),
            canary("1", "/", DIGITS, DIGITS[:6], ":", HEX * 2),
            canary("p", "k_", DIGITS[:8], "_", "Q7WM2ZX5KDL4VTBRNY3HGS6PFQ7WM2ZX"),
        ),
        misses=(
            "api-gateway-of-the-project",
            "sk_buff_alloc_and_initialize_everything",
            "app-router-with-long-name",
            "2/3",
        ),
    ),
    "environment-token": Examples(
        hits=(
            "cal_live_" + canary(HEX * 2),
            "stytch-secret-" + canary(made_up(40)),
            "acme_prod_" + canary(made_up(32)),
        ),
        misses=(
            "image: shop:prod-" + HEX * 2 + HEX[:8],
            "live_reload_of_every_component_v2",
            "prod-3fa81c09-e7b4-4265-a1b2-3fa81c09e7b4",
            "pytest::test_" + HEX,
        ),
    ),
    "azure-marked-key": Examples(
        hits=(
            canary(made_up(74), "AC", "Db", made_up(6), "=="),
            canary(made_up(33), "+A", "Sb", made_up(6), "="),
        ),
        misses=("AzSeArches", "+AStatement==", "ACDbAABBCC=="),
    ),
    "json-web-key": Examples(
        hits=(
            '{"kty":"EC","crv":"P-256","d":"' + canary(made_up(43)) + '"}',
            '{"d": "' + canary(made_up(43)) + '", "kty": "OKP"}',
        ),
        misses=('{"kty":"EC","x":"' + made_up(43) + '","y":"' + made_up(43) + '"}', '{"d": "' + made_up(43) + '"}'),
    ),
    "discord-token": Examples(
        hits=(
            canary("MT", "A", made_up(22), ".", "Gq7Wm2", ".", made_up(38)),
            canary("NjU", made_up(21), ".X1y2z3.", made_up(27)),
        ),
        misses=("MTA" + made_up(22), "MTU.config.json"),
    ),
    "mailchimp-key": Examples(
        hits=(canary(HEX * 2) + "-us14", "key " + canary(HEX * 2) + "-us3"),
        misses=("ami-us1", HEX + "-us2", "region-us10"),
    ),
    "salesforce-session": Examples(
        hits=(
            canary("00", "D", made_up(12), "!AQ", made_up(70)),
            "sid " + canary("00", "D", made_up(15), "!AQ", made_up(90)),
        ),
        misses=("00D" + made_up(12), "00DAY!AQ"),
    ),
    "rapidapi-key": Examples(
        hits=(
            canary(HEX[:10], "msh", HEX[:15], "p1", HEX[:5], "jsn", HEX[:12]),
            "x " + canary(HEX[:10], "msh", HEX[1:16], "p1", HEX[:5], "jsn", HEX[:12]),
        ),
        misses=("msh-3.2", HEX[:10] + "msh"),
    ),
    "cloud-messaging-key": Examples(
        hits=(
            canary("AAAAq7Wm2Zx", ":APA91b", made_up(134)),
            "key=" + canary("AAAAx9KdL4v", ":APA91b", made_up(134)),
        ),
        misses=("AAAA:APA91b", "a topic :APA91bcd"),
    ),
    "twitter-token": Examples(
        hits=(
            canary("A" * 21, made_up(30), "%3D", made_up(50)),
            "use " + canary("A" * 22, made_up(20), "%2B", made_up(40), "%3D", made_up(20)),
        ),
        misses=("A" * 80, "data:;base64," + "A" * 20 + made_up(60)),
    ),
    "deepl-key": Examples(
        hits=(
            canary("3fa81c09", "-e7b4-4265-a7c2-", "3fa81c09e7b4", ":fx"),
            "use " + canary("c09e7b4d", "-e7b4-4265-a7c2-", "3fa81c09e7b4", ":fx"),
        ),
        misses=("a:fx", "3fa81c09-e7b4-4265-a7c2-3fa81c09e7b4"),
    ),
    "trello-token": Examples(
        hits=(
            canary("ATTA", HEX * 4, "3FA81C09"),
            "use " + canary("ATTA", "c0", HEX * 3, HEX[:14], "E7B4D265"),
        ),
        misses=("ATTACHMENT_ID", "ATTA" + HEX),
    ),
}
