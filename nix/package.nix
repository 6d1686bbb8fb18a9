# ccship with the Python packages of nixpkgs; where nixpkgs has none, or one of a version that ccship does not accept,
# with the wheel that uv.lock names.
{
  lib,
  fetchurl,
  gitMinimal,
  python3Packages,
  runCommand,
  versionCheckHook,
  writeShellScript,
}:
let
  plugin = lib.importJSON ../.claude-plugin/plugin.json;
  lock = lib.importTOML ../uv.lock;

  lockedOf =
    name: lib.findFirst (package: package.name == name) (throw "uv.lock has no ${name}") lock.package;

  bounds = builtins.listToAttrs (
    map (it: lib.nameValuePair it.name it.specifier) (lockedOf "ccship").metadata.requires-dist
  );

  # Whether a version is within `>=1.2,<3`.
  isWithin =
    specifier: version:
    lib.all (
      bound:
      let
        parts = builtins.match "(>=|<)([0-9.]+)" bound;
        limit = lib.last parts;
      in
      if parts == null then
        throw "nix/package.nix cannot read the version bound ${bound} of uv.lock"
      else if lib.head parts == ">=" then
        lib.versionAtLeast version limit
      else
        lib.versionOlder version limit
    ) (lib.splitString "," specifier);

  # A package that is broken, or disabled for this Python, throws when it is evaluated.
  isUsable =
    name:
    let
      package = python3Packages.${name};
      attempt = builtins.tryEval (builtins.seq package.drvPath package.version);
    in
    python3Packages ? ${name}
    && attempt.success
    && (!bounds ? ${name} || isWithin bounds.${name} attempt.value);

  select = name: if isUsable name then python3Packages.${name} else fromLock name;

  dependenciesOf =
    locked:
    map (it: select it.name) (
      builtins.filter (it: !lib.hasInfix "== 'emscripten'" it.marker or "") locked.dependencies or [ ]
    );

  fromLock =
    name:
    let
      locked = lockedOf name;
      wheel =
        lib.findFirst (wheel: lib.hasSuffix "-none-any.whl" wheel.url)
          (throw "nixpkgs has no ${name} ${bounds.${name} or ""}, and uv.lock has no wheel of it for every platform")
          locked.wheels;
    in
    python3Packages.buildPythonPackage {
      pname = name;
      inherit (locked) version;
      format = "wheel";
      src = fetchurl {
        inherit (wheel) url;
        sha256 = lib.removePrefix "sha256:" wheel.hash;
      };
      dependencies = dependenciesOf locked;
      # httpx2 demands one version of httpcore2; what nixpkgs has is tried by the tests below.
      pythonRelaxDeps = true;
    };

  application = python3Packages.buildPythonApplication {
    pname = "ccship";
    inherit (plugin) version;
    pyproject = true;

    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../LICENSE
        ../README.md
        ../fixtures
        ../pyproject.toml
        ../src
        (lib.fileset.fileFilter (file: file.hasExt "py") ../tests)
      ];
    };

    build-system = [ python3Packages.hatchling ];

    dependencies = dependenciesOf (lockedOf "ccship");

    # All that is loaded when something is sent: the SDK only then.
    pythonImportsCheck = [
      "ccship.budgets.check"
      "ccship.cli.app"
      "ccship.cli.backfill"
      "ccship.sinks.langfuse"
      "ccship.sinks.otlp_file"
      "ccship.worker.main"
      "filelock"
      "genai_prices.data_snapshot"
      "httpcore"
    ];

    nativeCheckInputs = [
      gitMinimal
      python3Packages.hypothesis
      python3Packages.pytest-timeout
      python3Packages.pytest-xdist
      python3Packages.pytestCheckHook
      versionCheckHook
    ];

    enabledTestPaths = [
      "tests/observations/test_golden.py"
      "tests/observations/test_recorded_ids.py"
      "tests/pipeline/test_subagents.py"
      "tests/sinks/test_delivery.py"
      "tests/transcript/test_calls.py"
      "tests/transcript/test_turns.py"
    ];

    # The tests send to a server on the loopback interface.
    __darwinAllowLocalNetworking = true;

    inherit meta;
  };

  meta = {
    inherit (plugin) description homepage;
    changelog = "${plugin.homepage}/blob/main/CHANGELOG.md";
    license = lib.licenses.mit;
    mainProgram = "ccship";
  };

  # What is installed: the command line of an application, whose processes find all of its dependencies.
  package =
    application:
    let
      # The hook and the command line start processes with the Python that runs them, so it must have the dependencies.
      environment = python3Packages.python.withPackages (_: [
        (python3Packages.toPythonModule application)
      ]);
      hookCommand = "${environment}/bin/python3 -I -S ${environment}/${python3Packages.python.sitePackages}/ccship/hook.py || exit 0";

      # With `ccship_hook`, the command line registers and checks the same command as the module.
      program = writeShellScript "ccship" ''
        exec ${environment}/bin/python3 -P ${lib.escapeShellArg "-Xccship_hook=${hookCommand}"} -m ccship "$@"
      '';
    in
    runCommand "ccship-${application.version}"
      {
        inherit meta;
        passthru = {
          inherit application hookCommand program;
        };
      }
      ''
        mkdir -p $out/bin
        ln -s ${program} $out/bin/ccship
      ''
    // {
      # A patch is meant for the application, and the hook runs that.
      overrideAttrs = change: package (application.overrideAttrs change);
    };
in
package application
