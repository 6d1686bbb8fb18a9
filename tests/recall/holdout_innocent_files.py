"""Files without any secret that look as if they had one: the second half of `holdout_innocent`."""

FILES = {
    # Code and configuration about secrets that has none.
    "auth.py getpass": 'password = getpass.getpass("Password: ")\ntoken = request.headers.get("Authorization")',
    "auth.py from environment": 'SECRET_KEY = os.environ["SECRET_KEY"]\nAPI_TOKEN = os.getenv("API_TOKEN")',
    "auth.py call": "password = generate_password(length=32)\nsecret = secrets.token_urlsafe(32)\n"
    "key = Fernet.generate_key()",
    "auth.py types": "class Login(BaseModel):\n    password: SecretStr\n    api_key: str | None = None\n"
    "    token: Token",
    "auth.py parameters": "def login(user: str, password: str, *, token: str | None = None) -> Session:\n"
    "    return Session(user, password=password)",
    "auth.py docstring": '"""Check the password.\n\n    password: The password in clear text, at least 12 '
    'characters.\n    token: Bearer token as issued by /login.\n    """',
    "auth.py attribute": "self.password = password\nself.api_key = config.api_key\nself._token = None",
    "auth.py empty": "password = \"\"\nAPI_KEY = None\nsecret = ''",
    "auth.py message": 'raise ValueError("password must not be empty")\nlogger.info("token expired, refreshing")',
    "auth.py field names": 'fields = ("username", "password", "token", "secret_key")\nPASSWORD_FIELD = "password"',
    "auth.py header name": 'API_KEY_HEADER = "X-Api-Key"\nTOKEN_URL = "/oauth/token"\nAUTH_SCHEME = "Bearer"',
    "auth.py assertion": 'assert response.json()["token"] == user.token\nassert "password" not in response.text',
    "auth.py comparison": "if token is None or not hmac.compare_digest(token, expected):\n    return False",
    "auth.py f-string": 'headers = {"Authorization": f"Bearer {token}", "X-Api-Key": settings.api_key}',
    "auth.ts type": "interface Credentials {\n  username: string;\n  password: string;\n  refreshToken?: string;\n}",
    "auth.ts process.env": "const apiKey = process.env.API_KEY!;\nconst secret = config.get<string>('jwt.secret');",
    "auth.ts template": "headers: { Authorization: `Bearer ${accessToken}`, 'x-api-key': apiKey },",
    "auth.ts validation": "password: z.string().min(8).max(72),\napiKey: z.string().optional(),",
    "auth.ts hook": "const [password, setPassword] = useState('');\nconst { token, refreshToken } = useAuth();",
    "Login.tsx": '<input type="password" name="password" placeholder="Password" autoComplete="new-password" />',
    "Auth.java": "private String password;\npublic String getPassword() { return password; }\n"
    '@Value("${app.secret}") String secret;',
    "auth.go": 'Password string `json:"password,omitempty"`\ntoken := os.Getenv("API_TOKEN")\nif password == "" {',
    "auth.rs": 'pub password: Secret<String>,\nlet token = env::var("API_TOKEN")?;\n'
    "let key = SigningKey::generate(&mut rng);",
    "auth.c": 'char password[64];\nif (strcmp(token, "end") == 0) { parse_token(lexer, TOKEN_IDENTIFIER); }',
    "auth.cs": "public string Password { get; set; }\nvar token = await GetTokenAsync(cancellationToken);",
    "auth.rb": "has_secure_password\nvalidates :password, length: { minimum: 12 }\n"
    "params.require(:user).permit(:email, :password)",
    "auth.php": "$password = $_POST['password'] ?? '';\n$hash = password_hash($password, PASSWORD_DEFAULT);",
    "auth.swift": 'let token = try keychain.get("access_token")\nvar password: String { textField.text ?? "" }',
    "auth.sh": 'read -rs PASSWORD\nTOKEN=$(cat /run/secrets/token)\nexport API_KEY="${API_KEY:?not set}"',
    "auth.sh command substitution": 'PGPASSWORD="$(vault kv get -field=password secret/db)" psql -h db -U app',
    "auth.ps1": "$Password = Read-Host -AsSecureString\n$env:API_TOKEN = $Token",
    "lexer.py tokens": 'TOKEN = re.compile(r"[A-Za-z_]\\w*")\ntokens = [Token("NAME", "secret"), Token("OP", "=")]',
    ".env.example": "API_KEY=\nSECRET_KEY=<your-secret-key>\nDB_PASSWORD=changeme\nJWT_SECRET=your-jwt-secret-here",
    ".env.example braces": "OPENAI_API_KEY=sk-...\nSTRIPE_SECRET_KEY=sk_test_xxxxxxxxxxxx\nTOKEN=${TOKEN}",
    ".env.example words": "API_TOKEN=replace-me\nPASSWORD=********\nAPI_SECRET=TODO",
    ".env urls": "API_URL=https://api.acme.io/v1\nTOKEN_ENDPOINT=https://login.acme.io/oauth2/token\nTOKEN_TTL=3600",
    ".env switches": "PASSWORD_RESET_ENABLED=true\nREQUIRE_API_KEY=false\nSECRET_ROTATION_DAYS=90\nTOKEN_TYPE=bearer",
    ".env paths": "SSL_KEY_FILE=/etc/ssl/private/server.key\nPASSWORD_FILE=/run/secrets/db_password\n"
    "KEY_PATH=./keys/jwt.pem",
    "config.yaml references": "password: ${DB_PASSWORD}\ntoken: $(API_TOKEN)\nsecretKey: {{ .Values.secretKey }}"
    "\napi_key: !vault secret/api",
    "config.yaml secretKeyRef": "valueFrom:\n  secretKeyRef:\n    name: app-secret\n    key: db-password",
    "config.yaml placeholders": "password: <password>\napiKey: YOUR_API_KEY\ntoken: xxx\nsecret: null",
    "config.yaml limits": "max_tokens: 4096\ntoken_limit: 128000\npassword_min_length: 12\nkey_size: 2048",
    "workflow.yml": "      env:\n        NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n        PASSWORD: ${{ "
    "secrets.DB_PASSWORD }}",
    "main.tf references": 'password = var.db_password\ntoken    = data.vault_generic_secret.app.data["token"]\n'
    "secret_id = aws_secretsmanager_secret.db.id",
    "main.tf variable": 'variable "db_password" {\n  type      = string\n  sensitive = true\n}',
    "config.json schema": '{"password": {"type": "string", "minLength": 8, "format": "password"}, "required": '
    '["password"]}',
    "openapi.yaml": "securitySchemes:\n  apiKey:\n    type: apiKey\n    name: X-API-Key\n    in: header\n"
    "  bearerAuth:\n    scheme: bearer",
    "settings.json": '{"editor.tokenColorCustomizations": {}, "git.path": null, "files.exclude": '
    '{"**/.secrets": true}}',
    "app.properties": "spring.datasource.password=${DB_PASSWORD}\nserver.ssl.key-alias=tomcat\njwt.expiration=86400000",
    "app.properties empty": "db.password=\nmail.smtp.auth=true\nsecurity.token.header=X-Auth",
    "schema.sql": "CREATE TABLE users (\n  id uuid PRIMARY KEY,\n  password_hash text NOT NULL,\n"
    "  api_token varchar(64) UNIQUE\n);",
    "schema.sql password column": "ALTER TABLE users ADD COLUMN password VARCHAR(255) NOT NULL;\n"
    "SELECT login, password FROM users WHERE token = ?;",
    "schema.sql parameter": "INSERT INTO users (login, password) VALUES (:login, :password);\n"
    "CREATE USER app IDENTIFIED BY ?;",
    "schema.prisma model": "model User {\n  id       String @id @default(uuid())\n  password String\n"
    "  apiKeys  ApiKey[]\n}",
    "models.py": "password = models.CharField(max_length=128)\ntoken = models.ForeignKey(Token, on_delete=CASCADE)",
    "proto.proto": "message LoginRequest {\n  string username = 1;\n  string password = 2;\n  bytes key = 3;\n}",
    "schema.graphql": "input LoginInput {\n  password: String!\n  token: ID\n}",
    "README.md variables": "| Variable | Meaning |\n|---|---|\n| `API_KEY` | Key of the API, required |\n"
    "| `DB_PASSWORD` | Password of the database |",
    "README.md usage": "Set `ANTHROPIC_API_KEY` to your key, then run `app --token <token>`.",
    "README.md curl": 'curl -H "Authorization: Bearer $TOKEN" -u "$USER:$PASSWORD" https://api.acme.io/v1',
    "README.md url": "postgres://user:password@localhost:5432/app\nredis://localhost:6379/0\n"
    "https://<user>:<token>@git.acme.io/app.git",
    "README.md advice": "Never commit passwords, tokens or private keys. Rotate the secret key every 90 days.",
    "CHANGELOG.md": "- The password reset token now expires after 15 minutes (#⟨n 4⟩)\n"
    "- `--token` reads from standard input",
    "Dockerfile": "ARG NPM_TOKEN\nENV KEYCLOAK_VERSION=24.0.1\nRUN --mount=type=secret,id=npm_token npm ci",
    "Dockerfile digest": "FROM python:3.12-slim@sha256:⟨hex 64⟩ AS build",
    "Makefile": "deploy:\n\t@test -n \"$(API_TOKEN)\" || (echo 'API_TOKEN is not set'; exit 1)",
    "flake.nix": 'hash = "sha256-⟨b64 43⟩=";\nvendorHash = "sha256-⟨b64 43⟩=";\nrev = "⟨hex 40⟩";',
    "default.nix": 'sha256 = "0⟨low 51⟩";\nsha256 = lib.fakeSha256;',
    "PKGBUILD": "sha256sums=('⟨hex 64⟩'\n            'SKIP')\nvalidpgpkeys=('⟨HEX 40⟩')",
    "formula.rb": 'url "https://github.com/acme/app/archive/v1.2.0.tar.gz"\nsha256 "⟨hex 64⟩"',
    "index.html": '<script src="https://cdn.acme.io/x.js" integrity="sha384-⟨b64 64⟩" '
    'crossorigin="anonymous"></script>',
    "image.css": "background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA⟨b64 200⟩==);",
    "icon.svg": '<svg viewBox="0 0 24 24"><path fill="#⟨hex 6⟩" d="M3 5v14h18V5zm2 2h14v⟨n 2⟩l-4-4z"/></svg>',
    "style.css": ".token.keyword { color: #⟨hex 6⟩; }\ninput[type=password] { letter-spacing: 0.2em; }",
    "notebook.ipynb": '"image/png": "iVBORw0KGgoAAAANSUhEUgAA⟨b64 160⟩\\n"',
    "id_ed25519.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI⟨b64 43⟩ ada@laptop",
    "authorized_keys": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ⟨b64 340⟩ ci@acme",
    "known_hosts": "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI⟨b64 43⟩\n|1|⟨b64 27⟩=|⟨b64 27⟩= "
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI⟨b64 43⟩",
    "server.crt": "-----BEGIN CERTIFICATE-----\n⟨b64 64⟩\n⟨b64 64⟩\n⟨b64 40⟩==\n-----END CERTIFICATE-----",
    "public.pem": "-----BEGIN PUBLIC KEY-----\n⟨b64 64⟩\n⟨b64 64⟩\n⟨b64 16⟩==\n-----END PUBLIC KEY-----",
    "key.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n⟨b64 64⟩\n⟨b64 64⟩\n=⟨b64 4⟩\n"
    "-----END PGP PUBLIC KEY BLOCK-----",
    "server.csr": "-----BEGIN CERTIFICATE REQUEST-----\n⟨b64 64⟩\n⟨b64 20⟩==\n-----END CERTIFICATE REQUEST-----",
    "jwks.json": '{"kty":"RSA","use":"sig","kid":"⟨url 16⟩","n":"⟨url 342⟩","e":"AQAB"}',
    "wg0.conf peer": "[Peer]\nPublicKey = ⟨b64 43⟩=\nEndpoint = vpn.acme.io:51820",
    "tests.py parametrized": '@pytest.mark.parametrize("token", ["", "abc", "a.b.c"])\n'
    "def test_malformed_token_is_refused(token: str) -> None:",
    "snapshot.snap": 'exports[`renders the password form 1`] = `<input type="password" id="input-⟨n 2⟩" />`;',
    "dump.ldif": "dn: uid=ada,ou=people,dc=acme,dc=io\nobjectClass: inetOrgPerson\nuidNumber: ⟨n 5⟩",
    "messages.properties": "login.password=Password\nlogin.password.hint=At least 12 characters\n"
    "token.invalid=The token is not valid",
    "robots.txt": "User-agent: *\nDisallow: /password-reset/\nDisallow: /api/token",
}
