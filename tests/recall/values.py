"""Values to put into formats: passwords that people choose, tokens that machines make, keys and phrases."""

import base64
import random
import string
from typing import Any

_ALPHANUMERIC = string.ascii_letters + string.digits
_WORDS = [
    "ocean",
    "velvet",
    "cousin",
    "blast",
    "tunnel",
    "garden",
    "orbit",
    "sketch",
    "walnut",
    "ember",
    "fossil",
    "magnet",
    "quiz",
    "ribbon",
    "saddle",
    "timber",
    "upset",
    "vacant",
    "whisper",
    "yellow",
    "zebra",
    "anchor",
    "basket",
    "cactus",
]


def _text(rng: random.Random, length: int, letters: str = _ALPHANUMERIC) -> str:
    while True:
        text = "".join(rng.choices(letters, k=length))
        if any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text):
            return text


def passwords(rng: random.Random) -> list[str]:
    """Six secrets: two that a person chose, two short ones of a generator, two long ones."""
    word, other = rng.sample(_WORDS, 2)
    return [
        f"{word.capitalize()}{rng.randint(10, 9999)}!",
        f"{word}-{other}-{rng.randint(1, 99)}",
        _text(rng, 10),
        _text(rng, 14) + rng.choice("!#*+^") + _text(rng, 2),
        _text(rng, 24),
        _text(rng, 32, string.hexdigits.lower()[:16]),
    ]


def _pem(rng: random.Random) -> list[str]:
    body = "".join(rng.choices(_ALPHANUMERIC + "+/", k=64 * 8 + 20)) + "=="
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    kind = rng.choice(("RSA ", "EC ", "", "OPENSSH "))
    return [f"-----BEGIN {kind}" + "PRIVATE KEY-----", *lines, f"-----END {kind}" + "PRIVATE KEY-----"]


def fields(rng: random.Random, secret: str) -> dict[str, Any]:
    """What formats may ask for, all made of one secret or of their own."""
    token = _text(rng, rng.randint(24, 40))
    hexes = _text(rng, 64, "0123456789abcdef")
    pem = _pem(rng)
    return {
        "b64": base64.b64encode(f"x://{secret}".encode()).decode(),
        "basic": base64.b64encode(f"ada:{secret}".encode()).decode(),
        "key": base64.b64encode(rng.randbytes(32)).decode(),
        "token": token,
        "token33": _text(rng, 33),
        "hex": hexes,
        "hex32": hexes[:32],
        "uuid": f"{hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-a{hexes[17:20]}-{hexes[20:32]}",
        "gkey": "AI" + "za" + _text(rng, 35),
        "vault": "hv" + "s." + _text(rng, 24),
        "b32": _text(rng, 32, string.ascii_uppercase + "234567"),
        "words": " ".join(rng.sample(_WORDS, 12)),
        "pem": "\n".join(pem),
        "pemcut": "\n".join(pem[:5]),
        "pemdiff": "\n".join(f"+{line}" for line in pem),
        "pemlines": "\n".join(f"{number:6}→{line}" for number, line in enumerate(pem, 1)),
        "pemjson": '"' + "\\n".join(pem) + '"',
        "pem64": base64.b64encode("\n".join(pem).encode()).decode(),
    }
