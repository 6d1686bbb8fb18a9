"""Secrets on command lines: on standard input, after `curl -u`, in subcommands. `programs` has all other flags."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_password, is_typed
from ccship.privacy.redact.names import HINT, names_secret, strength
from ccship.privacy.redact.rules import NEWLINE, Rule
from ccship.privacy.redact.values import is_address, is_placeholder, is_spoken, is_token, looks_like_password

_ARGUMENT = (
    r"(?:\\{0,31}[\"'](?P<quoted>[^\"'\n\\]{1,200})"
    r"|(?P<secret>[^\s\"'`\\<>|;&$(){}\[\]][^\s\"'`\\<>|;&]{0,200}+))"
)
_SPOKEN = r"(?:\\{0,31}[\"'])?(?P<secret>[^\s\"'`\\<>|;&$()\[\]{}/,]{5,100}?)(?=[*.,;:)\]]{0,6}(?:[\s\"'`/|&;<>]|\\|$))"
"""An argument that is a password only if it looks like one even in a sentence."""
_SHORTEST = 5
"""Minimum length of a password after a flag that can mean something else."""
_BETWEEN = r"[^\n|;&]{0,200}?(?:\\\n[^\n|;&]{0,200}?)?[ \t]"
"""Other arguments of the same command."""


def _secret(hit: re.Match[str]) -> str:
    return next(filter(None, map(hit.groupdict().get, ("secret", "quoted", "login"))), "")


def _is_secret(hit: re.Match[str]) -> bool:
    secret = _secret(hit)
    return not secret.startswith(("$", "-")) and not is_placeholder(secret) and not names_secret(secret)


def _may_be_secret(hit: re.Match[str]) -> bool:
    """Check a value after a flag that has other meanings in other programs."""
    secret = _secret(hit)
    return (
        _is_secret(hit)
        and not is_address(secret)
        and len(secret) >= _SHORTEST
        and not re.fullmatch(r"\d+(?::\d+)?(?:/\w+)?", secret)
        and looks_like_password(secret)
    )


def _is_long(hit: re.Match[str]) -> bool:
    return _is_secret(hit) and is_token(_secret(hit))


def _is_for_curl(hit: re.Match[str]) -> bool:
    """Whether the program is curl: others use the same flag for a user and a group."""
    before = hit.string[max(hit.start() - 1000, 0) : hit.start()]
    return re.search(r"curl|https?(?:ie)?\b|xh |wget", before) is not None and _is_secret(hit)


_FLAG = re.compile(r"(?i:pass|key|secret|token)[\w-]{0,20}(?:\\{0,31}[\"'])?[ =:]{1,2}\\{0,31}\Z")


def _is_of_a_flag(hit: re.Match[str]) -> bool:
    return _is_secret(hit) and _FLAG.search(hit.string, max(hit.start() - 40, 0), hit.start()) is not None


_READERS = (
    *("--password-stdin", "--with-token", "--passphrase-fd", "--stdin", "chpasswd", "sudo -s", "cryptsetup", "kinit"),
    *("passwd", "--data-file=-", "wrangler secret", "env add", "pass insert", "secret-tool store", "runas "),
    *("docker secret create", "bw unlock"),
)
"""Programs and options that read a password from standard input."""
_OTHER_READERS = (
    *("stdinpass", "password_stdin", "passwd-on-stdin", "--set-password", "realm join", "adcli join", "net ads join"),
    *(
        "pdbedit",
        "pure-pw",
        "argon2",
        "encfs",
        "keepassxc-cli",
        "lpass login",
        "op signin",
        "p4 login",
        "su -",
        "age -p",
    ),
    *("mkpasswd", "ipa user", "ipa passwd", "base64", "secret set", "secrets set", "secrets versions add", "kubeseal"),
    *(
        "openssl enc",
        "ssh-add",
        "keyring set",
        "gpg ",
        "vault write",
        "vault kv put",
        "htpasswd",
        "wg pubkey",
        "wg set",
    ),
    *("devops login", "docker login", "npm login", "az login", "aws configure"),
    *("sha256sum", "md5sum", "sha1sum", "sha512sum", "cut -c"),
)
"""Programs that read other texts too."""
_PRINTED = re.compile(
    r"(?:\b|(?<=\\[nrt]))(?:echo|printf)[ ](?P<text>[^|\n]{3,400}?)\|"
    r"(?:[ ]?(?:tr|sed|head|tail|awk|cut|base64)\b[^\n|;]{0,50}\|)?[^\n|;]{0,120}\Z"
)
_WORD = re.compile(r"\\{0,31}\"(?P<double>[^\"\n]*)\"|\\{0,31}'(?P<single>[^'\n]*)'|(?P<bare>[^\s\"'();|\\]+)")
_PART = re.compile(r"(?:(?!\\{1,31}[nrt])[^\n])+")
_USER = re.compile(r"[\w.-]{1,40}:(?=.)")
_HERE_DOCUMENT = re.compile(r"<<-?[ ]?\\{0,31}[\"']?\w{2,20}\\{0,31}[\"']?[ ]?\|[^\n]{0,100}\Z")
_NEXT_LINE = re.compile(rf"[^\n\\]{{0,100}}{NEWLINE}(?P<secret>[^\s\"'`\\$]{{3,200}})")
_SHORTEST_PRINTED = 3


def _piped(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the texts that are printed on the same line into a program that reads a password."""
    begin = max(hit.start() - 600, 0)
    printed = _PRINTED.search(hit.string, begin, hit.start())
    is_certain = hit[0].lower().startswith(_READERS)
    if not printed:
        is_document = _HERE_DOCUMENT.search(hit.string, begin, hit.start()) is not None
        after = _NEXT_LINE.match(hit.string, hit.end())
        if is_document and is_certain and after and _is_secret(after):
            yield after.span("secret")
        return
    for word in _WORD.finditer(hit.string, *printed.span("text")):
        if word["bare"] in ("echo", "printf"):
            continue
        for part in _PART.finditer(hit.string, *word.span(word.lastgroup or 0)):
            user = _USER.match(part[0])
            start = part.start() + (user.end() if user else 0)
            text = hit.string[start : part.end()].rstrip("\\")
            if _is_printed(text) if is_certain else is_typed(text):
                yield start, start + len(text)


