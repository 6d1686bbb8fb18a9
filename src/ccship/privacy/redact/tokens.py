"""Tokens with a recognisable shape: tables of prefixes, of words in prefixes, and of marks inside a key.

A new provider is a word in one of the tables. The text after a prefix must look generated. A prefix that an identifier
can also begin with belongs to `_EXACT`, with the alphabet and length of the text after it.
"""

import re
from collections.abc import Iterator

from ccship.privacy.redact.rules import START, Rule
from ccship.privacy.redact.values import has_few_words, looks_generated

_PREFIXES = tuple(
    """
    vcp_ vci_ vca_ vcr_ vck_ vercel_blob_rw_ nfp_ nfc_ nfo_ nfu_ nfb_ sb_secret_ napi_ AVNS_ fnAE fnAF mdb_sa_sk_ xau_
    tskey-auth- tskey-api- tskey-client- tskey-scim- tskey-webhook- snyk_uat. snyk_sat. CCIPAT_ CCIPRJ_ bkua_ bkct_
    bkaj_ bkpt_ depot_org_ depot_project_ codecov_ pcsk_ nvapi- csk- tvly- jina_ tgp_v1_ wandb_v1_ llx- e2b_ rpa_ flp_
    hcaik_ hcxik_ hcamk_ hcxmk_ hcbik_ xaat- xapt- os_v2_app_ os_v2_org_ mlsn. xsmtpsib- xkeysib- sec-c- CFPAT- rdme_
    fio-u- RGAPI- atapi_ pat-na1- pat-na2- pat-eu1- pat-ap1- NRII- NRJS- NRAA- FLWSECK- FLWSECK_TEST- duffel_
    polar_oat_ polar_pat_ mnzconf. shippo_ sq0csp- sq0atp- HRKU- GOOG1E dbtc_ dbtu_ dbts_ pnu_ pnb_ fm1r_ fm2_ fo1_
    ABSK bedrock-api-key- ATBB PMAT- figo_ figdr_ shpua_ prtapi_ zpka_ ory_pat_ ory_at_ ory_st_ ory_rt_ apify_api_
    n8n_api_ pylf_v1_ sk-lw- sk-kimi- sk-helicone- hl_sk_ rootly_ fhb- ramp_tok_ ramp_sec_ bxt_ squ_ sqp_ sqa_ aio_
    ddapp_ WPL_AP1. IGQVJ IGAA dp.pt. dp.st. dp.ct. dp.scim. dp.audit. slk_ astro_ SPACELIFT_ tbot_ retool_0 lak_
    post_server_item_ pdl_ tfp_ dt0s01. dt0s02. dt0s16. dnkey- hvr. unkey_ opk_ lmnr_ IQoJb3JpZ2lu FwoGZXIv FQoGZXIv
    access-production- access-development- access-sandbox- configcat-sdk-1/ essu_ chpt_ llmgw_ sntrya_ glwt- MDAx
    sk.eyJ tk.eyJ nsec1 xprv9 zprv tprv8 RWRTY0Iy dG9rOj AFRfVWo EAAG EAAB EAAE EAAI QVhfVG9r
    sbp_v0_ APP_USR- KGAT_ AQ.Ab8 packagist_ y0_Ag y0__ cflt sgp_ sgd_ sgph_ amzn1.oa2-cs.v1. dG9rO 0x4AAAAA THAA
    pina_ csb_v1_ AKLT bce-v3/ALTAK- ls__ vk1.a. syt_ mct_ eyJhIjoi base64-eyJ CCDB1_ esecret_ VF.DM.
    eyJhcGlfYWRkcmVzcyI6 klarna_live_api_ klarna_test_api_ 5Aep861
    """.split()  # noqa: SIM905 - a list of words reads better so
)
_WORDS = ("live", "prod", "production", "sandbox", "secret", "pat", "apikey", "personal")
"""Words in a prefix that announce a token: `cal_live_...`, `tr_prod_...`, `secret-live-...`."""
_ALPHANUMERIC, _HEX, _UUID = "[A-Za-z0-9]", "[0-9a-f]", r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_EXACT = {
    "ck_": rf"{_HEX}{{40}}",
    "cs_": rf"{_HEX}{{40}}",
    "npg_": rf"{_ALPHANUMERIC}{{12}}",
    "rnd_": rf"{_ALPHANUMERIC}{{28,36}}",
    "fw_": rf"{_ALPHANUMERIC}{{22,32}}",
    "fc-": rf"{_HEX}{{32}}",
    "pa-": r"[\w-]{43}",
    "cio": rf"{_ALPHANUMERIC}{{32}}",
    "oy2": "[a-z0-9]{43}",
    "md-": r"[\w-]{22}",
    "gt_": rf"{_ALPHANUMERIC}{{36,40}}",
    "exp_": rf"{_ALPHANUMERIC}{{40}}",
    "pk_": r"(?:\d{6,10}_[A-Z0-9]{32}|[0-9a-f]{34})",
    "EZAK": rf"{_ALPHANUMERIC}{{54}}",
    "EZTK": rf"{_ALPHANUMERIC}{{54}}",
    "SCW": "[A-Z0-9]{17}",
    "DO00": "[A-Z0-9]{16}",
    "DO80": "[A-Z0-9]{16}",
    "AKID": rf"{_ALPHANUMERIC}{{32,36}}",
    "LTAI": rf"{_ALPHANUMERIC}{{12,26}}",
    "sdk-": _UUID,
    "mob-": _UUID,
    "api-": _UUID,
    "sk_": rf"(?:{_HEX}{{48}}|{_ALPHANUMERIC}{{32,64}})",
    "ak_": r"[\w-]{20,32}",
    "pat_": rf"{_ALPHANUMERIC}{{32,80}}",
    "sess-": rf"{_ALPHANUMERIC}{{40}}",
    "app-": rf"{_ALPHANUMERIC}{{24}}",
    "dataset-": rf"{_ALPHANUMERIC}{{24}}",
    "oauth:": "[a-z0-9]{30}",
    "sl.": r"(?:u\.)?[\w-]{60,1500}+",
    "ES_": rf"{_HEX}{{32}}",
    "amzn.mws.": _UUID,
    "mfa.": r"[\w-]{84}",
    "as-": rf"{_ALPHANUMERIC}{{22}}",
    "ak-": rf"{_ALPHANUMERIC}{{22}}",
    "akab-": "[a-z0-9]{16}-[a-z0-9]{16}",
    "AQX": r"[\w-]{100,1500}+",
    "AQV": r"[\w-]{100,1500}+",
    "dose": rf"{_HEX}{{32}}",
    "dkea": rf"{_HEX}{{32}}",
    "BSA": r"[\w-]{28}",
    "api_": rf"{_ALPHANUMERIC}{{22}}\.{_ALPHANUMERIC}{{22}}",
    "alcht_": rf"{_ALPHANUMERIC}{{30}}",
    "QN_": rf"{_HEX}{{32}}",
    "CG-": rf"{_ALPHANUMERIC}{{24}}",
    "4b1d": rf"{_ALPHANUMERIC}{{38}}",
    "mzp_": rf"{_HEX}{{64}}",
    "hbp_": rf"{_ALPHANUMERIC}{{36}}",
    "cu_": rf"{_HEX}{{32}}",
    "pl_": rf"{_HEX}{{32}}",
    "rf_": rf"{_ALPHANUMERIC}{{20}}",
    "pb_": r"[\w-]{22}",
    "SUA": "[A-Z2-7]{55}",
    "SOA": "[A-Z2-7]{55}",
    "SAA": "[A-Z2-7]{55}",
    "Atzr|": r"[\w-]{100,1500}+",
    "Atza|": r"[\w-]{100,1500}+",
    "*:production.": rf"{_HEX}{{40,64}}",
    "*:development.": rf"{_HEX}{{40,64}}",
    "ExponentPushToken": r"\[[\w-]{20,24}\]",
    "live_": rf"{_ALPHANUMERIC}{{24,64}}",
    "1000.": r"[0-9a-f]{32}\.[0-9a-f]{32}",
    "prod:": r"[\w-]{3,60}\|[\w+/=-]{20,1500}+",
    "secret-": r"[A-Za-z0-9]{43}",
    "signkey-": r"\w{2,8}-[0-9a-f]{32,64}",
    "key_": rf"{_HEX}{{64,128}}",
    "EAA": rf"{_ALPHANUMERIC}{{90,1500}}+",
    "1/": r"\d{16}:[0-9a-f]{32}",
    "2/": r"\d{16}/\d{16}:[0-9a-f]{32}",
    "v4.": r"(?:local|public)\.[\w-]{60,1500}+",
    "v2.": r"(?:local|public)\.[\w-]{60,1500}+",
    "standard_": rf"{_HEX}{{120,1500}}+",
    "st.": r"[0-9a-f]{24}\.[0-9a-f]{32}\.[0-9a-f]{32}",
    "u+": r"[\w-]{18}",
    "rzp_live_": rf"{_ALPHANUMERIC}{{14}}",
    "rzp_test_": rf"{_ALPHANUMERIC}{{14}}",
    "access_token$": r"(?:production|sandbox)\$[a-z0-9]{16}\$[0-9a-f]{32}",
    "KEY0": r"[0-9A-F]{31}_[A-Za-z0-9]{22}",
    "AQE": r"(?:[A-Za-z0-9]{3}hm[\w+/=-]{60,1500}+|[\w+/]{50,120}=?-[\w+/]{40,90}=?-[^\s\"'`\\,]{12,20})",
    "ops_": r"eyJ[\w-]{100,1500}+",
}
"""Prefixes that other texts can begin with, and the exact shape of the token after each."""

