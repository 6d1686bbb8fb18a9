"""What looks random and is no secret stays: ids, hashes, integrity lines, minified code, images, public keys, code."""

import base64
import random
import string

import pytest

from ccship.privacy.redact import Redactor

HEX = "0123456789abcdef"
BASE64 = string.ascii_letters + string.digits + "+/"
EACH = 40
"""Made-up values for each line."""

LINES = (
    '{{"id": "{uuid}", "parent": "{uuid}"}}',
    "session {uuid} resumed",
    "{uuid}",
    "key: {uuid}",
    '"tool_use_id": "{toolu}"',
    '{{"requestId": "{req}", "message": {{"id": "{msg}"}}}}',
    "https://example.com/items/{uuid}?page=2",
    "/srv/{uuid}/a",
    '"primaryKey": "{uuid}"',
    '{{"key": "item-{hex8}", "value": "{uuid}"}}',
    "traceparent: 00-{hex32}-{hex16}-01",
    "commit {sha1}",
    "{sha1} refs/heads/main",
    "Merge {hex7} into {hex7}",
    "index {hex7}..{hex7} 100644",
    "[main {hex7}] Fix it",
    "sha256:{sha256}",
    "FROM python@sha256:{sha256}",
    "{sha256}  file.tar.gz",
    '"sha256": "{sha256}"',
    "md5 = {hex32}",
    "/nix/store/{nix}-python3-3.12.1/bin/python",
    'etag: W/"{hex16}"',
    "Content-MD5: {md5}",
    "checksum {sha256}",
    "git clone https://github.com/ada/demo.git && git checkout {sha1}",
    'rev = "{sha1}"',
    "cache-key: npm-linux-{sha256}",
    '"integrity": "sha512-{sha512}"',
    "integrity sha512-{sha512}",
    "resolution: {{integrity: sha512-{sha512}}}",
    '"resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz#{sha1}"',
    "golang.org/x/a v0.1.2 h1:{md5x}=",
    'hash = "sha256:{sha256}"',
    "    --hash=sha256:{sha256}",
    'checksum = "{sha256}"',
    '{{ url = "https://a.example/a.whl", hash = "sha256:{sha256}" }}',
    "a@1.0.0: {{hash: {sha1}}}",
    'narHash = "sha256-{md5x}=";',
    "PODFILE CHECKSUM: {sha1}",
    'digest: "sha512-{sha512}"',
    "!function(e,t){{var n=e({ident});return n.{ident}=function(e){{return e.{ident}?{ident}:{ident}(e)}}}}();",
    '"mappings":"{vlq}","names":["{ident}","{ident}"]',
    "//# sourceMappingURL=data:application/json;base64,{b64}",
    "import x from './{ident}-{hex8}.js'",
    '<script src="/assets/index-{b64short}.js" integrity="sha384-{sha384}"></script>',
    "background: url(data:image/png;base64,{b64})",
    "src: url(data:font/woff2;base64,{b64}) format('woff2')",
    "const {ident} = {{ token: {ident}, password: {ident}.password }};",
    "self.{ident}_token = {ident}.get_token({ident})",
    "password: string; apiKey?: string; token: {Ident}<string>;",
    "def login(user: str, password: str) -> {Ident}Token: ...",
    "assert response.json()['token'] == {ident}",
    "tokens = tokenizer.encode({ident}, max_tokens=4096)",
    "raise {Ident}Error('password must have 8 characters')",
    "if token is None or token.expired: return {ident}(token)",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b64short}{b64short} ada@example.com",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{b64} ada",
    "-----BEGIN CERTIFICATE-----\nMIID{b64}\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n{b64}\n-----END PUBLIC KEY-----",
    "certificate-authority-data: {cert}",
    'publicKey = "{md5x}="',
    '{{"kty": "RSA", "kid": "{hex8}", "n": "{b64url}", "e": "AQAB"}}',
    "age1{nix}{nix}",
    "pk-lf-{uuid}",
    "pk_live_{ident}",
    "VITE_CLIENT_ID={hex32}\nA=1\nB=2\n",
)


def values(rng: random.Random) -> dict[str, object]:
    def text(letters: str, length: int) -> str:
        return "".join(rng.choices(letters, k=length))

    def encoded(size: int) -> str:
        return base64.b64encode(rng.randbytes(size)).decode()

    hexes = text(HEX, 64)
    certificate = "-----BEGIN CERTIFICATE-----\nMIID" + encoded(300) + "\n-----END CERTIFICATE-----\n"
    words = rng.sample(
        [
            "user",
            "item",
            "cache",
            "store",
            "node",
            "view",
            "model",
            "state",
            "handler",
            "parser",
            "result",
            "options",
            "batch",
        ],
        3,
    )
    return {
        "uuid": f"{hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-a{hexes[17:20]}-{hexes[20:32]}",
        "toolu": "toolu_01" + text(string.ascii_letters + string.digits, 22),
        "msg": "msg_01" + text(string.ascii_letters + string.digits, 22),
        "req": "req_011C" + text(string.ascii_letters + string.digits, 20),
        "hex7": hexes[:7],
        "hex8": hexes[:8],
        "hex16": hexes[:16],
        "hex32": hexes[:32],
        "sha1": hexes[:40],
        "sha256": hexes,
        "sha384": encoded(48),
        "sha512": encoded(64),
        "md5": encoded(16),
        "md5x": encoded(32)[:-1],
        "nix": text("0123456789abcdfghijklmnpqrsvwxyz", 32),
        "vlq": ";".join(text("ACEGIKMOQSUWYacegikmoqsuwy", 4) + ",AACA" for _ in range(40)),
        "b64": text(BASE64, 800),
        "b64short": text(BASE64.replace("+", "").replace("/", ""), 8),
        "b64url": text(BASE64.replace("+", "-").replace("/", "_"), 342),
        "cert": base64.b64encode(certificate.encode()).decode(),
        "ident": words[0] + words[1].capitalize() + words[2].capitalize(),
        "Ident": words[2].capitalize() + words[0].capitalize(),
    }


@pytest.mark.parametrize("line", LINES)
def test_what_only_looks_random_stays(line: str) -> None:
    """Made-up values of each shape, alone and among other text."""
    rng = random.Random(line)  # noqa: S311 - the same values every time
    redactor = Redactor()
    for _ in range(EACH):
        text = line.format(**values(rng))
        for whole in (text, f"It printed:\n\n  {text}\n\nand nothing else."):
            assert redactor.text(whole) == whole
    assert redactor.errors == 0


def test_random_ids_in_bulk_stay() -> None:
    """A hundred thousand characters each of hashes, base64 and identifiers, as a log or a bundle has them."""
    rng = random.Random(7)  # noqa: S311 - the same values every time
    for letters, length in ((HEX, 40), (BASE64, 76), (string.ascii_letters + string.digits, 24), (HEX, 64)):
        text = "\n".join("".join(rng.choices(letters, k=length)) for _ in range(100_000 // length))
        assert Redactor().text(text) == text
