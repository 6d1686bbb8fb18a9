# ccship as uv runs it: the versions that its lock names, fetched from PyPI at the first run and offline from then on.
{
  lib,
  python3,
  runCommand,
  uv,
  writeShellScript,
}:
let
  plugin = builtins.fromJSON (builtins.readFile ../.claude-plugin/plugin.json);

  # The script names its package as `..`, so both lie in one directory.
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
  environment = "UV_PYTHON=${python3}/bin/python3 UV_PYTHON_DOWNLOADS=never";

  # The command line, in the environment that uv keeps for the script.
  ccship = writeShellScript "ccship" ''
    set -e
    export ${environment}
    ${uv}/bin/uv sync --quiet --frozen --script ${script}
    exec "$(${uv}/bin/uv python find --script ${script})" -m ccship "$@"
  '';
in
runCommand "ccship-script-${plugin.version}"
  {
    passthru = {
      inherit source;
      hookCommand = "${environment} ${uv}/bin/uv run --quiet --frozen --script ${script} || exit 0";
    };

    meta = {
      inherit (plugin) description homepage;
      license = lib.licenses.mit;
      mainProgram = "ccship";
    };
  }
  ''
    mkdir -p $out/bin
    ln -s ${ccship} $out/bin/ccship
  ''