_REST = r"(?<=[\w.+/=~%-]{121})[\w.+/=~%-]*+"
"""The rest of a token after the part that is checked: checking all of it at each prefix would take quadratic time."""
_MARKS = re.compile(
    r"(?:\+ASt|\+ABa|APIM|ACDb)[A-Za-z0-9+/]{6}==|AzFu[\w-]{6}==|(?:\+ASb|\+AEh|AIoT)[A-Za-z0-9+/]{6}="
    r"|AzCa[A-Za-z0-9+/]{5}=|(?:\+ACR|AzSe)[A-Za-z0-9+/]{6}|JQQJ99[A-Za-z0-9]{24,40}"
)
_KEY_BEFORE = re.compile(r"(?:(?<![\w+/-])|(?<=\\n))[\w+/-]{32,90}\Z")


def _marked(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return an Azure key from its beginning: only the mark near its end has a fixed position."""
    before = _KEY_BEFORE.search(hit.string, max(hit.start() - 90, 0), hit.start())
    if before:
        yield before.start(), hit.end()


_BOT_BEFORE = re.compile(r"(?<![\w.-])[MNO][\w-]{22,28}\Z|(?<=\\n)[MNO][\w-]{22,28}\Z")
_MESSAGING_BEFORE = re.compile(r"(?<![\w-])[\w-]{11,22}\Z")


def _of_bot(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return a token of Discord: its first part encodes a number, its second part a time."""
    before = _BOT_BEFORE.search(hit.string, max(hit.start() - 32, 0), hit.start())
    if before and looks_generated(before[0] + hit[0]):
        yield before.start(), hit.end()


def _of_messaging(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    before = _MESSAGING_BEFORE.search(hit.string, max(hit.start() - 24, 0), hit.start())
    yield before.start() if before else hit.start(), hit.end()


_PRIVATE_PARTS = re.compile(r"\\{0,31}\"(?:d|p|q|dp|dq|qi|k)\\{0,31}\"\s{0,8}:\s{0,8}\\{0,31}\"(?P<secret>[\w-]{16,}+)")
_WIDEST_JWK = 2500


def _parts_of_jwk(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the private numbers of a JSON Web Key, which may precede its type."""
    text = hit.string
    begin = max(hit.start() - _WIDEST_JWK, 0)
    begin = max(text.rfind("{", begin, hit.start()), begin)
    end = text.find("}", hit.end(), hit.end() + _WIDEST_JWK)
    parts = _PRIVATE_PARTS.finditer(text, begin, end if end >= 0 else min(hit.end() + _WIDEST_JWK, len(text)))
    return (part.span("secret") for part in parts)


def _is_token(hit: re.Match[str]) -> bool:
    """Whether the text is a token: Docker tags and test databases have an id or a hash after the same words."""
    tail = hit["tail"]
    return looks_generated(tail) and not _ID.match(tail) and not (hit["sign"] == "-" and _HASH.fullmatch(tail))


def _has_digits(text: str) -> bool:
    """Whether a text has enough digits for a token, or only letters in an order that no word has."""
    return (
        looks_generated(text)
        or len(re.findall(r"\d", text)) >= _LEAST_DIGITS
        or (text[:3] in ("SCW", "npg") and has_few_words(text))
    )


_LEAST_DIGITS = 3
_ID, _HASH = re.compile(_UUID), re.compile(r"[0-9a-f]+")

RULES = (
    Rule(
        "prefixed-token",
        START + rf"(?:{'|'.join(map(re.escape, _PREFIXES))})" + r"(?P<tail>[\w+/=~-][\w.+/=~%-]{10,120}+)",
        _PREFIXES,
        rest=_REST,
        accept=lambda hit: _has_digits(hit["tail"]),
    ),
    Rule(
        "provider-token",
        r"(?:(?<![\w-])|(?<=\\n))(?:"
        + "|".join(rf"{re.escape(prefix)}(?:{tail})" for prefix, tail in _EXACT.items())
        + r")(?![A-Za-z0-9])",
        tuple(_EXACT),
        accept=lambda hit: _has_digits(hit[0]),
    ),
    Rule(
        "trello-token",
        START + r"ATTA[0-9a-f]{64}[0-9A-F]{8}(?![A-Za-z0-9])",
        (*(f"ATTA{digit}" for digit in "0123456789abdef"), *(f"ATTAc{digit}" for digit in "0123456789abcdef")),
    ),
    Rule(
        "environment-token",
        rf"(?:(?<![A-Za-z0-9])(?<!pk_)(?<!pub_)(?<!public_)(?:{'|'.join(_WORDS)}|sk(?=_))"
        r"|(?<=[A-Za-z0-9])[_-](?:test|dev))"
        r"(?P<sign>[_-])(?P<tail>[A-Za-z0-9][\w-]{18,120}+=?)",
        ("sk_", *(f"{word}{sign}" for word in _WORDS for sign in "_-"), "_test_", "-test-", "_dev_", "-dev-"),
        accept=_is_token,
        rest=_REST,
    ),
    Rule(
        "azure-marked-key",
        _MARKS.pattern + r"(?![A-Za-z0-9+/=])",
        ("+ASt", "+ABa", "APIM", "ACDb", "AzFu", "+ASb", "+AEh", "AIoT", "AzCa", "+ACR", "AzSe", "JQQJ99"),
        spans=_marked,
    ),
    Rule(
        "json-web-key",
        r"\"kty\\{0,31}\"\s{0,8}:",
        ('"kty',),
        spans=_parts_of_jwk,
    ),
    Rule(
        "discord-token",
        r"\.(?:G[\w-]{5}|[XYZ][\w-]{5})\.[\w-]{27,40}(?![\w-])",
        (".g", ".x", ".y", ".z"),
        spans=_of_bot,
    ),
    Rule(
        "cloud-messaging-key",
        r":APA91b[\w-]{100,200}(?![\w-])",
        (":apa91b",),
        spans=_of_messaging,
    ),
    Rule(
        "twitter-token",
        START + r"A{16,26}(?=[A-Za-z0-9%]{0,60}%(?:2B|2F|3D))[A-Za-z0-9%]{40,200}+",
        ("AAAAAAAAAAAAAAAA",),
    ),
    Rule(
        "deepl-key",
        rf"{_UUID}:fx(?![A-Za-z0-9])",
        (":fx",),
        lead=36,
    ),
    Rule(
        "mailchimp-key",
        r"(?P<secret>[0-9a-f]{32})-us\d{1,2}(?![A-Za-z0-9])",
        tuple(f"-us{number}" for number in range(1, 30)),
        lead=32,
    ),
    Rule(
        "salesforce-session",
        START + r"00D[A-Za-z0-9]{12,15}!AQ[\w.]{60,}+",
        ("00D",),
    ),
    Rule(
        "rapidapi-key",
        START + r"[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5}jsn[0-9a-f]{12}(?![A-Za-z0-9])",
        ("msh",),
        lead=10,
    ),
)
