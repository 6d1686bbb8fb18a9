# As much of nixpkgs as the packages, the module and the checks use. Derivations evaluate to ones that nobody builds.
{ system, lib }:
let
  stub =
    name: more:
    derivation {
      inherit name system;
      builder = "/bin/sh";
      args = [
        "-c"
        "exit 1"
      ];
    }
    // {
      inherit name;
    }
    // more;

  # Nothing is built, but all that a build would need is looked at.
  build =
    it:
    let
      needed = [ "${it.src}" ] ++ map (other: other.drvPath) (it.dependencies ++ it.build-system or [ ]);
    in
    builtins.deepSeq needed (
      stub "${it.pname}-${it.version}" (
        it.passthru or { }
        // {
          inherit (it) dependencies pname;
          meta = it.meta or { };
          source = it.src;
        }
      )
    );

  python3 = stub "python3" {
    sitePackages = "lib/python3.13/site-packages";
    withPackages = packages: builtins.seq (packages python3.pkgs) (stub "python3-env" { });
    pkgs =
      lib.genAttrs [
        "anyio"
        "backoff"
        "filelock"
        "gitpython"
        "h11"
        "hatchling"
        "httpx"
        "idna"
        "msgspec"
        "opentelemetry-api"
        "opentelemetry-exporter-otlp-proto-common"
        "opentelemetry-exporter-otlp-proto-http"
        "opentelemetry-sdk"
        "orjson"
        "packaging"
        "platformdirs"
        "pydantic"
        "rich"
        "truststore"
        "typer"
        "typing-extensions"
        "wrapt"
      ] (name: stub name { pname = name; })
      // {
        buildPythonApplication = build;
        buildPythonPackage = build;
        toPythonModule = it: it;
      };
  };

  # What the stub of lib has as one type; of the real one it is made as nixpkgs makes it.
  value =
    lib.types.json or (
      with lib.types;
      nullOr (oneOf [
        bool
        int
        float
        str
        path
        (attrsOf value)
        (listOf value)
      ])
      // {
        description = "JSON or TOML value";
      }
    );

  format = _: {
    type = value;
    generate = name: value: stub name { inherit value; };
  };

  pkgs = {
    inherit lib python3;
    stdenv.hostPlatform = {
      inherit system;
      isDarwin = builtins.match ".*-darwin" system != null;
    };
    callPackage =
      file: more:
      let
        f = import file;
      in
      f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // more);
    fetchurl = it: stub (baseNameOf it.url) { inherit (it) sha256 url; };
    formats = {
      json = format;
      toml = format;
    };
    runCommand =
      name: more: script:
      builtins.seq script (stub name (more.passthru or { } // { meta = more.meta or { }; }));
    writeShellScript = name: text: builtins.seq text (stub name { });
    mkShellNoCC = _: stub "shell" { };
    claude-code = stub "claude-code-2.1.329" { version = "2.1.329"; };
    git = stub "git" { };
    nixfmt = stub "nixfmt" { };
    nixfmt-tree = stub "nixfmt-tree" { meta.mainProgram = "treefmt"; };
    nodejs = stub "nodejs" { };
    uv = stub "uv" { };
  };
in
pkgs
