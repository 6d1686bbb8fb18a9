"""Examples of `ccship.privacy.redact.links`."""

from redact_examples.notation import DIGITS, HEX, Examples, canary, made_up

EXAMPLES = {
    "database-url": Examples(
        hits=(
            "DATABASE_URL=postgresql://ada:" + canary("love", "lace1815") + "@db.example.com:5432/demo",
            "mongodb+srv://ada:" + canary("p@ss/", "w0rd") + "@cluster0.example.net",
            "redis://:" + canary("s3", "same") + "@localhost:6379/0",
            "mysql+pymysql://root:" + canary("tiger", "77") + "@127.0.0.1/demo",
            "amqps://ada:" + canary("hop", "Rabbit1") + "@mq.example.com",
        ),
        misses=(
            "postgres://user:password@localhost/db",
            "redis://localhost:6379/0",
            "postgresql://${USER}:${PASSWORD}@db/demo",
            "mysql://localhost:3306/a and ada@example.com",
        ),
    ),
    "url-token": Examples(
        hits=(
            "https://" + canary(made_up(40)) + "@git.example.com/ada/demo",
            "https://oauth2:" + canary(made_up(26)) + "@git.example.com/ada/demo",
        ),
        misses=("https://a-very-long-user-name-indeed@example.com", "https://${TOKEN}@github.com"),
    ),
    "basic-auth-url": Examples(
        hits=(
            "https://ada:" + canary("love", "lace1815") + "@example.com/repo.git",
            "http://deploy:" + canary("hunter", "2") + "@10.0.0.1:8080",
            "ftp://ada:" + canary("x", "y-z!9") + "@files.example.com",
        ),
        misses=(
            "https://example.com:8080/@ada",
            "https://user:password@example.com",
            "https://ada@example.com",
            "a://${U}:${P}@h",
        ),
    ),
    "oracle-login": Examples(
        hits=(
            "jdbc:oracle:thin:ada/" + canary("hunter", "2") + "@db.example.com:1521:demo",
            "sqlplus ada/" + canary("hunter", "2") + "@demo",
        ),
        misses=("jdbc:oracle:thin:@db.example.com:1521:demo", "sqlplus ada@demo", "thin: a/b"),
    ),
    "sentry-dsn": Examples(
        hits=(
            "https://" + canary(made_up(32, HEX)) + "@o447951.ingest.sentry.io/5429219",
            "https://" + canary(made_up(32, HEX), ":", made_up(32, HEX[::-1])) + "@sentry.example.com/2",
        ),
        misses=("https://sentry.io/5429219", "https://ada@example.com/2"),
    ),
    "signed-url": Examples(
        hits=(
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=" + canary(made_up(64, HEX)),
            "&X-Amz-Security-Token=" + canary("IQoJb3Jp", made_up(200)) + "&X-Amz-Expires=60",
            "https://storage.googleapis.com/b/o?X-Goog-Signature=" + canary(made_up(512, HEX)),
            "https://d1.cloudfront.net/x?Expires=1&Signature=" + canary(made_up(300), "~__") + "&Key-Pair-Id=K1",
        ),
        misses=("X-Amz-Signature=...", "X-Amz-SignedHeaders=host", "Signature=abc"),
    ),
    "azure-sas": Examples(
        hits=(
            "https://a.blob.core.windows.net/c?sv=2022-11-02&sig=" + canary(made_up(43), "%3D") + "&se=2030",
            "?sig=" + canary(made_up(20), "%2F", made_up(23), "%3D"),
        ),
        misses=("sig=abc", "gpgsig=-----BEGIN PGP SIGNATURE-----"),
    ),
    "oauth-code": Examples(
        hits=(
            "https://app.example.com/callback?code=" + canary("4%2F0A", made_up(60)) + "&state=x",
            "grant_type=authorization_code&code=" + canary(made_up(43)) + "&redirect_uri=x",
        ),
        misses=("/callback?code=200", "exit code=1", "?code=AUTHORIZATION_CODE_FROM_STEP_ONE&state=x"),
    ),
    "slack-webhook": Examples(
        hits=(
            "https://" + canary("hooks.slack.com/services/T0AB1CD2E/B0FG3HI4J/", made_up(24)),
            "https://" + canary("hooks.slack-gov.com/services/T0AB1CD2E/B0FG3HI4J/", made_up(24)),
        ),
        misses=("https://hooks.slack.com/services/...", "https://api.slack.com/messaging/webhooks"),
    ),
    "webhook-url": Examples(
        hits=(
            "https://discord.com/api/webhooks/" + canary(made_up(18, DIGITS), "/", made_up(68)),
            "https://hooks.zapier.com/" + canary("hooks/catch/1234567/", made_up(7), "/", made_up(20)),
            "https://example.webhook.office.com/"
            + canary(
                "webhookb2/3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46@",
                "3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46",
                "/IncomingWebhook/",
                made_up(32, HEX),
            ),
            "https://open.feishu.cn/open-apis/bot/v2/hook/" + canary("3fa81c09-e7b4-4d26-9c1e-0b5a7d8e2f46"),
            "https://maker.ifttt.com/trigger/x/with/key/" + canary(made_up(22)),
            "https://chat.googleapis.com/v1/spaces/AAAA/messages?key="
            + canary("AI", "za", made_up(35), "&token=", made_up(43)),
        ),
        misses=(
            "/api/webhooks/7390518264",
            "/api/webhooks/github",
            "https://docs.example.com/webhooks/getting-started-with-version-2",
            "src/hooks/useAuthenticatedUser2.ts",
        ),
    ),
    "telegram-bot-token": Examples(
        hits=(
            "https://api.telegram.org/bot" + made_up(10, DIGITS) + ":" + canary("AA", made_up(33)) + "/getMe",
            made_up(9, DIGITS) + ":" + canary("AA", "H", made_up(32)),
        ),
        misses=("12:AA", "12345678:AAshort", "fe80::aa:1"),
    ),
    "twilio-auth-token": Examples(
        hits=(
            "curl https://api.twilio.com/2010-04-01/Accounts -u AC"
            + made_up(32, HEX)
            + ":"
            + canary(made_up(32, HEX[::-1])),
            "https://api.twilio.com/ (AC" + made_up(32, HEX) + ":" + canary(made_up(32, HEX[3:])) + ")",
        ),
        misses=("https://api.twilio.com/2010-04-01/Accounts/AC" + made_up(32, HEX), "api.twilio.com"),
    ),
    "token-in-address": Examples(
        hits=(
            "https://example.com/verify?token_hash=" + canary(made_up(56)),
            "https://conda.example.com/t/" + canary("ac-3fa81c09-e7b4-4265-a1b2-3fa81c09e7b4") + "/main",
        ),
        misses=("https://example.com/t/t5704-protocol-violations.sh", "?key=name-of-the-column-to-sort-by"),
    ),
    "key-in-address": Examples(
        hits=(
            "https://example.com/x?q=1&appid=" + canary(made_up(32)),
            "https://example.com/x?apiKey=" + canary(made_up(32)) + "&q=1",
        ),
        misses=("https://example.com/?key=name", "https://example.com/?sort_key=created_at", "?appid=730"),
    ),
    "key-in-path": Examples(
        hits=(
            "https://mainnet.infura.io/v3/" + canary(made_up(32)),
            "https://eth-mainnet.g.alchemy.com/v2/" + canary(made_up(32)),
        ),
        misses=("https://docs.infura.io/api", "https://mainnet.infura.io/v3/YOUR-PROJECT-ID"),
    ),
    "proxy-link": Examples(
        hits=(
            "trojan://" + canary("hunter", "22") + "@example.com:443",
            "ss://" + canary(made_up(24)) + "@example.com:8388",
        ),
        misses=("ss://<password>@host", "https://example.com", "access://x"),
    ),
    "secret-host": Examples(
        hits=(
            "https://" + canary("eo", "q7wm2zx9kdl4v") + ".m.pipedream.net",
            "https://" + canary("en", "x9kdl4vq7wm2z") + ".m.pipedream.net/a",
        ),
        misses=("https://m.pipedream.net", "https://english.m.example.net"),
    ),
}
