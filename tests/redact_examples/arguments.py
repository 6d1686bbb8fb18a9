"""Examples of `ccship.privacy.redact.arguments`."""

from redact_examples.notation import HEX, Examples, canary, made_up

EXAMPLES = {
    "login-call": Examples(
        hits=(
            'req.SetBasicAuth("ada", "' + canary("hunter", "22") + '")',
            "smtp.login('ada@example.com', '" + canary("hunter", "22") + "')",
            "mysqli_connect('db', 'ada', '" + canary("hunter", "22") + "')",
            "pymysql.connect('db', 'ada', '" + canary("hunter", "22") + "', 'shop')",
            "DBI->connect($dsn, 'ada', '" + canary("hunter", "22") + "', { RaiseError => 1 });",
            "request.basic_auth 'ada', '" + canary("hunter", "22") + "'",
            "jwt.sign(payload, '" + canary("hunter", "22") + "', options)",
            "crypto.createHmac('sha256', '" + canary(made_up(32)) + "')",
            "bcrypt.hashpw('" + canary("hunter", "22") + "', salt)",
            "pgp_sym_decrypt(c, '" + canary(made_up(24)) + "')",
            'ks.load(in, "' + canary("hunter", "22") + '".toCharArray());',
            "crypto.createDecipheriv('aes-256-cbc', Buffer.from('" + canary(HEX * 4) + "', 'hex'), iv)",
            "new Stripe('" + canary(made_up(40)) + "')",
            'Client("AC' + HEX * 2 + '", "' + canary(made_up(32)) + '")',
            'WiFi.begin("Office", "' + canary("hunter", "22") + '");',
            '.bearer_auth("' + canary(made_up(40)) + '")',
        ),
        misses=(
            "api.login(page, 'ada')",
            "smtp.login('user', 'password')",
            "jwt.sign(payload, secret)",
            "createHmac('sha256', key)",
            "jwt.decode(token, 'HS256')",
            "hashpw(password, salt)",
            "bcrypt.hash('password', 10)",
            "load('settings')",
            "crypt(input, salt)",
            "new Stripe('api-version-of-last-year')",
            "Client('" + "localhost" * 3 + "')",
            "bot('general')",
            "signal.connect('clicked', 'button1', 'handler2')",
            "app.bind('click', 'handler2')",
            'sha256 "' + HEX * 4 + '"',
        ),
    ),
}
