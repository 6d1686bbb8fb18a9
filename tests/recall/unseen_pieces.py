"""The random pieces of the second hold-out that the first does not have; `make` falls back to those of the first.

A template marks a piece as ⟨name length⟩ or ⟨name shortest-longest⟩, as in `holdout_pieces`.
"""

import json
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from recall.holdout_pieces import ALNUM, ALPHABETS, LOWER, chars, piece

OWN_ALPHABETS = {
    "alpha": LOWER + LOWER.upper(),
    "upper": LOWER.upper(),
    "lower": LOWER,
    "dot": ALNUM + "-_.~",
    "pct": ALNUM + "!@%^*_-+=.",
}

COLORS = ["Amber", "Blue", "Coral", "Green", "Indigo", "Olive", "Purple", "Silver", "Violet", "White"]
THINGS = [
    "Anvil",
    "Bridge",
    "Cactus",
    "Engine",
    "Forest",
    "Guitar",
    "Mountain",
    "Otter",
    "Pepper",
    "River",
    "Tractor",
    "Window",
]
FIRST_NAMES = ["Martin", "Julia", "Oliver", "Sophie", "Daniel", "Carmen", "Pieter", "Ingrid"]
LEET_WORDS = ("Gr4f1k", "Pr0duct10n", "S3cur1ty", "Kr4k3n", "Tr0mb0n3", "B4ckup", "D4t4b4se", "Sup3rman")
PHRASE = [
    "acorn",
    "bicycle",
    "cinnamon",
    "dungeon",
    "elephant",
    "fjord",
    "glacier",
    "hazelnut",
    "igloo",
    "juniper",
    "kayak",
    "lobster",
    "mosquito",
]

WORDS = {
    "who": "app deploy web_rw etl svc-api mkeller ci-bot postgres backup analytics",
    "box": "db01.acme.lan pg.prod.example.net 10.0.3.17 127.0.0.1 redis-master mysql.internal queue.svc.cluster.local",
    "org": "acme globex initech umbrella hooli vandelay",
    "dom": "acme.dev initech.io globex-corp.com hooli.xyz api.umbrella.cloud",
    "svc": "orders payments ledger mailer notifier auth-gateway scheduler frontend worker",
    "env": "prod staging preview qa",
    "region": "eu-central-1 us-east-1 eu-west-3 ap-southeast-2",
}


def password(rng: Random, turn: int) -> str:
    """A password for a file: half thought up by a person, half made by a password manager."""
    return (
        f"{rng.choice(COLORS)}{rng.choice(THINGS)}{rng.randint(10, 99)}!",
        chars(rng, ALNUM, 20, 20),
        f"{rng.choice(LEET_WORDS)}#{rng.randint(100, 9999)}",
        chars(rng, OWN_ALPHABETS["pct"], 24, 24),
        "-".join(chars(rng, ALNUM, 6, 6) for _ in range(3)),
        f"{rng.choice(FIRST_NAMES)}_{rng.randint(1960, 2012)}",
    )[turn % 6]


def plain_password(rng: Random, turn: int) -> str:
    """A password without punctuation, for command lines, addresses and connection strings."""
    return (
        f"{rng.choice(COLORS)}{rng.choice(THINGS)}{rng.randint(10, 99)}",
        chars(rng, ALNUM, 16, 16),
        f"{rng.choice(LEET_WORDS)}{rng.randint(100, 9999)}",
        chars(rng, ALNUM, 24, 32),
        f"{rng.choice(THINGS).lower()}{rng.choice(THINGS).lower()}{rng.randint(1, 99)}",
        chars(rng, ALPHABETS["hex"], 32, 32),
    )[turn % 6]


def token(rng: Random, turn: int) -> str:
    """An API token without a prefix, as services without a format of their own give out."""
    return (
        chars(rng, ALPHABETS["hex"], 40, 40),
        chars(rng, ALNUM, 32, 32),
        chars(rng, ALPHABETS["url"], 43, 43),
        str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        b64encode(rng.randbytes(24)).decode(),
        chars(rng, ALPHABETS["low"], 36, 36),
    )[turn % 6]


def signing_secret(rng: Random, turn: int) -> str:
    """A secret to sign or encrypt with, as `openssl rand`, `secrets` and a keyboard make them."""
    return (
        chars(rng, ALPHABETS["hex"], 64, 64),
        b64encode(rng.randbytes(32)).decode(),
        chars(rng, ALPHABETS["url"], 64, 64),
        chars(rng, ALPHABETS["hex"], 128, 128),
        " ".join(rng.sample(PHRASE, 5)).replace(" ", "-"),
        chars(rng, OWN_ALPHABETS["pct"], 50, 50),
    )[turn % 6]


