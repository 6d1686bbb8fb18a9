# The home-manager module `programs.ccship`.
#
# It never writes Claude Code's settings.json itself: it joins `programs.claude-code.settings`, or links a plugin.
# It never reads a secret: it is told the paths of files that ccship reads when it runs.
{ packagesOf }:
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (pkgs.stdenv.hostPlatform) isDarwin;

  cfg = config.programs.ccship;
  plugin = builtins.fromJSON (builtins.readFile ../.claude-plugin/plugin.json);
  toml = pkgs.formats.toml { };

  hasClaudeCode = options.programs ? claude-code;
  claudeCode = if hasClaudeCode then config.programs.claude-code else { enable = false; };

  path =
    what:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Path of a file that holds ${what}, read when ccship runs; `~` and `$VARIABLES` are expanded.";
    };

  quoted = text: "\"${lib.escape [ "\\" "\"" "`" ] text}\"";

  # In a subshell, for a file that the shell cannot read ends the shell, and with 2, which Claude Code obeys.
  withEnvironmentFile =
    file: command:
    let
      homeless = lib.removePrefix "~/" file;
      place = if homeless == file then file else "$HOME/${homeless}";
    in
    "(set -a; . ${quoted place}; set +a; ${command}) || exit 0";

  hookCommand =
    cfg.package.hookCommand
      or (throw "programs.ccship.package is ${cfg.package.name}: take ccship or ccship-script of this flake.");

  command =
    if cfg.environmentFile == null then
      hookCommand
    else
      withEnvironmentFile cfg.environmentFile hookCommand;

  file =
    cfg.settings
    // lib.filterAttrs (_: value: value != null) {
      public_key_file = cfg.publicKeyFile;
      secret_key_file = cfg.secretKeyFile;
    };

  folder = "${cfg.configDir}/skills/ccship";
  configFile = toml.generate "ccship-config.toml" file;

  tables = [ cfg.settings ] ++ (cfg.settings.destinations or [ ]);
  isSecret = value: builtins.isString value && lib.hasPrefix "sk-lf-" value;
  holdsSecret = table: table ? secret_key || builtins.any isSecret (builtins.attrValues table);
  inStore = value: value != null && lib.hasPrefix builtins.storeDir value;
in
{
  # One module, by whatever name it is imported.
  key = "ccship/nix/home-manager.nix";
  _file = ./home-manager.nix;

  options.programs.ccship = {
    enable = lib.mkEnableOption "ccship, which ships every Claude Code turn to Langfuse";

    package = mkOption {
      type = types.package;
      default = (packagesOf pkgs).ccship;
      defaultText = lib.literalExpression "ccship.packages.\${system}.ccship";
      description = "The package: `ccship`, or `ccship-script`, which uv runs with the versions of its lock.";
    };

    events = mkOption {
      type = types.listOf (
        types.enum [
          "Stop"
          "SubagentStop"
          "SessionEnd"
          "SessionStart"
          "StopFailure"
          "UserPromptSubmit"
        ]
      );
      default = [
        "Stop"
        "SubagentStop"
        "SessionEnd"
        "SessionStart"
      ];
      description = "When Claude Code runs the hook. StopFailure only with Claude Code 2.1.80 or later: older ones drop all settings for an event that they do not know.";
    };

    timeout = mkOption {
      type = types.nullOr types.ints.positive;
      default = 60;
      description = "Seconds that Claude Code gives the hook, which takes a fraction of one; null leaves it to Claude Code.";
    };

    registration = mkOption {
      type = types.enum [
        "settings"
        "plugin"
        "none"
      ];
      default = if claudeCode.enable then "settings" else "plugin";
      defaultText = lib.literalExpression ''if config.programs.claude-code.enable then "settings" else "plugin"'';
      description = "Where the hook is registered: in `programs.claude-code.settings`, as a plugin in `configDir`, or not at all.";
    };

    configDir = mkOption {
      type = types.str;
      default = claudeCode.configDir or "${config.home.homeDirectory}/.claude";
      defaultText = lib.literalExpression ''config.programs.claude-code.configDir or "''${config.home.homeDirectory}/.claude"'';
      description = "Claude Code's folder, absolute; the plugin is linked under its `skills`.";
    };

    publicKeyFile = path "Langfuse's public key";
    secretKeyFile = path "Langfuse's secret key";
    environmentFile = path "variables for the hook, as a shell reads them";

    settings = mkOption {
      inherit (toml) type;
      default = { };
      example = {
        trace = true;
        base_url = "https://langfuse.example";
      };
      description = "What stands in `config.toml`. `trace = true` is the consent. No secrets: the file lies in the store.";
    };

    hooks = mkOption {
      type = types.attrs;
      readOnly = true;
      default = import ./hooks.nix {
        inherit command;
        inherit (cfg) events timeout;
      };
      defaultText = lib.literalMD "of the options above";
      description = "The `hooks` object of Claude Code's settings, to be used elsewhere; read-only.";
    };
  };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      {
        assertions = [
          {
            assertion = cfg.registration != "settings" || claudeCode.enable;
            message = "programs.ccship.registration is settings, and programs.claude-code, which writes them, is not enabled: enable it, or choose plugin.";
          }
          {
            assertion = lib.hasPrefix "/" cfg.configDir;
            message = "programs.ccship.configDir is ${cfg.configDir}: say an absolute path.";
          }
          {
            assertion = !builtins.any holdsSecret tables;
            message = "programs.ccship.settings holds a secret key, which everybody could read in the store: put it into a file and name that with secretKeyFile (in a destination: secret_key_file).";
          }
          {
            assertion = !builtins.any (table: inStore (table.secret_key_file or null)) tables;
            message = "programs.ccship.settings names a secret_key_file in the store, where everybody can read it: name a file outside.";
          }
        ]
        ++ map (name: {
          assertion = !inStore cfg.${name};
          message = "programs.ccship.${name} is in the store, where everybody can read it: name a file outside, as a string.";
        }) [
          "publicKeyFile"
          "secretKeyFile"
          "environmentFile"
        ];

        home.packages = [ cfg.package ];
      }
      # Where ccship looks for it: macOS has a place of its own.
      (lib.mkIf (file != { } && !isDarwin) {
        xdg.configFile."ccship/config.toml".source = configFile;
      })
      (lib.mkIf (file != { } && isDarwin) {
        home.file."Library/Application Support/ccship/config.toml".source = configFile;
      })
      (lib.mkIf (cfg.registration == "plugin") {
        home.file = {
          "${folder}/.claude-plugin/plugin.json".text = builtins.toJSON {
            inherit (plugin) name version description;
          };
          "${folder}/hooks/hooks.json".text = builtins.toJSON { inherit (cfg) hooks; };
        };
      })
      (lib.optionalAttrs hasClaudeCode {
        # Behind what the person has there.
        programs.claude-code.settings = lib.mkIf (cfg.registration == "settings") {
          hooks = builtins.mapAttrs (_: lib.mkAfter) cfg.hooks;
        };
      })
    ]
  );
}
