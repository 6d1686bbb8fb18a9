"""Text without any secret that looks as if it had one: it must come out of the redaction unchanged.

The kinds of `STRICT` may never be changed; what happens to the others is counted and shown.
"""

from recall.holdout_innocent_files import FILES as OTHER_FILES

UUIDS = {
    "uuid alone": "⟨uuid⟩",
    "uuid in a sentence": "The job ⟨uuid⟩ finished after ⟨n 3⟩ s.",
    "uuid in a path": "GET /api/v2/orders/⟨uuid⟩/items HTTP/1.1 200",
    "uuid in JSON": '{"id": "⟨uuid⟩", "parentId": "⟨uuid⟩", "status": "done"}',
    "uuid as session id": '{"sessionId":"⟨uuid⟩","cwd":"/work","version":"2.1.0"}',
    "uuid in YAML": "tenant_id: ⟨uuid⟩\nsubscription: ⟨uuid⟩",
    "uuid in a file name": "~/.claude/projects/-work/⟨uuid⟩.jsonl",
    "uuid in SQL": "SELECT * FROM orders WHERE id = '⟨uuid⟩';",
    "uuid request id": "x-request-id: ⟨uuid⟩\nx-correlation-id: ⟨uuid⟩",
    "uuid in braces": "{⟨uuid⟩} Microsoft.VisualStudio.Workload",
    "uuid urn": "urn:uuid:⟨uuid⟩",
    "uuid in fstab": "UUID=⟨uuid⟩ / ext4 defaults 0 1",
    "uuid in code": 'CLSID = "⟨uuid⟩"',
    "uuid in a log": "⟨day⟩ 12:00:01 INFO [⟨uuid⟩] OrderService - order stored",
    "id of an Xcode object": "\t\t⟨HEX 24⟩ /* AppDelegate.swift in Sources */ = {isa = PBXBuildFile; };",
    "uuid client id": "client_id=⟨uuid⟩&response_type=token",
    "uuid beside key": 'idempotencyKey: "⟨uuid⟩",\nprimaryKey: "⟨uuid⟩"',
    "uuids in a list": "- ⟨uuid⟩\n- ⟨uuid⟩\n- ⟨uuid⟩",
}

GIT_HASHES = {
    "git log": "commit ⟨hex 40⟩\nAuthor: Ada <ada@acme.io>\nDate:   Mon Mar 3 10:00:00 2025 +0100\n\n"
    "    Fix the token refresh",
    "git log oneline": "⟨hex 7⟩ Rotate the secret key when it expires\n⟨hex 7⟩ Add password field to the form",
    "git diff index": "diff --git a/src/auth/token.py b/src/auth/token.py\nindex ⟨hex 7⟩..⟨hex 7⟩ 100644",
    "git rev-parse": "$ git rev-parse HEAD\n⟨hex 40⟩",
    "git ls-remote": "⟨hex 40⟩\tHEAD\n⟨hex 40⟩\trefs/heads/main",
    "git ls-tree": "100644 blob ⟨hex 40⟩\tsrc/secrets.py\n040000 tree ⟨hex 40⟩\ttests",
    "git blame": "^⟨hex 7⟩ (Ada 2024-01-02 10:00:00 +0100 12) password = getpass()",
    "git cat-file": "tree ⟨hex 40⟩\nparent ⟨hex 40⟩\nauthor Ada <ada@acme.io> 17⟨n 8⟩ +0100",
    "git submodule": " ⟨hex 40⟩ vendor/keys (heads/main)",
    "git stash": "Dropped refs/stash@{0} (⟨hex 40⟩)",
    "git fetch": "   ⟨hex 9⟩..⟨hex 9⟩  main       -> origin/main",
    "git packed-refs": "# pack-refs with: peeled fully-peeled sorted\n⟨hex 40⟩ refs/tags/v1.2.0\n^⟨hex 40⟩",
    "git reflog": "⟨hex 8⟩ HEAD@{2}: commit (amend): Hash passwords with argon2",
    "git sha256 object": "commit ⟨hex 64⟩",
    "git lfs pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:⟨hex 64⟩\nsize ⟨n 6⟩",
    "git rebase todo": "pick ⟨hex 10⟩ Rename the api key setting\nsquash ⟨hex 10⟩ fixup",
    "github url": "https://github.com/acme/app/blob/⟨hex 40⟩/src/auth/password.py#L⟨n 2⟩",
    "github actions pin": "      - uses: actions/checkout@⟨hex 40⟩ # v4.2.2",
    "git commit JSON": '{"sha": "⟨hex 40⟩", "commit": {"message": "Bump version"}}',
    "git version": "app 1.4.2 (⟨hex 9⟩ ⟨day⟩)",
}

