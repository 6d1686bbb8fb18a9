# ccship as uv runs it: the versions that its lock names, fetched from PyPI at the first run and offline from then on.
{
  lib,
  python3Packages,
  runCommand,
  uv,
  writeShellScript,
}:
let
  plugin = lib.importJSON ../.claude-plugin/plugin.json;

  # The script names its package as `..`, so both are in one directory.
  source = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../README.md
      ../hooks/ccship_hook.py
      ../hooks/ccship_hook.py.lock
      ../pyproject.toml
      ../src
    ];
  };

  script = "${source}/hooks/ccship_hook.py";

  # Python would write its bytecode beside the source, into the store where it may.
  environment = lib.concatStringsSep " " [
    "UV_PYTHON=${python3Packages.python.interpreter}"
    "UV_PYTHON_DOWNLOADS=never"
    ''PYTHONPYCACHEPREFIX="''${XDG_CACHE_HOME:-$HOME/.cache}/ccship/bytecode"''
  ];

  hookCommand = "${environment} ${uv}/bin/uv run --quiet --frozen --script ${script} || exit 0";

  # The command line, in the environment that uv keeps for the script. With `ccship_hook`, it registers and checks the
  # same command as the module.
  program = writeShellScript "ccship" ''
    set -e
    export ${environment}
    ${uv}/bin/uv sync --quiet --frozen --script ${script}
    exec "$(${uv}/bin/uv python find --script ${script})" -P ${lib.escapeShellArg "-Xccship_hook=${hookCommand}"} -m ccship "$@"
  '';
in
runCommand "ccship-script-${plugin.version}"
  {
    passthru = {
      inherit hookCommand program source;
    };

    meta = {
      inherit (plugin) description homepage;
      changelog = "${plugin.homepage}/blob/main/CHANGELOG.md";
      license = lib.licenses.mit;
      mainProgram = "ccship";
    };
  }
  ''
    mkdir -p $out/bin
    ln -s ${program} $out/bin/ccship
  ''