def _is_printed(text: str) -> bool:
    is_format = text.startswith(("-", "%", "$"))
    return len(text) >= _SHORTEST_PRINTED and not is_format and not is_placeholder(text) and not names_secret(text)


_USER_FLAG = re.compile(
    r"[ ](?:-[uUlLnN]|--?user(?:-?name)?|--login|-s[a-z])(?:[ =])[\"']?[\w.@\\-]{1,60}[\"']?(?=[ ])"
)
_LINE_BREAK = re.compile(NEWLINE)


def _follows_a_user(hit: re.Match[str]) -> bool:
    """Whether a flag for a user precedes a short flag, and its value looks like a password even in a sentence."""
    before = _LINE_BREAK.split(hit.string[max(hit.start() - 300, 0) : hit.start() + 1])[-1]
    return is_spoken(_secret(hit)) and _is_secret(hit) and _USER_FLAG.search(before) is not None


def _is_spoken(hit: re.Match[str]) -> bool:
    return _is_secret(hit) and is_spoken(_secret(hit))


_LONG_FLAG = re.compile(r"[ ]--?[\w-]{0,20}\Z")


def _is_of_a_login_flag(hit: re.Match[str]) -> bool:
    before = hit.string[max(hit.start() - 24, 0) : hit.start()]
    return _LONG_FLAG.search(before) is not None and _is_spoken(hit)


_STORED = re.compile(r"(?:^|(?<=[\s:=,\"'])|(?<=\\n))[^\s:=,\"'\\>$]{5,400}")


