"""The strength of a name: how likely its value is a secret.

A name is read like English, where the last noun decides: `CACHE_PASSWORD` is a password, `PASSWORD_CACHE` is a cache.
"""

import re
from functools import lru_cache

NOTHING, HINT, TOKEN, STRONG = range(4)
"""Strengths. HINT: secret if the value looks like one. TOKEN: a token or credential. STRONG: a secret."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRETS = tuple(
    _words("""
    accesskey accesstoken adminpw appkey dbpw geheimnis passwrd pasword rconpw rootpw userpw wpakey accountkey apikey
    apisecret apitoken authkey authtoken bindpw encryptionkey masterauth
    masterkey mnemonic passcode passkey passphrase passwd password privatekey psk pwd secret secretkey servicekey
    sharedsecret signingkey authtok
    lösen šifra гасло
    adgangskode adgangskoden contrasena contrasenia contraseña haslo hasło heslo jelszó kennwort losenord lozinka
    lösenord lösenordet motdepasse parola passord passordet passwort salasana secreta secretword senha sifre
    wachtwoord şifre пароль 口令 密码 密碼 パスワード 비밀번호
    contrasenya jelszo katasandi kodeord losungswort matkhau parool slaptazodis slaptažodis tunnussana zaporka
    συνθηματικό סיסמה گذرواژه 暗証番号 암호
    codeword paswd paswrd psswd pswd pswrd pwrd
""")
)
_SHORT_SECRETS = _words("geslo mdp mima pass passe passwords psw psword pw pword")
_NO_PASS = _words("allpass bandpass bypass compass encompass highpass lowpass overpass surpass trespass underpass")
_TOKENS = (
    "token",
    "credential",
    "credentials",
    "totp",
    "токен",
    "令牌",
    "權杖",
    "トークン",
    "토큰",
    "segredo",
    "секрет",
)
_HINTS = _words("""
    auth authorization bearer clave community cookie creds dsn jwt otp passwordsalt pat pepper salt secrets seed
    setcookie tokens cred dek kek macaroon miyao scrt secr tkn tok jeton sandi kodikos κωδικός
    avain crumb kubeconfig kulcs zugangscode
""")
_HINTS_AT_THE_END = tuple(
    """
    schlüssel schluessel sleutel nøkkel nyckel nøgle klucz klíč klic anahtar anahtari ключ
    密钥 密鑰 秘钥 金鑰 秘密鍵 暗号鍵
    """.split()  # noqa: SIM905 - a list of words reads better so
)
"""A key in other languages."""
_LEADING_KEYS = _words("chave cheie chiave clave cle clé ključ klucz llave ключ")
"""A key in languages that put the noun first: `clave_privada`."""
_NO_SECRET_KEYS_ABROAD = _words("""
    etrangere étrangère foranea foránea primaire primaria publica pública publiczny publique pubblica public
    publico público
""")
_KINDS_OF_KEY = _words("""
    access account admin aes api auth client deploy encrypt encryption fernet hmac jwt license master preshared
    licence priv private sec secret service shared sign signing ssh ssl tls
""")
_SOFT_KINDS_OF_KEY = _words("""
    activation adyen agent airtable algolia amplitude anthropic app application apps asana aws azure backup binance
    blowfish bootstrap bot brevo broker captcha cipher claude cloudflare cluster coinbase consumer cookie cosmos
    crypt crypto data database datadog db dd ddns decryption deepl deepseek des developer device discord dns dropbox
    eab elastic elevenlabs embed enc endpoint enrollment etherscan factor fal fastly fcm feed figma firebase
    function functions gateway gcp gemini giphy github gitlab google gossip grafana groq heroku honeycomb hub
    hubspot huggingface infura ingest install instrumentation integration intercom iot ipsec javajoin jira join jwe
    jws klaviyo langfuse langsmith license linear llm lob local mailchimp mailgun management mapbox maps mch
    merchant mistral mixpanel model module moralis netlify newrelic node nonce notion npm nwk nwks okta onesignal
    openai openrouter otp owner pagerduty partner paseto payment paypal peer perplexity pinecone plaid posthog
    postmark product project provider provisioning publish push pusher qdrant razorpay read realm recovery
    registration relay replica replicate resend rndc rollbar root routing rtmp sa sandbox sas script sdk search
    security segment sender sendgrid sentry serial server session setup shodan shopify signer slack smtp snyk sonar
    spotify square stability storage stream stripe subscription supabase symm sync tacacs tavily team telegram
    telemetry tmdb together totp tsig tunnel twilio twitch twitter typesense unseal upgrade upload user validation
    vapid vault vercel verification virustotal voyage vpn wallet wandb weather weaviate webhook wep wifi wpa write
    xai zendesk zoom
