"""Secrets that a program prints below a command line, a query or an expression that asks for them."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_password, is_random
from ccship.privacy.redact.names import NOTHING, STRONG, strength
from ccship.privacy.redact.rules import END_OF_LINE, LINE_START, NEWLINE, NEXT_LINE, WORD, Rule

_BREAK = re.compile(NEWLINE)
_PROMPT = re.compile(
    rf"{LINE_START}[ \t]{{0,8}}(?:(?:\([\w.-]{{1,30}}\)[ ])?[^\s$#%>\u276f]{{0,60}}[$#%>\u276fλ]|>>>|\(\w?db\)|\(lldb\)"
    r"|In \[\d{1,4}\]:|\[[\w:./ ()-]{1,60}\]|PS [^\n>]{1,80}>|irb\([^\n>]{1,60}>|127[.\d:]{1,30}>)[ ]{1,2}"
)
_READS_NO_SECRET = re.compile(
    r"(?:sudo[ ])?(?:git|ls|ll|cd|rm|mv|cp|grep|rg|ag|find|vim?|nano|touch|mkdir|chmod|chown|tree|du|wc|head|tail|less"
    r"|cat|pytest|npm (?:test|run|ci|i)|make|cargo|go|docker (?:build|ps|images|pull|push)|sha\d+sum|md5sum|which|man"
    r"|kubectl (?:describe|create|apply|delete|patch)|ssh-keygen|diff|stat|file|sed|awk|curl|wget|python3?[ ][\w./-]+"
    r"|node[ ][\w./-]+|\./)(?![\w:-])"
)
_NAME = re.compile(r"(?:[\w.]|(?<=\w)-(?=\w)){0,50}\Z")
_OTHER_OUTPUT = re.compile(r"→|[./:]\w*[./:]|^[a-z]{2,20}/[\w.-]{1,40}$|\(|^\d[\d.:-]*$|^[A-Za-z_]\w*=\w")
_NEAR = 300


def _printed(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the output below a line that begins with a prompt and names a secret."""
    text = hit.string
    begin = max(hit.start() - _NEAR, 0)
    line = _BREAK.split(text[begin : hit.start()])[-1]
    prompt = _PROMPT.match(line)
    if not prompt or _READS_NO_SECRET.match(line[prompt.end() :]):
        return
    left = _NAME.search(line)
    says = strength((left[0] if left else "") + hit["name"])
    is_value = is_password if says == STRONG else is_random if says != NOTHING else None
    if is_value and is_value(hit) and not _OTHER_OUTPUT.search(hit["secret"]):
        yield hit.span("secret")


_GENERATORS = (
    *("rails secret", "phx.gen.secret", "key:generate", "--gen-random", "generate_key(", "get_random_secret_key"),
    *("randombytes(", "securerandom.", "bw generate", "keepassxc-cli generate", "pass generate", "op generate"),
    *("acl genpass", "auth:token", "xkcdpass", "pwgen ", "apg ", "makepasswd", "mkpasswd -", "uuidgen", "rand -"),
    *("registration-token", "join-token", "account keys list", "initialadminpassword", "admin.password"),
    *("token_bytes(", "nanoid", "secrets.choice", "random_bytes(", "str::random(", "generatesecret", "genkey"),
)
_OUTPUT = re.compile(rf"(?:[ \t]{{1,8}}|{NEWLINE}[ \t]{{0,8}})[\"']?(?:base64:)?(?P<secret>{WORD}{{5,400}})")
_MOST = 40


def _generated(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the words below a command that generates secrets."""
    at, size = hit.end(), 0
    for number in range(_MOST):
        word = _OUTPUT.match(hit.string, at)
        if not word or (number and word["secret"][:1] in "$#"):
            return
        is_like_the_first = not number or len(word["secret"]) == size
        size = size or len(word["secret"])
        if not (is_like_the_first and is_password(word)):
            return
        yield word.span("secret")
        at = word.end("secret") + 1 if hit.string[word.end("secret") : word.end("secret") + 1] in "\"'" else word.end()


RULES = (
    Rule(
        "printed-variable",
        r"(?P<name>\w{2,3}[\w-]{0,44}+)(?:(?!\\{1,31}[nr])[^\n]){0,60}?" + NEXT_LINE + r"[ \t]{0,4}"
        r"(?:\$\d{1,3} = (?:0x[0-9a-f]{1,16} )?|\(\w{1,20}\) \$\d{1,3} = |[=<]> |< |Out\[\d{1,4}\]: |\[\d\] "
        r"|/[\w/.-]{1,80}"
        rf"{NEWLINE})?\\{{0,31}}[\"']?(?P<secret>{WORD}{{5,400}})\\{{0,31}}[\"']?{END_OF_LINE}",
        ("pass", "pwd", "secret", "token", "credential", "key"),
        spans=_printed,
    ),
    Rule(
        "generated-secret",
        rf"(?i:{'|'.join(map(re.escape, _GENERATORS))})(?:(?!\\{{1,31}}[nr])[^\n]){{0,120}}(?={NEWLINE})",
        _GENERATORS,
        spans=_generated,
    ),
)
