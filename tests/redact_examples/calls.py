"""Examples of `ccship.privacy.redact.calls`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "typed-password": Examples(
        hits=(
            "page.fill('input[name=password]', '" + canary("hunter", "22") + "')",
            "cy.get('#password').type('" + canary("hunter", "22") + "')",
            'fill_in "Password", with: "' + canary("hunter", "22") + '"',
        ),
        misses=("fill('#password', password)", "get('#password').type('{enter}')", "['password', 'username']"),
    ),
    "sql-secret": Examples(
        hits=(
            "CREATE USER ada IDENTIFIED BY " + canary("hunter", "22") + ";",
            "PRAGMA key = '" + canary("hunter", "22") + "';",
            "CONNECT ada/" + canary("hunter", "22") + "@ORCL",
        ),
        misses=("rows identified by id2", "PRAGMA key_count = 4", "connect a/b", "IDENTIFIED BY :password"),
    ),
    "go-data-source": Examples(
        hits=(
            '"ada:' + canary("hunter", "22") + '@tcp(db:3306)/shop"',
            "root:" + canary("love", "lace") + "@unix(/run/mysqld.sock)/a",
        ),
        misses=('"%s:%s@tcp(%s)/%s"', "${USER}:${PASSWORD}@tcp(db)/shop", "ada@tcp(db)/shop"),
    ),
    "secret-map": Examples(
        hits=(
            '"secrets": {"billing": "' + canary(made_up(40)) + '", "search": "' + canary(made_up(32)) + '"}',
            '"github-oauth": {"github.com": "' + canary(made_up(40)) + '"}',
        ),
        misses=('"secrets": {"db": "vault:secret/data/db"}', '"secrets": {"name": "db-credentials"}'),
    ),
    "value-and-name": Examples(
        hits=(
            '{"value": "' + canary(made_up(40)) + '", "key": "SLACK_BOT_TOKEN"}',
            '{"value": "' + canary("hunter", "22") + '", "name": "DB_PASSWORD"}',
        ),
        misses=('{"value": "hunter22", "key": "COLOR"}', '{"value": "production", "key": "API_TOKEN"}'),
    ),
    "command-array": Examples(
        hits=(
            '["redis-server", "--requirepass", "' + canary("hunter", "22") + '"]',
            "['app', '--db-password', '" + canary("hunter", "22") + "']",
        ),
        misses=('["--password", "--user"]', '["--token", "$TOKEN"]', '["--requirepass", "${REDIS_PASSWORD}"]'),
    ),
    "page-content": Examples(
        hits=(
            '<meta name="csrf-token" content="' + canary(made_up(40)) + '">',
            '<input name="authenticity_token" value="' + canary(made_up(40)) + '">',
        ),
        misses=('<meta name="csrf-token" content="{{ csrf }}">', '<input name="csrf_token" value="">'),
    ),
    "filtered-password": Examples(
        hits=(
            "password: \"{{ '" + canary("hunter", "22") + "' | password_hash('sha512') }}\"",
            "password={{ '" + canary("hunter", "22") + "' | b64encode }}",
        ),
        misses=("{{ password | password_hash('sha512') }}", "{{ 'item2' | upper }}"),
    ),
    "typed-text": Examples(
        hits=(
            "password_input.send_keys('" + canary("hunter", "22") + "')",
            "fireEvent.change(passwordInput, { target: { value: '" + canary("hunter", "22") + "' } })",
        ),
        misses=("password_input.send_keys(config.password)", "passwordInput, 'hunter22'"),
    ),
    "encoded-login": Examples(
        hits=("btoa('ada:" + canary("hunter", "22") + "')", "Buffer.from('ada:" + canary(made_up(16)) + "')"),
        misses=("btoa('ada:password')", "Buffer.from('hunter22')"),
    ),
    "wallet-key": Examples(
        hits=(
            "accounts: ['" + canary("0x", "3fa81c09e7b4d265" * 4) + "']",
            "new Wallet('" + canary("3fa81c09e7b4d265" * 4) + "')",
        ),
        misses=("accounts: [process.env.KEY2]", "new Wallet('my-wallet-2')"),
    ),
}