""")
"""Kinds of key that may be secret, and services whose keys are."""
_NO_SECRET_KEYS = _words("""
    cache candidate composite dedup dedupe dict document entity event foreign group hash hot i18n idempotency
    index item lookup map merge meta natural object partition pk primary pub public publishable query range
    redis row s3 site sort sub surrogate translation type unique
""")
_NO_SECRET_TOKENS = _words("""
    added all any backward bos cancel cancellation change class cls completion continuation creation css current
    design dkim each end eos eot expected first forward idempotency image invalid js last lock mask max min missing new
    next no number output pad page pagination parse per prev previous prompt punctuation request reserved sep
    single skip special start starting stop sync text total unexpected unk valid vision
""")
_NO_SECRETS_AFTER = _words("""
    existing forgot forgotten has hide incorrect invalid is missing no require requires show toggle use uses validate
    wrong
""")
_NO_SECRETS_BEFORE = _words("""
    adapter age alg algorithm alias arn attribute attributes auth authentication authority backend builder button cache
    callback certificate certificates chain change check class client cls color colour complexity component
    cost count created dir directory enabled endpoint engine env error errors event exists expected
    expiration expired expires expiry factory field file files flow forgot form format generator grant group has
    hash hashed hasher header headers help helper hint history id identity ids idx index input invalid is issuer
    iterations kind label lambda len length limit link list lists lock manager mask max message method mgr min
    mismatch missing modal mode model module name names namespace node number only option options output owner
    pad page param params path pattern placeholder plugin policies policy position prefix prompt protected
    protection provider rate recovery ref refs regex region release request required requirement requirements
    reset resolver resource response rotation rule rules scanner scanning schema scope screen section selector
    service set settings short show size slot source sources spec state stats status storage store strategy
    strength suffix summary supported tab table template text title too ttl type types ui uri url urls usage
    used util utils valid validation validator var variable verifier version view warning wrapper
""")
_PAIRS = {
    ("secret", "id"): HINT,  # the password of a Vault role
    ("authorization", "code"): HINT,
    ("auth", "code"): HINT,
    ("code", "verifier"): HINT,
    ("auth", "sig"): HINT,
    ("snmp", "community"): STRONG,
    ("clave", "api"): HINT,
    **{(kind, "private"): HINT for kind in ("jwt", "vapid", "rsa", "ec", "ed25519")},
    ("security", "answer"): STRONG,
    ("code", "pin"): STRONG,
    ("pass", "word"): STRONG,
    ("pass", "phrase"): STRONG,
    ("p", "word"): STRONG,
    **{
        ("pass", owner): STRONG
        for owner in ("admin", "db", "ftp", "ldap", "mysql", "postgres", "redis", "root", "smtp")
    },
    ("kata", "sandi"): STRONG,
    ("mat", "khau"): STRONG,
    ("mật", "khẩu"): STRONG,
    ("كلمة", "المرور"): STRONG,
    ("كلمة", "السر"): STRONG,
    ("رمز", "عبور"): STRONG,
    ("pin", "code"): STRONG,
    **{(net, "key"): STRONG for net in ("wpa", "wifi", "wlan", "wep", "hotspot")},
    **{(owner, "sec"): HINT for owner in ("client", "api", "app")},
    **{(owner, key): HINT for owner in ("deployer", "signer", "wallet", "nostr") for key in ("pk", "sk")},
    **{
        (use, code): HINT
        for use in ("access", "activation", "backup", "license", "licence", "recovery", "unlock")
        for code in ("code", "codes")
    },
    **{
        (use, text): STRONG
        for use in ("backup", "mnemonic", "recovery", "secret", "seed", "wallet")
        for text in ("phrase", "words")
    },
    ("api", "schlüssel"): TOKEN,
    ("api", "schluessel"): TOKEN,
    **{
        (owner, "pin"): STRONG
        for owner in (
            *("keychain", "sim", "hsm", "card", "token", "door", "alarm", "bank", "admin", "conference", "setup"),
            *("voicemail", "account", "customer", "smartcard", "unlock", "user", "vault", "wallet", "yubikey"),
        )
    },
}
_VARIANTS = _words(
    """
    all b backup base cleartext current dev hex live main
    new next old plaintext prev previous prod production qa raw stage staging temp test tmp uat v