LOCKFILES = {
    "package-lock.json": '"node_modules/keyv": {\n  "version": "4.5.⟨n 1⟩",\n  "resolved": '
    '"https://registry.npmjs.org/keyv/-/keyv-4.5.4.tgz",'
    '\n  "integrity": "sha512-⟨b64 86⟩=="\n}',
    "package-lock.json token package": '"js-tokens": {\n  "version": "4.0.0",\n  "integrity": "sha512-⟨b64 86⟩=="\n}',
    "yarn.lock": 'password-prompt@^1.1.2:\n  version "1.1.3"\n  resolved "https://registry.yarnpkg.com/password-'
    "prompt/-/password-prompt-1.1.3.tgz"
    '#⟨hex 40⟩"\n  integrity sha512-⟨b64 86⟩==',
    "yarn.lock berry": '"csrf-token@npm:^1.0.0":\n  version: 1.0.0\n  checksum: 10/⟨hex 128⟩\n  languageName: node',
    "pnpm-lock.yaml": "  /secret-stack@6.4.1:\n    resolution: {integrity: sha512-⟨b64 86⟩==}\n    dev: false",
    "bun.lock": '"api-key": ["api-key@1.2.0", "", {}, "sha512-⟨b64 86⟩=="],',
    "deno.lock": '"https://deno.land/std@0.220.0/crypto/keystack.ts": "⟨hex 64⟩",',
    "Cargo.lock": '[[package]]\nname = "secrecy"\nversion = "0.8.0"\nchecksum = "⟨hex 64⟩"',
    "poetry.lock": 'files = [\n    {file = "keyring-25.2.1-py3-none-any.whl", hash = "sha256:⟨hex 64⟩"},\n]',
    "uv.lock": 'sdist = { url = "https://files.pythonhosted.org/packages/⟨hex 2⟩/⟨hex 2⟩/⟨hex '
    '60⟩/token-1.0.tar.gz", hash = "sha256:⟨hex 64⟩", '
    "size = ⟨n 5⟩ }",
    "Pipfile.lock": '"passlib": {\n  "hashes": [\n    "sha256:⟨hex 64⟩",\n    "sha256:⟨hex 64⟩"\n  ]\n}',
    "requirements.txt": "cryptography==42.0.5 \\\n    --hash=sha256:⟨hex 64⟩ \\\n    --hash=sha256:⟨hex 64⟩",
    "composer.lock": '"content-hash": "⟨hex 32⟩",\n"reference": "⟨hex 40⟩",\n"shasum": "⟨hex 40⟩"',
    "Gemfile.lock": "CHECKSUMS\n  jwt (2.8.1) sha256=⟨hex 64⟩\n  bcrypt (3.1.20) sha256=⟨hex 64⟩",
    "go.sum": "github.com/golang-jwt/jwt/v5 v5.2.1 h1:⟨b64 43⟩=\ngithub.com/golang-jwt/jwt/v5 v5.2.1/go.mod "
    "h1:⟨b64 43⟩=",
    "flake.lock": '"narHash": "sha256-⟨b64 43⟩=",\n"rev": "⟨hex 40⟩",\n"type": "github"',
    "mix.lock": '"plug_crypto": {:hex, :plug_crypto, "2.1.0", "⟨hex 64⟩", [:mix], [], "hexpm", "⟨hex 64⟩"},',
    "pubspec.lock": "  crypto:\n    dependency: transitive\n    description:\n      name: crypto\n"
    '      sha256: "⟨hex 64⟩"',
    "Podfile.lock": "SPEC CHECKSUMS:\n  KeychainAccess: ⟨hex 40⟩\n  Alamofire: ⟨hex 40⟩\n\nPODFILE CHECKSUM: ⟨hex 40⟩",
    "packages.lock.json": '"System.Security": {\n  "resolved": "4.3.0",\n  "contentHash": "⟨b64 86⟩=="\n}',
    "verification-metadata.xml": '<artifact name="keystore-1.0.jar">\n  <sha256 value="⟨hex 64⟩" '
    'origin="Generated by Gradle"/>\n</artifact>',
    ".terraform.lock.hcl": 'hashes = [\n    "h1:⟨b64 43⟩=",\n    "zh:⟨hex 64⟩",\n  ]',
    "Package.resolved": '"state" : {\n  "revision" : "⟨hex 40⟩",\n  "version" : "1.3.0"\n}',
    "Chart.lock": "digest: sha256:⟨hex 64⟩\ngenerated: ⟨day⟩T10:00:00Z",
    "conan.lock": '"openssl/3.2.1#⟨hex 32⟩%17⟨n 8⟩.123",',
    "MODULE.bazel.lock": '"https://bcr.bazel.build/modules/rules_cc/0.0.9/MODULE.bazel": "⟨hex 64⟩",',
    "renv.lock": '"openssl": {\n  "Package": "openssl",\n  "Hash": "⟨hex 32⟩"\n}',
}

