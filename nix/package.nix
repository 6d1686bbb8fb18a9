# ccship with nixpkgs' own Python packages.
{ lib, python3 }:
let
  plugin = builtins.fromJSON (builtins.readFile ../.claude-plugin/plugin.json);

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

    dependencies = with python3.pkgs; [
      filelock
      genai-prices
      gitpython
      httpx
      langfuse
      msgspec
      opentelemetry-exporter-otlp-proto-common
      opentelemetry-sdk
      orjson
      platformdirs
      pydantic
      rich
      typer
    ];

    # Behind PyPI in nixpkgs. ccship says so itself where one is too old to work with.
    pythonRelaxDeps = [
      "genai-prices"
      "langfuse"
    ];

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
