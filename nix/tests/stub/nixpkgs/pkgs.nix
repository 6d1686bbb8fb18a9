# As much of nixpkgs as the packages, the module, the checks and home-manager use. Derivations evaluate to ones that
# nobody builds.
{
  system,
  lib,
  # Versions of Python packages by name; null for one that is not there.
  versions ? { },
}:
let
  # `inputs`: what it is built of, so that another one of the same name is another derivation.
  stubOf =
    inputs: name: more:
    derivation {
      inherit name system;
      inputs = map builtins.unsafeDiscardStringContext inputs;
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
  stub = stubOf [ ];

  # Nothing is built, but all that a build would need is evaluated.
  build =
    it:
    let
      needed = map (other: other.drvPath) (
        it.dependencies ++ it.build-system or [ ] ++ it.nativeCheckInputs or [ ]
      );
    in
    stubOf ([ "${it.src}" ] ++ needed) "${it.pname}-${it.version}${it.suffix or ""}" {
      inherit (it) dependencies pname version;
      meta = it.meta or { };
      source = it.src;
      pythonImportsCheck = it.pythonImportsCheck or [ ];
      enabledTestPaths = it.enabledTestPaths or [ ];
      overrideAttrs = change: build (it // change);
    };

  # A nixpkgs of the summer of 2026.
  there = {
    ahocorasick-rs = "1.0.3";
    anyio = "4.12.1";
    backoff = "2.2.1";
    filelock = "3.20.3";
    genai-prices = "0.0.71";
    h11 = "0.16.0";
    hatchling = "1.28.0";
    httpcore2 = "2.9.1";
    httpx = "0.28.1";
    httpx2 = "2.9.1";
    hypothesis = "6.150.0";
    idna = "3.11";
    langfuse = "4.0.2";
    msgspec = "0.20.0";
    opentelemetry-api = "1.40.0";
    opentelemetry-exporter-otlp-proto-common = "1.40.0";
    opentelemetry-exporter-otlp-proto-http = "1.40.0";
    opentelemetry-sdk = "1.40.0";
    orjson = "3.11.7";
    packaging = "26.0";
    platformdirs = "4.5.1";
    pydantic = "2.12.5";
    pytest-timeout = "2.4.0";
    pytest-xdist = "3.8.0";
    pytestCheckHook = "0";
    rich = "14.2.0";
    truststore = "0.10.4";
    typer = "0.21.1";
    typing-extensions = "4.15.0";
    wrapt = "2.0.1";
  };

  pythonPackage =
    name: version:
    if version == "broken" then
      throw "${name} is marked as broken"
    else
      stub name {
        pname = name;
        inherit version;
      };

  python3 = stub "python3" {
    sitePackages = "lib/python3.13/site-packages";
    interpreter = "${stub "python3" { }}/bin/python3";
    withPackages = select: stubOf (map (it: it.drvPath) (select null)) "python3-env" { };
  };

  python3Packages =
    lib.mapAttrs pythonPackage (lib.filterAttrs (_: it: it != null) (there // versions))
    // {
      buildPythonApplication = build;
      buildPythonPackage = build;
      python = python3;
      toPythonModule = it: it;
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
        description = "JSON value";
      }
    );

  format = _: {
    type = value;
    lib.types.atom = value;
    generate = name: value: stub name { inherit value; };
  };

  platform = {
    inherit system;
    isDarwin = builtins.match ".*-darwin" system != null;
    isLinux = builtins.match ".*-linux" system != null;
  };

  pkgs = {
    inherit lib python3 python3Packages;
    # What home-manager imports from nixpkgs by its path.
    path = ./.;
    # home-manager up to 26.05 asks stdenv itself.
    stdenv = platform // {
      hostPlatform = platform;
    };
    callPackage =
      file: more:
      let
        f = import file;
      in
      f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // more);
    fetchurl = it: stub (baseNameOf it.url) { inherit (it) sha256 url; };
    formats = lib.genAttrs [
      "configobj"
      "gitIni"
      "hocon"
      "ini"
      "iniWithGlobalSection"
      "javaProperties"
      "json"
      "keyValue"
      "libconfig"
      "lua"
      "plist"
      "toml"
      "xml"
      "yaml"
      "yaml_1_1"
      "yaml_1_2"
    ] (_: format);
    runCommand =
      name: more: script:
      builtins.seq script (
        stub name (
          more.passthru or { }
          // {
            meta = more.meta or { };
            inherit script;
          }
        )
      );
    writeTextFile = { name, text, ... }: stub name { inherit text; };
    writeShellScript = name: text: stub name { inherit text; };
    # A test reads it from the store.
    writeText = builtins.toFile;
    mkShellNoCC = _: stub "shell" { };
  }
  // lib.genAttrs [
    "git"
    "gitMinimal"
    "nixfmt"
    "nodejs"
    "uv"
    "versionCheckHook"
  ] (name: stub name { })
  // {
    glibcLocales = stub "glibc-locales-2.42" { version = "2.42"; };
    claude-code = stub "claude-code-2.1.329" { version = "2.1.329"; };
    nixfmt-tree = stub "nixfmt-tree" { meta.mainProgram = "treefmt"; };
  };
in
pkgs