"""
)
"""The end of a name that has several values."""
_FRAMEWORKS = _words("expo next")
"""Whose variables begin with `NEXT_PUBLIC_` where a page may read them."""
_WORDS = re.compile(r"[A-Z]+(?![a-zß-ɏ\u1e00-\u1eff])|[A-Z]?[a-zß-ɏ\u1e00-\u1eff]+|\d+|[^\W\d_a-zA-Zß-ɏ\u1e00-\u1eff]+")
COPULAS = "是为は는"
"""The ends of names in languages without spaces: `密码是`."""
_LONGEST_NAME = 80


@lru_cache(8192)
def strength(name: str) -> int:
    """Return the strength of a name: `NOTHING`, `HINT`, `TOKEN` or `STRONG`."""
    if len(name) > _LONGEST_NAME:
        return NOTHING
    words = [word.lower() for word in _WORDS.findall(name)]
    if words[1:2] == ["public"] and words[0] in _FRAMEWORKS:
        words = words[2:]
    while len(words) > 1 and (words[-1] in _VARIANTS or words[-1].isdigit()):
        words.pop()
    if says := _PAIRS.get(tuple(words[-2:])):
        return says
    last = len(words) - 1
    if last > 0 and words[0] in _LEADING_KEYS:
        return NOTHING if words[last] in _NO_SECRETS_BEFORE or words[last] in _NO_SECRET_KEYS_ABROAD else HINT
    for place in range(last, -1, -1):
        word, before = words[place], words[:place]
        if says := _says(word, before, is_last=place == last, is_loud=name.isupper() and place > 0):
            return says if says > HINT or place == last or word == "key" else NOTHING
        if word in _NO_SECRETS_BEFORE:
            return NOTHING
    return NOTHING


def _says(word: str, before: list[str], *, is_last: bool, is_loud: bool) -> int:
    """Return the strength of a word in a name, given the words before it."""
    last = before[-1] if before else ""
    word = word.rstrip(COPULAS).removesuffix("value")
    if (word.endswith(_SECRETS) or word in _SHORT_SECRETS or _ends_in_pass(word)) and word != "nosecret":
        is_verb = word == "pass" and not is_last
        return NOTHING if is_verb or last in _NO_SECRETS_AFTER else STRONG
    if word.endswith(("key", "keys")) and (kind := _glued(word)) is not None:
        before = [*before, kind] if kind else before
        return _keys(before) if word[-1] == "s" else _key(kind or last, before, is_loud=is_loud)
    if word.endswith(_TOKENS):
        return NOTHING if last in _NO_SECRET_TOKENS or "public" in before else TOKEN
    if word in _HINTS or word.endswith(_HINTS_AT_THE_END):
        return NOTHING if last in _NO_SECRET_TOKENS else HINT
    return NOTHING


def is_some_key(name: str) -> bool:
    """Whether a name is that of a key, and not of one that is known to be no secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return (
        len(words) > 1
        and words[-1] == "key"
        and words[-2] not in _NO_SECRET_KEYS - {"primary"}
        and "public" not in words
    )


def _ends_in_pass(word: str) -> bool:
    return word.endswith("pass") and word not in _NO_PASS


def _glued(word: str) -> str | None:
    """Return the kind of key in one word: `hmac` in `hmackey`, nothing in `key`, `None` in `monkey`."""
    kind = word.removesuffix("s").removesuffix("key")
    return kind if not kind or kind in _KINDS_OF_KEY or kind in _SOFT_KINDS_OF_KEY else None