def _stored(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the passwords that a command line writes to a file of passwords."""
    for word in _STORED.finditer(hit["text"]):
        if is_spoken(word[0]) or (is_token(word[0]) and "/" not in word[0][:1] and "://" not in word[0]):
            yield hit.start("text") + word.start(), hit.start("text") + word.end()


RULES = (
    Rule(
        "password-flag",
        r"[ ]-(?:p|P|w|pw|pass|W|passwd)[ ]" + _SPOKEN,
        (" -p ", " -w ", " -pw ", " -pass ", " -passwd "),
        accept=_follows_a_user,
    ),
    Rule(
        "shell-default",
        r"\$\{(?P<name>[A-Za-z_]\w{1,60})-(?P<secret>[^\s\"'`$<>\\{}]{5,200})\}",
        ("${",),
        accept=lambda hit: strength(hit["name"]) > HINT and is_password(hit),
    ),
    Rule(
        "login-flag",
        r"-?(?:auth|cred|credentials?|login|user|userpass)[ =](?:\\{0,31}[\"'])?[\w.@-]{1,60}:" + _SPOKEN,
        tuple(
            f"{word}{end}"
            for word in ("auth", "cred", "credential", "credentials", "login", "-user", "userpass")
            for end in " ="
        ),
        accept=_is_of_a_login_flag,
    ),
    Rule(
        "account-command",
        r"(?:register|users?[ ](?:add|create)|user-?add|add-?user|create-?user|setpw|set-?pass(?:word|wd)?"
        r"|reset-?password|change-?password|flask mailu admin)[ ](?:--?[\w-]{1,20}[ ]){0,2}(?:[\w.@-]{1,60}[ ]){0,3}?"
        r"(?:-p[ ])?(?=\S{0,60}\d)" + _SPOKEN,
        (
            *("register ", "user add ", "users add ", "user create ", "users create ", "useradd ", "adduser "),
            *("add-user ", "create-user ", "createuser ", "setpw ", "setpassword ", "set-password ", "set-pass "),
            *("resetpassword ", "reset-password ", "changepassword ", "change-password ", "mailu admin "),
        ),
        accept=_is_spoken,
    ),
    Rule(
        "written-password",
        r"(?:echo|printf)[ ](?:-\w{1,3}[ ]){0,2}(?P<text>[^\n|>]{5,300})[ ]?>{1,2}[ ]?[^\s]{0,80}"
        r"(?:passw|secret|auth|cred|\.key|luks|davfs|htpasswd|pgpass|netrc|smb|askpass|s3fs|psk)",
        ("echo ", "printf "),
        spans=_stored,
    ),
    Rule(
        "command-line-credentials",
        r"(?<![\w-])(?:-[uU]|-a(?=[ ])|--(?:proxy-)?user|--auth)[ =]?(?P<q>[\"'])?[\w.@+-]{1,80}:"
        r"(?:(?<=[^\w\"'])(?!))?(?P<secret>(?(q)[^\"'`\\\n]{1,200}|[^\s\"'`\\]{1,200}))",
        ("-u ", "-u'", '-u"', "-a ", "--user", "--proxy-user", "--auth"),
        accept=_is_for_curl,
    ),
    Rule(
        "command-line-token",
        r"(?:(?<![\w-])|(?<=\\n))(?:-u[ ]?[\"']?(?P<user>[\w-]{16,200}):[\"']?(?=\s|$)"
        r"|kubeadm[ ][^\n]{0,200}?--token[ =](?P<join>[a-z0-9]{6}\.[a-z0-9]{16})"
        r"|--session[ =][\"']?(?P<secret>[\w+/=-]{40,200}+))",
        ("-u ", "kubeadm ", "--session"),
        accept=lambda hit: is_token(hit[hit.lastindex or 0]),
    ),
    Rule(
        "login-argument",
        r"(?:(?:exp|imp|sqlcl|sql)[ ][\w.$#]{1,30}/(?P<login>[^@\s\"']{5,60})(?=@)"
        r"|(?:addauth digest[ ][\w.-]{1,60}:|root-password[ ]password:|service install[ ]"
        r"|(?i:convertto-securestring)[ ](?:-String[ ]|-AsPlainText[ ])?(?=[\\\"']))" + _ARGUMENT + ")",
        (
            *("exp ", "imp ", "sqlcl ", "sql ", "addauth digest"),
            *("root-password password:", "service install", "convertto-securestring"),
        ),
        accept=_may_be_secret,
    ),
    Rule(
        "openssl-password",
        r"(?:-pass(?:in|out)?|-kfile)[ =]?[\"']?pass:(?P<secret>[^\s\"'`\\]{1,200})",
        ("-pass",),
        accept=_is_secret,
    ),
    Rule(
        "piped-password",
        rf"(?i:{'|'.join(map(re.escape, (*_READERS, *_OTHER_READERS)))})(?![\w-]{{0,20}}[ ]-[dD]\b|[ ]--d)",
        (*_READERS, *_OTHER_READERS),
        spans=_piped,
    ),
    Rule(
        "printed-password",
        r"(?:<\(|[\"'])(?:echo|printf)[ ](?:-\w{1,3}[ ]){0,2}\\{0,31}[\"']?(?P<secret>[^\s\"'`\\$()]{4,200})",
        tuple(f"{mark}{name} " for mark in ("<(", "'", '"') for name in ("echo", "printf")),
        accept=_is_of_a_flag,
    ),
    Rule(
        "here-string-password",
        r"(?:--password-stdin|--with-token|--passphrase-fd|--stdin|chpasswd|sudo -S|cryptsetup|kinit|passwd|login"
        r"|wg pubkey|ssh-add|mysql|redis-cli|keyring set|read -\w{0,4}s|read(?=[^\n<]{0,40}(?i:token|key|pass"
        r"|secret|pwd))|env add|secret set)"
        r"[^\n<]{0,120}?<<<[ ]?(?:\$?\\{0,31}[\"'])?(?:[\w.-]{1,40}:|AUTH[ ])?"
        r"(?P<secret>[^\s\"'`\\$][^\s\"'`\\]{2,200})",
        (
            *("--password-stdin", "--stdin", "--with-token", "--passphrase-fd", "chpasswd", "sudo -s", "cryptsetup"),
            *(
                "kinit",
                "passwd",
                "login",
                "wg pubkey",
                "ssh-add",
                "mysql",
                "read -",
                "redis-cli",
                "keyring set",
                "env add",
                "secret set",
            ),
        ),
        accept=_is_secret,
    ),
    Rule(
        "login-token",
        r"(?:(?:login|auth|authtoken|authenticate)[ ](?:-t[ ]|--(?:relogin|verify)[ ])?|auth init[ ][^\n]{0,60}?-t[ ])"
        r"[\"']?(?P<secret>[\w.=-]{20,200}+)",
        ("login ", "auth ", "authtoken ", "authenticate "),
        accept=_is_long,
    ),
    Rule(
        "stored-secret",
        r"(?:secrets?|put-parameter|keyvault|ssm)(?=[ ])"
        + _BETWEEN
        + r"(?:--(?:value|body|secret-string|secret-value|from-literal[ =][\w.-]{1,80})|-b)[ =]"
        + _ARGUMENT,
        ("secret ", "secrets ", "put-parameter ", "keyvault ", "secretsmanager ", "ssm "),
        accept=_may_be_secret,
    ),
)
