# ccship with nixpkgs' Python packages, and with those of the lock that nixpkgs lacks or has too old to work with.
{
  lib,
  fetchurl,
  python3,
}:
let
  plugin = builtins.fromJSON (builtins.readFile ../.claude-plugin/plugin.json);
  lock = builtins.fromTOML (builtins.readFile ../uv.lock);

  # The wheel that the lock names, with what it needs of nixpkgs whatever its version.
  fromLock =
    name: dependencies:
    let
      locked = lib.findFirst (it: it.name == name) (throw "uv.lock has no ${name}") lock.package;
      wheel = builtins.head locked.wheels;
    in
    python3.pkgs.buildPythonPackage {
      pname = name;
      inherit (locked) version;
      inherit dependencies;
      format = "wheel";
      src = fetchurl {
        inherit (wheel) url;
        sha256 = lib.removePrefix "sha256:" wheel.hash;
      };
      pythonRelaxDeps = true;
    };

  httpcore2 = fromLock "httpcore2" (
    with python3.pkgs;
    [
      h11
      truststore
    ]
  );

  httpx2 = fromLock "httpx2" (
    with python3.pkgs;
    [
      anyio
      httpcore2
      idna
      truststore
      typing-extensions
    ]
  );

  genai-prices = fromLock "genai-prices" [
    httpx2
    python3.pkgs.pydantic
  ];

  langfuse = fromLock "langfuse" (
    with python3.pkgs;
    [
      backoff
      httpx
      opentelemetry-api
      opentelemetry-exporter-otlp-proto-http
      opentelemetry-sdk
      packaging
      pydantic
      typing-extensions
      wrapt
    ]
  );

  application = python3.pkgs.buildPythonApplication {
    pname = "ccship";
    inherit (plugin) version;
    pyproject = true;

    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../LICENSE
        ../README.md
        ../pyproject.toml
        ../src
      ];
    };

    build-system = [ python3.pkgs.hatchling ];

    dependencies = [
      genai-prices
      langfuse
    ]
    ++ (with python3.pkgs; [
      filelock
      gitpython
      httpx
      msgspec
      opentelemetry-exporter-otlp-proto-common
      opentelemetry-sdk
      orjson
      platformdirs
      pydantic
      rich
      typer
    ]);

    pythonRelaxDeps = true;
    pythonImportsCheck = [ "ccship.worker" ];

    # The hook starts its worker with the Python that runs it, which must know all of the above.
    passthru.hookCommand = "${environment}/bin/python3 -I -S ${environment}/${python3.sitePackages}/ccship/hook.py || exit 0";

    meta = {
      inherit (plugin) description homepage;
      license = lib.licenses.mit;
      mainProgram = "ccship";
    };
  };

  environment = python3.withPackages (_: [ (python3.pkgs.toPythonModule application) ]);
in
application
