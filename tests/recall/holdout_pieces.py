"""The random pieces that the templates of the hold-out name: alphabets, passwords, keys, tokens, names.

A template marks a piece as ⟨name length⟩ or ⟨name shortest-longest⟩; the length is optional for pieces that have one of
their own. No value here is a secret of anybody: each is drawn from a seeded generator at run time.
"""

import json
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

LOWER = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
ALNUM = LOWER + LOWER.upper() + DIGITS

ALPHABETS = {
    "hex": DIGITS + "abcdef",
    "HEX": DIGITS + "ABCDEF",
    "n": DIGITS,
    "low": LOWER + DIGITS,
    "up": LOWER.upper() + DIGITS,
    "an": ALNUM,
    "b64": ALNUM + "+/",
    "url": ALNUM + "-_",
    "b32": LOWER.upper() + "234567",
    "bech": "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
    "BECH": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "b58": "".join(sorted(set(ALNUM) - set("0OIl"))),
    "safe": ALNUM + "!#%^*-_+@",
}

WORDS = {
    "user": "ada grace linus svc_deploy app_rw root admin reporting m.keller jenkins",
    "host": "db.internal 10.20.4.17 pg-main.eu.example.net localhost cache01.prod.acme.io 192.168.1.40",
    "site": "acme.io shop.example.com api.contoso.net git.corp.example portal.fabrikam.de intranet.local",
    "app": "billing checkout crm inventory gateway media reports search shop wiki",
    "word": "anchor basket copper dolphin ember falcon garden harbor island jungle kettle lantern marble",
    "day": "2024-03-08 2024-11-27 2025-01-15 2025-05-30 2025-08-02 2025-10-19",
}

SEED_WORDS = (
    "abandon ability able about above absent absorb abstract absurd abuse access accident account achieve acid across "
    "adapt address adjust admit adult advance advice aerobic affair afford again agent agree ahead album alcohol alert "
    "banana banner barely bargain basket battle beach bean beauty become before behave below bench benefit best betray "
    "cabbage cabin cactus cage camera canal cancel candy cannon canoe canvas canyon capable captain carbon "
    "cargo castle "
    "dawn debris decade december decline deer defense define degree delay deliver demand denial dentist deny depart "
    "eagle early earth easily echo ecology economy edge educate effort eight elbow elder electric elegant element "
    "fabric faculty fade faint faith family fatigue fault favorite feature february federal fence festival fever "
    "galaxy gallery garage garlic gasp gather gauge gaze genius genre gentle genuine gesture ghost giant giggle"
)

SEASONS = ("Sommer", "Winter", "Herbst", "Summer", "Autumn", "Spring")
PETS = ("dragon", "monkey", "shadow", "falcon", "tigger", "buster", "charlie")
LEET = ("W3lcome", "L3tme1n", "Adm1n", "K3nnwort", "H0use", "Fl0wer", "S3rvice")


def chars(rng: Random, alphabet: str, shortest: int, longest: int) -> str:
    """Characters of an alphabet; the first is one that no shell, YAML or option parser treats specially, nor a zero."""
    size = rng.randint(shortest, longest)
    plain = [char for char in alphabet if char in ALNUM and char != "0"]
    return rng.choice(plain) + "".join(rng.choice(alphabet) for _ in range(size - 1))


def base64(rng: Random, size: int) -> str:
    """That many random bytes, in base64 with its padding."""
    return b64encode(rng.randbytes(size)).decode()


def key(rng: Random, turn: int) -> str:
    """A secret that a machine made, of one of six common lengths and alphabets."""
    return (
        chars(rng, ALPHABETS["hex"], 32, 32),
        chars(rng, ALNUM, 40, 40),
        base64(rng, 32),
        chars(rng, ALPHABETS["url"], 43, 43),
        chars(rng, ALPHABETS["safe"], 24, 24),
        chars(rng, ALPHABETS["hex"], 64, 64),
    )[turn % 6]


def password(rng: Random, turn: int) -> str:
    """A password as people have them: three that people thought up, three that a program did."""
    return (
        f"{rng.choice(SEASONS)}{rng.randint(2015, 2026)}{rng.choice('!?#')}",
        f"{rng.choice(PETS)}{rng.randint(10, 999)}",
        f"{rng.choice(LEET)}{rng.choice('#!@-_')}{rng.randint(1, 99)}",
        chars(rng, ALNUM, 16, 16),
        chars(rng, ALPHABETS["safe"], 20, 20),
        "-".join(rng.sample(WORDS["word"].split(), 4)),
    )[turn % 6]