MINIFIED = {
    "minified function": '!function(e,t){"object"==typeof exports?module.exports=t():e.⟨word⟩=t()}(this,'
    "(function(){return ⟨n 4⟩}));",
    "minified with password": "var a=function(e){return{username:e.username,password:e.password,"
    'token:e.token||""}};t.login=a,n.d(t,"⟨low 1⟩",(()=>o));',
    "minified input type": 'createElement("input",{type:"password",name:"password",'
    'autoComplete:"current-password",onChange:e=>r(e.target.value)})',
    "minified switch": 'switch(e.key){case"Enter":return s(e);case"Escape":return void c();'
    'case"secretKey":a=e.secretKey;break;default:u(e,⟨n 3⟩)}',
    "minified hash chunks": '({179:"main",304:"auth-token"}[e]||e)+"."+{179:"⟨hex 8⟩",304:"⟨hex 20⟩",532:"⟨hex '
    '8⟩"}[e]+".js"',
    "minified asset names": '<script defer src="/assets/password-reset.⟨hex 20⟩.js"></script><link '
    'href="/assets/index-⟨url 8⟩.css" rel=stylesheet>',
    "minified translations": 'e.exports={password:"Passwort",forgot_password:"Passwort vergessen?",'
    'api_key:"API-Schlüssel",token:"Zugangscode"}',
    "minified regexp": r"const u=/^(?:[\w!#$%&*+/=?^`{|}~-]+)@(?:[a-z0-9]+\.)+[a-z]{2,}$/i,"
    r"p=/^(?=.*[A-Z])(?=.*\d)[A-Za-z\d@$!%*?&]{8,}$/;",
    "minified storage": 'localStorage.getItem("auth_token")&&(t.headers.Authorization="Bearer '
    '"+localStorage.getItem("auth_token"))',
    "minified redux": 'const i="auth/SET_ACCESS_TOKEN",s="auth/CLEAR_PASSWORD",c=e=>({type:i,accessToken:e}),'
    "l=()=>({type:s,id:⟨n 5⟩});",
    "minified map": '{"version":3,"sources":["secret.ts"],"mappings":"AAAA,SAASA,EAAUC,GACjB,OAAOC,⟨an 60⟩;EAAA"}',
    "minified inline map": "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpb⟨b"
    "64 120⟩",
    "minified css": '.btn-password{color:#⟨hex 6⟩;margin:0 auto}.token-⟨low 5⟩::after{content:"\\e⟨hex 3⟩"}'
    ".c-⟨hex 8⟩{top:0}",
    "minified css modules": ".styles_secretKey__⟨an 5⟩{display:flex}.Password_input__⟨url 5⟩{border:1px solid "
    "#⟨hex 6⟩}",
    "minified svg": '<path d="M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2zm⟨n 2⟩.⟨n 2⟩ '
    '15h-2v-6h2v6z"/>',
    "minified wasm": 'const wasm="AGFzbQEAAAABBgFgAX8BfwMCAQAHBwEDZmliAAAK⟨b64 120⟩";',
    "minified json": '{"a":[⟨n 3⟩,⟨n 4⟩],"keys":["id","token","secret"],"k":{"tokenType":"Bearer",'
    '"passwordMinLength":8}}',
    "minified python": "exec((lambda k:{'password':k.get('password'),'token':k['token']})(dict(os.environ)))",
    "minified jwt library": 'if(3!==(t=e.split(".")).length)throw new Error("jwt malformed");'
    "return{header:JSON.parse(atob(t[0])),signature:t[2]}",
    "minified fonts": "@font-face{font-family:K;src:url(data:font/woff2;base64,d09GMgABAAAAA⟨b64 200⟩) "
    'format("woff2")}',
}