def signed(rng: Random, claims: dict[str, object], alg: str, size: int) -> str:
    """A JWT with these claims and a signature of that many characters."""
    parts = ({"alg": alg, "typ": "JWT"}, claims)
    head, body = (urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode() for part in parts)
    return f"{head.rstrip('=')}.{body.rstrip('=')}.{chars(rng, ALPHABETS['url'], size, size)}"


def role_key(rng: Random) -> str:
    """The key of a Supabase role."""
    claims: dict[str, object] = {
        "iss": "supabase",
        "ref": chars(rng, LOWER, 20, 20),
        "role": "service_role",
        "iat": rng.randint(1_650_000_000, 1_750_000_000),
        "exp": 2_050_000_000,
    }
    return signed(rng, claims, "HS256", 43)


def identity(rng: Random) -> str:
    """The access token of an identity provider, signed with RSA."""
    claims: dict[str, object] = {
        "iss": "https://login.globex-corp.com/",
        "sub": f"auth0|{rng.getrandbits(96):024x}",
        "exp": rng.randint(1_700_000_000, 1_790_000_000),
        "scope": "openid profile email",
    }
    return signed(rng, claims, "RS256", 342)


def json_in_base64(rng: Random, body: dict[str, str]) -> str:
    return b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def pair(rng: Random, turn: int) -> str:
    """User and password in base64, as a header for basic authentication has them."""
    return b64encode(f"{rng.choice(WORDS['who'].split())}:{password(rng, turn)}".encode()).decode()


def wrapped(rng: Random, lines: int) -> str:
    """The body of a key file: lines of 64 characters and a shorter last one."""
    full = [chars(rng, ALPHABETS["b64"], 64, 64) for _ in range(lines)]
    return "\n".join([*full, chars(rng, ALPHABETS["b64"], 42, 43) + "="])


def jar(rng: Random) -> str:
    """The session cookie of Flask or Django: payload, time, signature."""
    payload = urlsafe_b64encode(b'{"_user_id":"%d","_fresh":true}' % rng.randint(100, 99999)).decode().rstrip("=")
    return f"{payload}.{chars(rng, ALPHABETS['url'], 6, 6)}.{chars(rng, ALPHABETS['url'], 27, 27)}"


OWN: dict[str, Callable[[Random, int], str]] = {
    "pass": password,
    "plain": plain_password,
    "quoted": lambda rng, turn: quote(password(rng, turn), safe=""),
    "token": token,
    "sign": signing_secret,
    "idtoken": lambda rng, turn: identity(rng),
    "role": lambda rng, turn: role_key(rng),
    "pair": pair,
    "pass64": lambda rng, turn: b64encode(password(rng, turn).encode()).decode(),
    "token64": lambda rng, turn: b64encode(token(rng, turn).encode()).decode(),
    "jar": lambda rng, turn: jar(rng),
    # A token of Discord begins with the number of the bot.
    "snowflake": lambda rng, turn: b64encode(str(rng.randint(10**18, 14 * 10**17)).encode()).decode().rstrip("="),
    "bytes16": lambda rng, turn: b64encode(rng.randbytes(16)).decode(),
    "bytes32": lambda rng, turn: b64encode(rng.randbytes(32)).decode(),
    "bytes64": lambda rng, turn: b64encode(rng.randbytes(64)).decode(),
    "sha512": lambda rng, turn: b64encode(rng.randbytes(64)).decode(),
    "mapbox": lambda rng, turn: json_in_base64(rng, {"u": "globex", "a": chars(rng, ALPHABETS["low"], 25, 25)}).rstrip(
        "="
    ),
    "login": lambda rng, turn: json_in_base64(rng, {"auth": pair(rng, turn), "email": "ci@globex-corp.com"}),
    "grafana": lambda rng, turn: json_in_base64(
        rng, {"o": str(rng.randint(10**5, 10**6)), "n": "alloy", "k": chars(rng, ALNUM, 24, 24), "m": "prod-eu-west-2"}
    ),
}


def make(spec: str, rng: Random, turn: int) -> str:
    """Return a value for a piece of this set, or of the first hold-out."""
    name, _, size = spec.partition(" ")
    if name in OWN:
        return OWN[name](rng, turn)
    if name == "wrapped":
        return wrapped(rng, int(size))
    if name in WORDS:
        return rng.choice(WORDS[name].split())
    if name in OWN_ALPHABETS:
        shortest, _, longest = size.partition("-")
        return chars(rng, OWN_ALPHABETS[name], int(shortest), int(longest or shortest))
    return piece(spec, rng, turn)