def simple_password(rng: Random, turn: int) -> str:
    """A password of letters and digits only, for the places where punctuation has a meaning."""
    return (
        f"{rng.choice(SEASONS)}{rng.randint(2015, 2026)}",
        f"{rng.choice(PETS)}{rng.randint(10, 999)}",
        f"{rng.choice(LEET)}{rng.randint(1, 99)}",
        chars(rng, ALNUM, 10, 10),
        chars(rng, ALNUM, 16, 16),
        chars(rng, ALNUM, 24, 24),
    )[turn % 6]


def jwt(rng: Random) -> str:
    """A signed token as identity providers make them: header, claims, signature."""
    claims = {"sub": str(rng.randint(10**9, 10**10)), "iat": rng.randint(1_700_000_000, 1_760_000_000), "aud": "api"}
    head, body = (
        urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode().rstrip("=")
        for part in ({"alg": rng.choice(("HS256", "RS256")), "typ": "JWT"}, claims)
    )
    return f"{head}.{body}.{chars(rng, ALPHABETS['url'], 43, 43)}"


def pem(rng: Random) -> str:
    """A key file in base64, as Kubernetes and CI variables hold it."""
    body = "\n".join(chars(rng, ALPHABETS["b64"], 64, 64) for _ in range(6))
    label = "PRIVATE" + " KEY-----"
    return encoded(f"-----BEGIN {label}\nMII{body}\n-----END {label}\n")


def registry_login(rng: Random, turn: int) -> str:
    """A Docker configuration in base64."""
    login = {"auths": {"ghcr.io": {"username": "ci", "password": password(rng, turn)}}}
    return encoded(json.dumps(login, separators=(",", ":")))


def json_object(rng: Random, keys: str) -> str:
    """A JSON object with these keys, in base64 without padding."""
    values = {key: chars(rng, ALPHABETS["hex"], 32, 32) for key in keys.split()}
    return encoded(json.dumps(values, separators=(",", ":"))).rstrip("=")


def sentry_claims(rng: Random) -> str:
    """The readable middle of a Sentry organization token."""
    claims = {
        "iat": rng.uniform(1.7e9, 1.76e9),
        "url": "https://sentry.io",
        "region_url": "https://de.sentry.io",
        "org": "acme",
    }
    return encoded(json.dumps(claims, separators=(",", ":")))


def pin(rng: Random) -> str:
    """A recovery code."""
    return f"{chars(rng, ALPHABETS['low'], 5, 5)}-{chars(rng, ALPHABETS['low'], 5, 5)}"


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


NAMED: dict[str, Callable[[Random, int], str]] = {
    "key": key,
    "pw": password,
    "simple": simple_password,
    "urlpw": lambda rng, turn: quote(password(rng, turn), safe=""),
    "b64pw": lambda rng, turn: encoded(password(rng, turn)),
    "b64key": lambda rng, turn: encoded(key(rng, turn)),
    "basic": lambda rng, turn: encoded(f"{rng.choice(WORDS['user'].split())}:{password(rng, turn)}"),
    "b64user": lambda rng, turn: encoded(f"{rng.choice(WORDS['user'].split())}-{turn}"),
    "uuid": lambda rng, turn: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "jwt": lambda rng, turn: jwt(rng),
    "b64pem": lambda rng, turn: pem(rng),
    "b64login": registry_login,
    "sentry": lambda rng, turn: sentry_claims(rng),
    "apple": lambda rng, turn: "-".join(chars(rng, LOWER, 4, 4) for _ in range(4)),
    "pin": lambda rng, turn: pin(rng),
    "b64of32": lambda rng, turn: base64(rng, 32),
    "b64of64": lambda rng, turn: base64(rng, 64),
    "b64of20": lambda rng, turn: base64(rng, 20),
    "mnemonic": lambda rng, turn: " ".join(rng.sample(SEED_WORDS.split(), 24 if turn % 3 == 2 else 12)),
}


def piece(spec: str, rng: Random, turn: int) -> str:
    """Return a value for `hex 40`, `an 20-30`, `pw`, `host` or `json key1 key2`; `turn` selects one of the variants."""
    name, _, size = spec.partition(" ")
    if name in NAMED:
        return NAMED[name](rng, turn)
    if name == "json":
        return json_object(rng, size)
    if name in WORDS:
        return rng.choice(WORDS[name].split())
    shortest, _, longest = size.partition("-")
    return chars(rng, ALPHABETS[name], int(shortest), int(longest or shortest))
