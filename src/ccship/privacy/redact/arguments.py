"""Secrets among the arguments of functions that log in, sign, encrypt or hash: a table of names and positions."""

import re
from collections.abc import Callable, Iterator

from ccship.privacy.redact.accepts import is_generated, is_password
from ccship.privacy.redact.rules import Rule

_PASSWORDS = {
    "0": """
        set_password setPassword Fernet SecretBox SecretKeySpec password_hash password_verify hashpw
        checkpw make_password generate_password_hash hashSync compareSync hashPassword scryptSync
        pbkdf2Sync pass_ passphrase sendline send_line authPassword changePassword cookieParser
        compare_digest ConstantTimeCompare hash_pwd_salt PBEKeySpec CommunityData GenerateFromPassword plain_text
        unsafePlainText Protect Unprotect
        secureTextFields EncryptByPassPhrase DecryptByPassPhrase gen_hash typeText
    """,
    "0 1": """
        auth authPassword hashPassword sp_password crypt bcrypt check_password checkPassword compare
        verify_password
    """,
    "1": """
        login log_in logIn signIn sign_in basic_auth basicAuth basicAuthentication HTTPBasicAuth
        HTTPDigestAuth BasicAuth withBasicAuth withDigestAuth setBasicAuth HttpBasicAuthenticator
        UsernamePasswordCredentials PlainCredentials PasswordAuthentication PlainTextAuthProvider
        PasswordAuthenticator NetworkCredential PSCredential username_pw_set setSaslAuthData
        setCredentials CRAMMD5Auth DigestAuth basic digest softAP addAP simple_bind_s simple_bind bind_s
        signInWithEmailAndPassword createUserWithEmailAndPassword check_password_hash sp_addlogin
        pgp_sym_encrypt pgp_sym_decrypt AES_ENCRYPT AES_DECRYPT des_encrypt pbkdf2_hmac add_credentials
        createHmac createCipheriv createDecipheriv HmacSHA256 HmacSHA512 HmacSHA1 createDecipher
        createCipher authPassword changeUserPassword HttpAuth Credentials UserPassword
        setProxyCredentials setHttpAuth userPassword CreateAsync X509Certificate2 httpBasic BasicAuthCredentials
        compare_digest ConstantTimeCompare UsernamePasswordToken SMBConnection SMTP
        UsmUserData AddPasswordAsync ChangePasswordAsync X509Certificate
    """,
    "1 2": """
        mysql_connect mysqli_connect odbc_connect oci_connect ibase_connect db2_connect pg_connect
        mysql_pconnect PDO mysqli Sequelize getConnection dbConnect create_user create_superuser
        createUser create_admin ftp_login ssh2_auth_password ldap_bind imap_open PlainAuth authenticate
        signInWithEmailAndPassword createUserWithEmailAndPassword FTP FTP_TLS SMTPAuth
        PlainAuthenticator ldap_simple_bind login_user
    """,
    "1 2 3": """
        DriverManagerDataSource Credentials createCredential add_password addUser
    """,
    "2": """
        createCredential basicAuthCredential load_cert_chain UsmUserData SftpClient SshClient ScpClient
    """,
    "3": """
        dbConnect NewDialer
    """,
    "4": """
        sp_addlinkedsrvlogin
    """,
}
_KEYS = {
    "0": """
        setBearerAuth bearer_auth bearerAuth withToken setApiKey set_api_key setAuthToken setToken
        setAccessToken AzureKeyCredential HMAC256 HMAC384 HMAC512 SymmetricSecurityKey SignedString
        URLSafeTimedSerializer URLSafeSerializer TimedJSONWebSignatureSerializer oauth2 login run client
        WebClient stripe openai anthropic octokit resend sdk bot github gitlab Gitlab setSecret
        setClientSecret hmacShaKeyFor secretKeyFor ReCaptcha TelegramBot Bot mapboxgl passphrase
        git_basic_authorization ApiKeyAuth TokenAuth BearerToken Token setSigningKey signWith verifyWith
        importKey Telegraf Wallet OpenAIClient ApiKeyCredential HMACSHA256 HMACSHA512 HMACSHA1 from_secret
        new_from_slice NewCookieStore HmacSHA256 SecretString
    """,
    "0 1": """
        client TwilioClient twilio
    """,
    "1": """
        signWith StorageSharedKeyCredential BasicAWSCredentials AwsBasicCredentials NewStaticCredentials
        NewStaticV4 NewStaticCredentialsProvider connect_s3 algoliasearch createClient hexdigest
        timingSafeEqual NewSharedKeyCredential StaticCredentialsProvider OAuthHandler OAuth1UserHandler
        set_access_token
    """,
    "1 2": """
        Minio hash_hmac openssl_encrypt openssl_decrypt S3Connection createS3Client
    """,
    "2": """
        ClientSecretCredential NewClientSecretCredential construct_event constructEvent TelegramClient
    """,
}
_METHODS = (
    (
        "1 2",
        "connect",
        (
            r"(?i:mysql\w*|maria\w*|psycopg\w?|oracle\w*|cx_oracle|ibm_db\w*|dbi|db|conn|cluster|connector|wlan"
            r"|sta_if|client|odbc\w*)"
            r"(?:\.|->|::)"
        ),
    ),
    ("0 1", "begin", r"(?:WiFi|wifi|Blynk)\w*\."),
    ("2", "send", r"Transport\."),
    ("1 2", "open", r"(?:FTP|[Cc]onn\w{0,12})\."),
    ("1", "bind", r"(?:\bl|ldap\w*|conn\w*|client|\bc)\."),
    ("2", "connection", r"(?:^|[\s=.(])"),
    ("0", "encode", r"(?i:encoder|crypt\w*)(?:\(\))?\."),
    ("1", "encode decode sign verify", r"(?i:jwt\w*)(?:\.|::)"),
    ("0", "hash verify", r"(?i:bcrypt\w*|argon2\w*|\w*hasher|sha256\w*|pwd_context)(?:\(\))?[\"']?\)?\."),
    ("0", "hashSync compareSync", r"(?i:bcrypt\w*|argon2\w*)[\"']?\)?\."),
    ("0", "hash", r"await[ ]"),
    ("0", "make", r"(?i:hash::)"),
    ("0", "md5 sha1 sha256 sha512", r"(?:hashlib\.|(?:^|[\s=(,])(?<!\w ))"),
    ("1", "encrypt decrypt", r"(?:AES|DES|CryptoJS|Rabbit|TripleDES)\."),
    ("0 1", "new", r"(?i:hmac|aes|des3?)\."),
    ("0 1", "create", r"(?:Password|BasicCredentials)\."),
    ("0", "password", r"ssh\."),
    ("0", "decrypt", r"(?:(?i:reader|pdf)\w*|\))\."),
    ("2", "set_password", r"keyring\."),
    ("2", "database", r"=[ ]?"),
    ("1", "Session", r"boto3\."),
    ("1", "new", r"Credentials?\]?(?:\.|::)"),
    ("2", "driver", r"(?:^|[\s=(])"),
    ("2", "newInstance", r"Sql\."),
    ("1", "sign verify", r"Token\."),
    ("1", "load", r"(?:ks|keyStore|keystore|KeyStore)\w*\."),
    ("0", "load", r"(?i:keystore|ks)\."),
    ("0", "write", r"(?:tn|telnet|tel|child)\."),
)
"""Methods with a common name, and the text before the name that tells them apart."""
_WITHOUT_BRACKETS = (
    *("basic_auth", "open", "sp_addlogin", "sp_password", "sp_addlinkedsrvlogin", "passphrase", "login"),
    *("authenticate", "Protect", "Unprotect"),
)
_ALGORITHM = re.compile(r"(?i:[A-Z]{2}\d{3}|sha-?\d{1,3}|md5|utf-?8|aes-?\d{3}[\w-]{0,8})")
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_CALL = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))(?P<name>[A-Za-z_]\w{1,40}+)(?:\([ ]?|[ ](?=N?[\"']|NULL,))"

_STRING = re.compile(
    r"\s{0,20}(?P<wrap>(?:(?:new[ ])?(?:\[\]byte|[\w.$:]{0,40})\(){0,2})[brfuNn@$]{0,2}\\{0,31}(?P<quote>[\"'`])"
    r"(?P<secret>(?:(?!(?P=quote))[^\n\\]){0,300})\\{0,31}(?P=quote)(?:\.[\w?!]{1,20}(?:\([^()\n]{0,30}\))?){0,2}"
)
_OTHER = re.compile(r"\s{0,20}[^,()\"'`\n]{0,80}(?:\([^()\n]{0,80}\))?[^,()\"'`\n]{0,20}")
_COMMA = re.compile(r"\s{0,8},")
_MOST = 6
_NEAR = 24


def _strings(text: str, at: int) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield the arguments that are strings, with their positions, from the first argument on."""
    for position in range(_MOST):
        string = _STRING.match(text, at)
        argument = string or _OTHER.match(text, at)
        if string:
            yield position, string
        if argument is None:
            return
        at = argument.end()
        for _ in range(string["wrap"].count("(") if string else 0):
            at += text.startswith(")", at)
        comma = _COMMA.match(text, at)
        if not comma:
            return
        at = comma.end()


def _is_password(string: re.Match[str]) -> bool:
    return is_password(string) and not _ALGORITHM.fullmatch(string["secret"])


def _is_key(string: re.Match[str]) -> bool:
    return is_generated(string) and not _ACCOUNT.fullmatch(string["secret"])


def _positions(places: str) -> frozenset[int]:
    return frozenset(map(int, places.split()))


_CHECKS: dict[str, list[tuple[frozenset[int], str, Callable[[re.Match[str]], bool]]]] = {}
for _rows, _accept in ((_PASSWORDS, _is_password), (_KEYS, _is_key)):
    for _places, _names in _rows.items():
        for _name in _names.split():
            _CHECKS.setdefault(_name.lower(), []).append((_positions(_places), "", _accept))
for _places, _names, _before in _METHODS:
    for _name in _names.split():
        _CHECKS.setdefault(_name.lower(), []).append((_positions(_places), _before, _is_password))


def _secrets(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the arguments of a function that are secrets."""
    if "(" not in hit[0] and hit["name"].lower() not in _WITHOUT_BRACKETS:
        return
    before = hit.string[max(hit.start() - _NEAR, 0) : hit.start()]
    checks = [check for check in _CHECKS.get(hit["name"].lower(), ()) if re.search(check[1] + r"\Z", before)]
    if checks:
        for position, string in _strings(hit.string, hit.end()):
            if any(position in places and accept(string) for places, _, accept in checks):
                yield string.span("secret")


RULES = (
    Rule(
        "login-call",
        _CALL,
        (
            *(f"{name}(" for name in _CHECKS),
            *(f"{name}{end}" for name in _WITHOUT_BRACKETS for end in (" '", ' "', " n'", " null,")),
        ),
        spans=_secrets,
    ),
)