def _key(last: str, before: list[str], *, is_loud: bool) -> int:
    if last in _NO_SECRET_KEYS or "public" in before:
        return NOTHING
    if _KINDS_OF_KEY.intersection(before):
        return STRONG
    return HINT if is_loud or _SOFT_KINDS_OF_KEY.intersection(before) else NOTHING


def _keys(before: list[str]) -> int:
    if "public" in before:
        return NOTHING
    return TOKEN if _KINDS_OF_KEY.intersection(before) else HINT if _SOFT_KINDS_OF_KEY.intersection(before) else NOTHING


def names_secret(value: str) -> bool:
    """Whether a value is itself the name of a secret: `DB_PASSWORD`, `clientSecret`."""
    words = _WORDS.findall(value)
    return len(words) > 1 and not re.search(r"\d", value) and strength(value) >= TOKEN


KEYWORDS = (
    *("pass", "pwd", "secret", "token", "credential", "key", "kennwort", "contrase", "senha", "psk", "mnemonic"),
    *(
        "pw:",
        "pw=",
        "pw ",
        'pw"',
        "pw'",
        "_pw",
        "bindpw",
        "_psw",
        "creds",
        "auth:",
        "auth=",
        'auth"',
        "auth'",
        "auth =",
    ),
    *(
        "heslo",
        "wachtwoord",
        "haslo",
        "hasło",
        "lösenord",
        "losenord",
        "adgangskode",
        "passord",
        "salasana",
        "jelszó",
    ),
    *("parola", "sifre", "şifre", "пароль", "口令", "密码", "密碼", "パスワード", "비밀번호", "mdp", "clave"),
    *("authtoken", "masterauth", "_pat=", "_pat:", "salt", "pepper", "_jwt", "_otp", "_seed", "_dsn", "authtok"),
    *('bearer"', "bearer:", "bearer'", "bearer =", "community", "authorization_code", "code_verifier", "setcookie"),
    *(
        'pat"',
        "pin_code",
        "pincode",
        "auth_code",
        "authcode",
        "_cookie",
        "cookie =",
        "_pin",
        "_pat =",
        "geheimnis",
        "schluessel",
        "schlüssel",
        "pasword",
        "userpw",
        "dbpw",
        "pw_",
    ),
    *"""
    pswd pswrd paswd paswrd psswd psw pwrd pword psword codeword p_word lozinka _cred _scrt _secr _tok _tkn tok= tkn=
    _phrase _words= phrase: phrase= phrase" phrase' seedphrase recoveryphrase _private= _private: _private" _private'
    security_answer securityanswer _bearer crumb kubeconfig totp otp: otp= otp" otp' otps seed: seed" seed'
    walletseed mfaseed
    tok: tok" tok' tkn: tkn" tkn' cred: cred= cred" cred' scrt dek: dek" pat: pat' pat=
    _pk= _sk= client_sec api_sec app_sec kek dek_ dek= macaroon
    lösen šifra гасло
    jelszo sandi kodeord losungswort khau khẩu parool slapta tunnussana zaporka geslo mima miyao zugangscode kodikos
    συνθηματικό κωδικό סיסמה گذرواژه رمز_عبور كلمة_المرور كلمة_السر 暗証番号 암호 токен 令牌 權杖 トークン 토큰
    segredo секрет jeton llave_ chave_ chiave_ cle_ clé_ cheie_ avain sleutel nøkkel nyckel nøgle klucz klíč klic kulcs
    anahtar 密钥 密鑰 秘钥 金鑰 秘密鍵 暗号鍵 ключ_ _ключ
    """.split(),  # noqa: SIM905 - a list of words reads better so
    *("tok ", "tkn ", "cred =", "otp =", "seed =", "phrase =", "pat ="),
    *(
        use + between + "code"
        for use in ("access", "activation", "backup", "license", "licence", "recovery", "unlock")
        for between in ("_", "-", " ", "")
    ),
)
"""Parts of names at which the rule for names is tried."""
