"""Texts between a name and its value in shells, programming languages, files, tables and sentences."""

import re

from ccship.privacy.redact.rules import NEWLINE, NEXT_LINE

_STRINGS = r"\\{0,31}[\"']"
_PAIR = (  # name: ..., value: ...
    rf"[ \t]{{0,4}}(?:,|[:=]>?[ \t]?\{{)?(?:{NEXT_LINE})?[ \t]{{0,40}}"
    rf"(?:{_STRINGS}\w{{1,20}}{_STRINGS}:[ \t]?(?:{_STRINGS}[\w -]{{0,30}}{_STRINGS}|true|false"
    rf"|\d{{1,4}}),[ \t]?){{0,3}}"
    rf"\\{{0,31}}[\"']?(?i:\w{{0,9}}value|content|default|text)\\{{0,31}}[\"']?[ \t]?[=:]"
)
_VERBS = r"is|was|ist|war|lautet|est|es|é|è|to|jest|är|er|je|это|是|为|は|should be|will be|has been"
_OPERATORS = "|".join(
    (
        _PAIR,
        (  # env.X || "..."
            r"(?:[ \t]{0,4}[:=]|(?=[ ]\w[\w.]{0,40}\())[ \t]?[\w.\[({$][^\n;{}]{0,80}?"
            r"(?:\|\||\?\?|\?:|[ ][:?]|[ ]or|[ ]else|unwrap_or(?:_else)?\((?:\|_?\|)?)[ ]?(?=\\{0,31}[\"'`])"
        ),
        rf"[ \t]{{0,4}}=[ \t]?@[\"']{NEWLINE}",  # PowerShell's here-strings
        (  # a text of several lines in TOML, Python, Swift
            rf"[ \t]{{0,4}}=[ \t]?(?:\\{{0,31}}\"(?:\\{{0,31}}\"){{2}}|'{{3}}){NEXT_LINE}"
        ),
        (  # key = <<END
            rf"[ \t]{{0,4}}=[ \t]?<{{2,3}}[-~]?[\"']?\w{{1,16}}[\"']?{NEXT_LINE}[ \t]{{0,40}}"
        ),
        rf"(?<=[\w\"'])>{NEXT_LINE}[ \t]{{1,40}}(?=[^\s<>]{{4,128}}{NEXT_LINE}[ \t]{{0,40}}</)",  # an element's line
        r"[ \t]{0,40}(?:=>|:{1,3}=|\\=|<{1,2}-|->|(?:\|\||\?\?|[?+])=|!?={1,3})",
        rf"{NEXT_LINE}[ ]{{0,4}}\d{{1,3}}\)[ ](?=\\{{0,31}}\")",  # a hash in redis-cli
        (
            r"\??[ \t]?:[ \t]?[&A-Za-z'\[][\w.|\[\]<>&' ?]{0,40}?[ \t]?="  # token: &'static str =
            r"(?=[ \t]{0,4}(?:[\w:.]{1,30}\((?:default(?:_factory)?=)?)?(?:lambda:[ ])?[rbufN@]{0,2}\\{0,31}[\"'`])"
        ),
        rf"[ \t]?:[ \t]?\{{(?:{NEXT_LINE})?[ \t]{{0,40}}{_STRINGS}[\w.@-]{{1,40}}{_STRINGS}:[ ]?(?={_STRINGS})",
        r":[ ]\(\w{1,20}\)[ ]\(len=\d{1,4}\)(?=[ ]\")",  # a dump of Go
        r":[ ]\\{1,4}[a-z]{2,10}\{",  # LaTeX
        r":'{2,3}(?=[ ])",  # MediaWiki
        r"[ ][-\u2013\u2014\u2026](?=[ ])",
        (  # def token(): return "..."
            rf"\([^()\n]{{0,40}}\)[^\n:{{=]{{0,20}}(?::|\{{|=>)(?:{NEXT_LINE})?[ \t]{{0,16}}(?:return[ ])"
            r"(?=\\{0,31}[\"'`])"
        ),
        (  # <input name="token" type="text" value=...>
            r"(?:[ ][\w-]{1,16}=\\{0,31}[\"'][^\"'<>\n]{0,40}\\{0,31}[\"']){0,3}[ ](?:\w{1,12}:)?value="
            r"(?=\\{0,31}[\"'])"
        ),
        rf"[ \t]?[:=][ \t]?\((?=[rbf]?{_STRINGS}[^\"'\n]{{3,200}}{_STRINGS}\))",
        r"[ \t]?\{[ ]?get;[^{}]{0,40}\}[ \t]?=",  # Password { get; set; } =
        r"\)\.(?:type|fill|send_?[kK]eys|setValue|val)\(",  # get("#password").type(
        r"(?:[ ][\w:]{1,20}=\"[^\"<>]{0,60}\"){1,3}>(?:<!\[CDATA\[)?",  # <password type="text">...
        (  # password for ada: ...
            r"(?:[ ](?:for|of|to|on|at)[ ][\"']?[\w.@:/-]{1,80}?[\"']?)"
            r"(?::(?=[ \n])|[ ](?:is|was)(?=[: ]):?)"
        ),
        (  # the key that you need is ...
            r"(?:[ ][\w.@/-]{1,30}){1,5}?[ ](?:is|was|ist|lautet|est|es|é|è|jest|är|er"
            r"|je)(?=[: ]):?"
        ),
        (  # getenv("TOKEN", default="...")
            r"\)?,[ \t]?(?:\w{1,12}=[\w.]{1,20},[ ]?){0,3}(?i:default\w{0,6}|fallback)[ ]?[=:]"
        ),
        (  # getenv("TOKEN") or "...", first(getenv("TOKEN"), "...")
            r"\)(?:[ ]or|[ ]?(?:\|\||\?\?|\?:)|,|(?=[ ]))[ ]?(?=\\{0,31}[\"'`])"
        ),
        (  # expect(token).toBe("...")
            r"\)?\.(?:to(?:Be|Equal|StrictEqual)|isEqualTo|equals?)\([ ]?(?=\\{0,31}[\"'`])"
        ),
        (  # z.string().default("..."), env::var("TOKEN").unwrap_or("...")
            r"(?:[ \t]?[:=][ ]?[\w.]{1,30}(?:\([^()\n]{0,30}\)[\w.]{0,30}){0,4}|\))"
            r"\.(?:default|unwrap_or(?:_else)?|getOrElse|orElse)\((?:\|_?\|)?[ ]?(?=\\{0,31}[\"'`])"
        ),
        r"(?:[ ]by[ ]lazy|\)|:[ ]?\w{1,12})?[ ]?\{[ ]?(?=\\{0,31}[\"'`])",  # let(:token) { "..." }
        (  # printf 'TOKEN=%s' '...'
            r"[=:][ ]?(?:%s|\{\w{0,10}\})(?:\\{1,4}n)?[\"'](?:\.format\(|[ ]?%[ ]?\(?"
            r"|,)?[ ]?(?=[\"'])"
        ),
        r"[ ](?:PIC|TYPE)[ ][^\n']{1,30}VALUE(?=[ ])",  # COBOL, ABAP
        r"[ ]-Value(?=[ ])",
        r"[ ]<<<(?=[ ])",
        rf"[=:][ \t]?\\{NEXT_LINE}(?![ \t]{{0,40}}[\w.-]{{1,60}}:)",  # a continued line
        rf"</key>(?:{NEXT_LINE})?[ \t]{{0,40}}<array>(?:{NEXT_LINE})?[ \t]{{0,40}}<string>",
        r"[ \t](?:string|\[\]byte|str)[ \t]?=",  # var token string =
        r"[ ][Aa]s[ ]\w{2,12}[ ]?=",  # Dim password As String =
        rf"[ \t]?[:=][ \t]?\({NEXT_LINE}[ \t]{{1,40}}(?=[rbfN]?\\{{0,31}}[\"'])",  # token = (
        rf"=>{NEXT_LINE}[ ]{{0,40}}string\(\d{{1,4}}\)[ ]",  # var_dump of PHP
        (  # <property name="password"><value>
            rf"(?:(?<=[\"'])|(?<=ord))(?:[ ]\w{{1,20}}=\"[^\"<>\n]{{0,60}}\"){{0,2}}>(?:{NEXT_LINE})?[ \t]{{0,40}}"
            r"<[vV]alue>"
        ),
        rf"</\w{{1,12}}>(?:{NEXT_LINE})?[ \t]{{0,40}}<\w{{1,12}}>(?:<string>)?",  # <name>password</name>, <value>...
        r"[ ]?(?:\.[ ]?){3,60}:?(?=[ ])",  # Password ........
        r"\[\w{0,8}\][ \t]?=",  # char token[] =
        (
            rf"[ \t]{{0,4}}[:=][ \t]?(?:[|>][+-]?\d?)?{NEXT_LINE}[ \t]{{1,40}}+(?>(?:-[ \t])?)"  # YAML
            r"(?![\w.-]{1,60}:(?:\s|$|\\))"
        ),
        r"[ \t]{0,4}[:=]>?[ \t]?\[[ \t]{0,4}(?:(?=[\\\"'])|(?=[^\s\[\],]{5,200}\]))",
        r"[:=][ ]?<(?=[^\s<>]{12,200}>)",
        r"\.(?:value|text|default|val)[ ]?[:=][ ]?(?=\\{0,31}[\"'`])",  # password.value = "..."
        r"[ \t]{0,30}[:\uff1a](?:\*{1,2}|:)?(?:[ ][!&][!\w/.-]{1,30}(?=[ ]))?|,",
        (
            rf"[ \t]{{0,4}}(?:{_VERBS})(?=[: \t]):?(?:[ \t]{{0,8}}{NEXT_LINE}){{0,2}}(?:[ ]<(?:b|strong|code|kbd|tt|em"
            rf"|i)>)?"
        ),
        (
            rf":{NEXT_LINE}[ ]{{1,40}}(?:\w{{2,20}}:[ ][^\n]{{1,60}}?{NEXT_LINE}[ ]{{1,40}}){{0,3}}?"
            r"(?:[dD]efault|content|example|[vV]alue):(?=[ ])"  # a parameter and its default
        ),
        r"\?(?=[ ])",  # What is your password?
        (
            r"(?::[ ]?)?(?:</?(?:b|strong|code|kbd|tt|em|i|span|pre"
            r"|label)(?:[ ][^<>\n]{0,60})?>[ :]{0,2}){1,3}"
        ),  # <b>Password:</b> <code>...
        r"[ ]\((?=[^\s()]{5,60}\))",
        rf":?(?:[ \t]{{0,8}}{NEXT_LINE}){{1,2}}(?:`{{3}}\w{{0,10}}{NEXT_LINE})?",  # each is alone on its line
        r"(?<=[\w\"'])>(?:<!\[CDATA\[)?(?![\s<])",  # <password>...
        (  # <key>password</key><string>...
            r"[ ]?:?</\w{1,12}>:?(?:\s|\\{1,31}[nrt]){0,40}<\w{1,12}(?:[ ][^<>\n]{0,60})?>(?:<string>"
            r"|<!\[CDATA\[)?"
        ),
        r"[ \t]{0,60}[|│║┃][ \t]?",
        (  # variable "password" { ... default =
            r"[ \t]?\{[^{}]{0,300}?\b(?:default|value)[ \t]{1,12}=(?=[ ]?\\{0,31}[\"'])"
        ),
        r"\([ \t]?(?=&?[brf@]?\\{0,31}[\"'])",
        r"(?=[ \t])",  # --password ...
    )
)
_WRAPPER = (
    r"(?:JSON\.stringify\(|[\w.:]{0,24}(?:Some|freeze|[fF]ield|ref|Option|Argument|Query|Form|[jJ]ust|[pP]tr)\((?:default=)?(?=[rbfu]?\\{0,31}[\"'`])"
    r"|(?:new )?(?:\[\]byte"
    r"|[\w.:]{0,24}(?:Secret|SecretStr|SecretString|String|str|from|bytes|ensitive|new|To|encode|GetBytes|hexlify"
    r"|fromhex|b64\w{1,6}|base64\w{0,6}))\((?:default=)?|<<|Some[ ](?=[\"'])|\(\)[ ]=>[ ](?=[\"'`])"
    r"|(?:field\(default_factory=)?lambda:[ ](?=[\"'])|coalesce\([\w.]{1,40},[ ]|(?:string[ ]\|[ ])?\*(?=\")"
    r"|\#env[ ](?=\")"
    r")?(?:&(?=\")|''(?=[\w+/-])|\$(?=[\"'])|0x[0-9a-f]{1,16}[ ](?=\\{0,31}\")|r\#{1,3}(?=\")|[rbufN@]{1,2}(?=[\"']))?"
)
ASSIGNED = re.compile(
    r"(?P<close>(?:\\{0,31}[\"'`])?\]?(?:\\{0,31}[\"'`])?(?:\*{1,2}|\$(?=[ ]?=)|\}(?=[ ](?:=[ ]?)?[\"']|=[ ]?[\"']))?)"
    rf"(?P<op>{_OPERATORS})[ \t]{{0,40}}{_WRAPPER}"
    r"(?:(?P<escape>\\{0,31})(?P<quote>\"\"\"|'''|[\"'`])"
    r"(?P<quoted>(?:(?!(?<!\\)(?P=escape)(?P=quote))[^\n]){3,})"
    r"|\[\[(?P<lua>[^\]\n]{3,200})\]\]"
    r"|(?:qq?|%[qQ]?(?=[({\[|!]))[({\[|/!](?P<perl>[^)}\]|/!\n]{3,200})[)}\]|/!]"
    r"|\{(?P<braces>[^\s{}\"']{5,200})\}"
    r"|(?P<line>(?<=[A-Z0-9_]=)[^\s\"'`\\]{4,128}+)"
    r"|(?P<markup>(?<=[\w\"']>)[^\s<>\"'`\\]{4,128}+(?=</))"
    r"|(?P<bare>[^\s\"'`\\,;&<>|(){}\[\]]{4,128}+)(?![(\[{]))"
)
"""Matches after a name. `close`: the end of the name; `op`: the operator; another group: the value."""
AFTER_VALUE = (
    *('" -> ', "' -> ", ".equals(", 'forKey: "', 'forKey:@"', 'forKey: @"', "WHERE name = '", "WHERE name='"),
    *("WHERE key = '", "WHERE key='", '" == ', '" === ', "' == ", "' === "),
)
"""Texts between a value and its name behind it."""
VALUE = re.compile(
    r"[\"'](?P<value>[^\s\"'\\]{6,100})[\"']"
    r"(?:[ ](?:->|={2,3})[ ]|\.equals\(|,?[ ]forKey:[ ]?@?[\"']|[ ]WHERE[ ]\w{3,4}[ ]?=[ ]?')\Z"
)
"""A value before those texts; search it in the text up to a name."""
STRICT = re.compile(r"[ \t]*(?:[,(|\[]|[:=][ \t]*[|>\[\r\n\\]|(?:[\w.@/-]{1,30}[ ])*\w{1,10}\b|[\r\n\\])|$")
"""Operators that need a random value: other texts often follow them."""
REST = re.compile(r"(?<=[^\s\"'`\\]{128})[^\s\"'`\\,;&<>|(){}\[\]]*+")
"""The rest of a value that is longer than its pattern."""

BLOCK = re.compile(rf"(?:{NEXT_LINE}[ \t]{{1,40}}[A-Za-z0-9+/=_-]{{20,}}+(?=\s|\\|$))+")
"""The further lines of a YAML block, if each is as random as a key."""


_OTHER_VALUE = re.compile(r"(?:[\"']|\b)(?:content|default|text)\\{0,31}[\"'][ \t]?[=:]$")


def is_pair(op: str) -> bool:
    """Whether the match is a pair with separate keys: `"name": "DB_PASSWORD", "value": ...`."""
    return "alue" in op or "ALUE" in op or _OTHER_VALUE.search(op) is not None