FILES = LOCKFILES | OTHER_FILES

OUTPUT = (
    UUIDS
    | GIT_HASHES
    | MINIFIED
    | {
        # Fingerprints, digests, ids.
        "ssh fingerprint": "256 SHA256:⟨b64 43⟩ ada@laptop (ED25519)",
        "ssh fingerprint md5": "2048 MD5:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩ "
        "ada@laptop (RSA)",
        "ssh host key prompt": "ED25519 key fingerprint is SHA256:⟨b64 43⟩.\nThis key is not known by any other names.",
        "gpg fingerprint": "pub   ed25519 2024-01-02 [SC]\n      ⟨HEX 40⟩\nuid           [ultimate] Ada <ada@acme.io>",
        "gpg verify": "gpg: Signature made ⟨day⟩\ngpg:                using EDDSA key ⟨HEX 40⟩\ngpg: Good signature",
        "tls certificate": "SHA256 Fingerprint=⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩\n"
        "Serial Number: ⟨hex 32⟩",
        "x509 text": "X509v3 Subject Key Identifier:\n    ⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩:⟨HEX 2⟩\n"
        "Public Key Algorithm: rsaEncryption",
        "hpkp pin": 'pin-sha256="⟨b64 43⟩="; max-age=5184000',
        "sha256sum": "⟨hex 64⟩  dist/app-1.2.0.tar.gz",
        "md5sum": "⟨hex 32⟩  secrets.tar",
        "sha512sum": "⟨hex 128⟩  ubuntu-24.04.iso",
        "docker digest": "Digest: sha256:⟨hex 64⟩\nStatus: Downloaded newer image for vault:1.15",
        "docker ps": '⟨hex 12⟩   keycloak:24   "/opt/keycloak/bin/kc…"   2 hours ago   Up 2 hours',
        "docker build": "#8 exporting layers\n#8 writing image sha256:⟨hex 64⟩ done",
        "docker layer": "⟨hex 12⟩: Pull complete\n⟨hex 12⟩: Already exists",
        "docker id": "$ docker run -d nginx\n⟨hex 64⟩",
        "kubernetes pods": "auth-token-service-⟨hex 9⟩-⟨low 5⟩   1/1   Running   0   4d\n"
        "vault-agent-injector-⟨hex 10⟩-⟨low 5⟩   1/1   Running",
        "kubernetes secret list": "NAME                TYPE     DATA   AGE\ndb-password         Opaque   2      "
        "31d\ndefault-token-⟨low 5⟩   Opaque   3      31d",
        "kubernetes describe secret": "Name:  db\nType:  Opaque\n\nData\n====\npassword:  16 bytes\n"
        "token:     44 bytes",
        "kubernetes event": 'MountVolume.SetUp failed for volume "secret-store" : secret "app-secret" not found',
        "trace id": "trace_id=⟨hex 32⟩ span_id=⟨hex 16⟩ parent_id=⟨hex 16⟩",
        "traceparent": "traceparent: 00-⟨hex 32⟩-⟨hex 16⟩-01",
        "b3 header": "X-B3-TraceId: ⟨hex 32⟩\nX-B3-SpanId: ⟨hex 16⟩",
        "datadog trace": "dd.trace_id=⟨n 19⟩ dd.span_id=⟨n 19⟩",
        "amzn trace": "X-Amzn-Trace-Id: Root=1-⟨hex 8⟩-⟨hex 24⟩",
        "amzn request id": "x-amz-request-id: ⟨up 16⟩\nx-amz-id-2: ⟨b64 75⟩=",
        "cf-ray": "cf-ray: ⟨hex 16⟩-FRA\ncf-cache-status: HIT",
        "etag": 'etag: "⟨hex 32⟩"\nlast-modified: Mon, 03 Mar 2025 10:00:00 GMT',
        "weak etag": 'ETag: W/"⟨hex 4⟩-⟨b64 27⟩"',
        "content-md5": "Content-MD5: ⟨b64 22⟩==\nDigest: SHA-256=⟨b64 43⟩=",
        "websocket accept": "Sec-WebSocket-Accept: ⟨b64 27⟩=\nUpgrade: websocket",
        "csp": "content-security-policy: script-src 'self' 'sha256-⟨b64 43⟩='",
        "response headers": "access-control-allow-headers: Authorization, X-Api-Key, X-CSRF-Token\n"
        "vary: Cookie, Authorization",
        "www-authenticate": 'WWW-Authenticate: Bearer realm="api", error="invalid_token", '
        'error_description="The token expired"',
        "401 body": '{"error":"unauthorized","message":"Missing API key. Pass it in the X-Api-Key header."}',
        "token usage": '{"input_tokens": ⟨n 4⟩, "output_tokens": ⟨n 3⟩, "cache_read_input_tokens": ⟨n 5⟩, '
        '"max_tokens": 8192}',
        "message id": "msg_01⟨an 22⟩",
        "tool use id": '{"type":"tool_result","tool_use_id":"toolu_01⟨an 22⟩","content":"ok"}',
        "request id": "request_id: req_011⟨an 21⟩",
        "chat completion id": '{"id":"chatcmpl-⟨an 29⟩","object":"chat.completion","model":"gpt-4o"}',
        "ulid": "01⟨up 24⟩",
        "nanoid": "id=⟨url 21⟩ name=report",
        "cuid": '{"id":"c⟨low 24⟩","title":"Report"}',
        "object id": 'ObjectId("⟨hex 24⟩")',
        "snowflake": "channel ⟨n 18⟩, guild ⟨n 18⟩",
        "stripe ids": "cus_⟨an 14⟩ paid in_1⟨an 23⟩ with pm_1⟨an 23⟩",
        "youtube": "https://www.youtube.com/watch?v=⟨url 11⟩",
        "google doc": "https://docs.google.com/document/d/1⟨url 43⟩/edit",
        "figma file": "https://www.figma.com/design/⟨an 22⟩/Login?node-id=12-⟨n 3⟩",
        "npm package url": "https://registry.npmjs.org/csrf-tokens/-/csrf-tokens-2.0.0.tgz",
        "pypi file url": "https://files.pythonhosted.org/packages/⟨hex 2⟩/⟨hex 2⟩/⟨hex "
        "60⟩/passlib-1.7.4-py2.py3-none-any.whl",
        "arn": "arn:aws:secretsmanager:eu-west-1:⟨n 12⟩:secret:prod/db-⟨an 6⟩",
        "aws resource ids": "i-0⟨hex 16⟩ in subnet-0⟨hex 16⟩, sg-0⟨hex 16⟩",
        "vault path": "$ vault kv list secret/\nKeys\n----\napp/\ndb-password",
        "build id": "ELF 64-bit LSB pie executable, x86-64, BuildID[sha1]=⟨hex 40⟩, stripped",
        "nix store path": "/nix/store/⟨low 32⟩-pass-1.7.4/bin/pass",
        "ipfs cid": "added Qm⟨b58 44⟩ photo.jpg",
        "ipfs cid v1": "ipfs://bafybei⟨low 52⟩/metadata.json",
        "ethereum address": "Transfer to 0x⟨hex 40⟩ in tx 0x⟨hex 64⟩",
        "bitcoin address": "bc1q⟨bech 38⟩ received 0.01 BTC",
        "semver build": "v2.14.0-beta.3+sha.⟨hex 8⟩ (build ⟨n 6⟩)",
        "version list": "openssl 3.0.13, libsecret 0.21.4, python-keyring 25.2.1, passwdqc 2.0.3",
        # Dumps and data.
        "hexdump": "00000000  ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩ ⟨hex 2⟩  |........|",
        "xxd": "00000010: ⟨hex 4⟩ ⟨hex 4⟩ ⟨hex 4⟩ ⟨hex 4⟩ ⟨hex 4⟩ ⟨hex 4⟩  ............",
        "assembly": "  40⟨hex 4⟩:\t48 89 e5             \tmov    %rsp,%rbp",
        "core dump": "rax 0x⟨hex 16⟩ rbx 0x0 rip 0x⟨hex 12⟩ <check_password+⟨n 2⟩>",
        "base64 text": "SGVsbG8gd29ybGQsIHRoaXMgaXMgYSBsb25nIHNlbnRlbmNlLg==\nfile ⟨n 3⟩",
        "base64 image": "![logo](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA⟨b64 240⟩==)",
        "base64 gif": "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
        "base64 attachment": "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQKJ⟨b64 63⟩\n⟨b64 76⟩",
        "dkim record": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKB⟨b64 160⟩",
        "spf record": '"v=spf1 include:_spf.acme.io ~all"\n"google-site-verification=⟨url 43⟩"',
        "phone numbers": "+49 30 ⟨n 8⟩, +1 (555) 010-⟨n 4⟩",
        "isbn": "ISBN 978-3-16-1484⟨n 2⟩-0",
        "iban": "DE⟨n 2⟩ 1234 5678 ⟨n 4⟩ ⟨n 4⟩ 00",
        "dates": "⟨day⟩T12:00:00.123456Z took 00:01:⟨n 2⟩.500",
        "coordinates": "52.5⟨n 5⟩, 13.4⟨n 5⟩",
        "numbers": "3.14159265358979323846 1.⟨n 15⟩e-07 ⟨n 16⟩",
        "ipv6": "2001:db8:⟨hex 4⟩:⟨hex 4⟩::⟨hex 4⟩/64 dev eth0",
        "mac address": "link/ether ⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩:⟨hex 2⟩ brd ff:ff:ff:ff:ff:ff",
        "color palette": "#⟨hex 6⟩ #⟨hex 6⟩ #⟨hex 6⟩ rgba(12, 34, 56, .⟨n 1⟩)",
        "embeddings": "[0.0⟨n 8⟩, -0.0⟨n 8⟩, 0.1⟨n 7⟩, -0.2⟨n 7⟩]",
        "dna": "ATGCGTACGTTAGCCGATCGATCGTAGCTAGCTAGGCTAACGTACG",
        "lorem": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, key ⟨n 2⟩ sed do.",
        # What tools say about secrets.
        "log token expired": "⟨day⟩ 10:00:01 WARN  token expired for user ⟨user⟩, refreshing",
        "log password changed": "⟨day⟩ 10:00:01 INFO  password changed for ⟨user⟩ (request ⟨n 6⟩)",
        "log wrong password": 'FATAL:  password authentication failed for user "⟨user⟩"',
        "log masked": "connecting to postgres://app:***@db:5432/app with api_key=****",
        "log key loaded": "loaded private key from /etc/ssl/private/server.key (2048 bits)",
        "log sshd": "sshd[⟨n 4⟩]: Accepted publickey for ⟨user⟩ from 10.0.0.7 port ⟨n 5⟩ ssh2: ED25519 SHA256:⟨b64 43⟩",
        "prompt": "[sudo] password for ada: \nSorry, try again.",
        "login hint": "Username for 'https://github.com': ada\nPassword for 'https://ada@github.com': ",
        "mysql denied": "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
        "npm audit": "jsonwebtoken  <=8.5.1\nSeverity: moderate\nunrestricted key type could lead to legacy keys usage",
        "help text": "  -p, --password <password>  Password of the user\n  -t, --token <token>        API "
        "token\n      --key-file <path>      Private key",
        "help text docker": "Usage:  docker login [OPTIONS] [SERVER]\n  -p, --password string   Password\n"
        "      --password-stdin    Take the password from stdin",
        "man page": "PGPASSWORD behaves the same as the password connection parameter.",
        "pytest ids": "tests/test_auth.py::test_password_is_hashed[sha256-⟨n 3⟩] PASSED",
        "test failure": "E   AssertionError: assert 'token' == 'secret'\nE     - secret\nE     + token",
        "mypy": 'src/auth.py:⟨n 2⟩: error: Argument "password" to "login" has incompatible type "int"; expected "str"',
        "ruff": 'src/app.py:⟨n 2⟩:12: S105 Possible hardcoded password assigned to: "token_url"',
        "python traceback": 'File "/app/auth/token.py", line ⟨n 3⟩, in refresh_token\n'
        "    token = self.client.refresh(self.refresh_token)\nKeyError: 'access_token'",
        "java stack trace": "java.lang.IllegalStateException: no password\n\tat io.acme.auth.PasswordEncoder.enc"
        "ode(PasswordEncoder.java:⟨n 2⟩)",
        "node stack trace": "TypeError: Cannot read properties of undefined (reading 'token')\n"
        "    at getToken (/app/src/auth/token.js:⟨n 2⟩:15)",
        "rust panic": "thread 'main' panicked at src/secret.rs:⟨n 2⟩:9:\ncalled `Option::unwrap()` on a `None` value",
        "go panic": "goroutine 1 [running]:\nmain.parseToken({0xc000⟨hex 6⟩, 0x⟨hex 2⟩})\n"
        "\t/app/token.go:⟨n 2⟩ +0x⟨hex 3⟩",
        "ls": "-rw------- 1 ada ada ⟨n 4⟩ Mar  3 10:00 id_rsa\n-rw-r--r-- 1 ada ada 563 Mar  3 10:00 passwords.kdbx",
        "grep result": "src/auth.py:⟨n 2⟩:    if not password or len(password) < MIN_PASSWORD_LENGTH:",
        "find result": "./src/secrets/mod.rs\n./src/auth/token_store.rs\n./tests/fixtures/keys/public.pem",
        "etc passwd": "ada:x:1000:1000:Ada:/home/ada:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin",
        "passwd status": "⟨user⟩ P ⟨day⟩ 0 99999 7 -1",
        "env of a shell": "SSH_AUTH_SOCK=/run/user/1000/keyring/ssh\nGPG_AGENT_INFO=/run/gpg:0:1\nXDG_SESSION_ID=⟨n 2⟩",
        "printed mask": "API_KEY: [REDACTED]\nPASSWORD: <hidden>\nTOKEN: (sensitive value)",
        "terraform mask": "  + password = (sensitive value)\n  + secret   = (known after apply)",
        "github mask": "env:\n  NPM_TOKEN: ***\n  DEPLOY_KEY: ***",
        # Prose.
        "prose question": "Where is the API key read? I think the token comes from the keyring.",
        "prose plan": "1. Hash the password with argon2\n2. Store the refresh token in the database\n"
        "3. Rotate the signing key",
        "prose definition": "The password is stored as a salted hash, and the secret is never logged.",
        "prose names": "Rename `secretKey` to `signingKey` and `password` to `passphrase` in config.ts.",
        "prose advice": "Use a password manager: your password should be long, random and unique.",
        "prose German": "Das Passwort ist mindestens zwölf Zeichen lang und wird nie gespeichert.",
        "prose key": "The key: smaller functions. The secret is good naming. Token by token, we go on.",
        "cookie consent": "We use cookies. consent=accepted; theme=dark; cookie_policy_version=3",
        "cookie attributes": "Set-Cookie: theme=dark; Path=/; HttpOnly; Secure; SameSite=Lax",
        "git branch": "feature/password-reset-token\nfix/JIRA-⟨n 4⟩-api-key-header",
        "url of docs": "https://docs.acme.io/authentication/api-keys#rotating-a-secret-key",
        "url with paging": "https://api.acme.io/items?page=2&per_page=50&sort=key&order=asc",
        "url of a tracker": "https://acme.io/?utm_source=mail&utm_campaign=token_launch&fbclid=⟨url 61⟩",
        "markdown anchor": "[Secrets](#secrets) · [Tokens](#token-types) · [Passwords](#password-policy)",
        "keyboard": "key: Enter, keyCode: 13, primary key: id, foreign key: user_id, key=lambda x: x[1]",
        "sort key": 'sorted(rows, key=itemgetter("token"))\nmap.get(key) ?? defaultValue',
        "css tokens": "--token-color-primary: #⟨hex 6⟩;\n--key-width: 2.5rem;",
        "design tokens": '{"tokens": {"color-brand": "#⟨hex 6⟩", "space-4": "16px"}}',
        "nlp tokens": "tokens = ['the', 'secret', 'garden', '##ing'] ids = [101, ⟨n 4⟩, ⟨n 4⟩, 102]",
        "regexp of a secret": r"PATTERN = re.compile(r'(?i)(password|token)\s*[:=]\s*\S{8,}')",
    }
)

STRICT = frozenset(UUIDS | GIT_HASHES | LOCKFILES | MINIFIED)
