# The home-manager module `programs.ccship`.
#
# It never writes Claude Code's settings.json itself: it links a plugin, or adds to `programs.claude-code.settings`.
# It never reads a secret: it passes on the paths of files that ccship reads when it runs.
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
  inherit (config.home) homeDirectory;

  cfg = config.programs.ccship;
  plugin = lib.importJSON ../.claude-plugin/plugin.json;
  rows = lib.importJSON ./settings.json;
  toml = pkgs.formats.toml { };

  hasClaudeCode = options.programs ? claude-code;
  claudeCode = if hasClaudeCode then config.programs.claude-code else { enable = false; };

  # The oldest Claude Code that loads a plugin from its `skills` folder; older ones ignore it silently.
  pluginSince = "2.1.157";
  client = if claudeCode.enable then claudeCode.package or null else null;
  clientVersion = if client == null then "" else lib.getVersion client;

  path =
    what:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Path of a file that contains ${what}, read when ccship runs; `~` and `$VARIABLES` are expanded.";
    };

  # The types of `Kind` in src/ccship/config/table.py.
  typeOf =
    row:
    {
      choice = types.enum row.choices;
      flag = types.bool;
      headers = types.attrsOf types.str;
      keyFile = types.str;
      number = types.addCheck types.int (number: number >= row.least) // {
        description = "integer of at least ${toString row.least}";
      };
      pairs = types.attrsOf types.str;
      path = types.either types.str types.path;
      secret = types.str;
      text = types.str;
      words = types.listOf types.str;
    }
    .${row.kind};

  optionOf =
    row:
    mkOption {
      type = types.nullOr (typeOf row);
      default = null;
      description =
        {
          headers = "Refused unless it is empty: use `headers_file`. ${row.help}";
          secret = "Refused: use `secret_key_file`.";
        }
        .${row.kind} or row.help;
    };

  destination = types.submodule {
    options = lib.mapAttrs (_: optionOf) (lib.filterAttrs (_: row: row.perDestination) rows) // {
      name = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The name of the destination in messages.";
      };
      projects = mkOption {
        type = types.nonEmptyListOf types.str;
        example = [ "~/work/acme/**" ];
        description = "Path patterns of the projects that are sent there.";
      };
    };
  };

  budget = types.submodule {
    options = {
      name = mkOption {
        type = types.str;
        description = "The name of the budget in notices and in the status line.";
      };
      period = mkOption {
        type = types.enum [
          "day"
          "week"
          "month"
        ];
        description = "The period in which the amount may be spent.";
      };
      usd = mkOption {
        type = types.numbers.positive;
        description = "The amount in US dollars.";
      };
      projects = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "~/work/acme/**" ];
        description = "Path patterns of the projects that count; all if it is empty.";
      };
      branches = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "feature/*" ];
        description = "Patterns of the branches that count; all if it is empty.";
      };
      webhook_file = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "A file with the address that gets notices; not in the store, because the address is secret.";
      };
      command = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The program that gets notices on its standard input, and its arguments.";
      };
    };
  };

  isSet = lib.filterAttrs (_: value: value != null);
  file =
    isSet (removeAttrs cfg.settings [
      "budgets"
      "destinations"
    ])
    // lib.optionalAttrs (cfg.settings.destinations != [ ]) {
      destinations = map isSet cfg.settings.destinations;
    }
    // lib.optionalAttrs (cfg.settings.budgets != [ ]) {
      budgets = map isSet cfg.settings.budgets;
    };

  # ccship finds its config file here whatever variables reach it. In any other folder it is told where the file is: the
  # hook may run without the variables of the session, and only some versions of platformdirs read XDG_CONFIG_HOME on macOS.
  usualFolder = "${homeDirectory}/${if isDarwin then "Library/Application Support" else ".config"}";
  configFolder = if isDarwin && !config.xdg.enable then usualFolder else config.xdg.configHome;
  configFile = "${configFolder}/ccship/config.toml";
  isElsewhere = file != { } && configFolder != usualFolder;

  quoted = text: "\"${lib.escape [ "\\" "\"" "`" ] text}\"";
  sourced =
    file:
    let
      homeless = lib.removePrefix "~/" file;
    in
    ". ${quoted (if homeless == file then file else "$HOME/${homeless}")}";

  # The variables of the hook: a file that the shell reads.
  environmentFile =
    if isElsewhere then
      "${pkgs.writeText "ccship-environment" ''
        CC_LANGFUSE_CONFIG=${lib.escapeShellArg configFile}
        ${lib.optionalString (cfg.environmentFile != null) (sourced cfg.environmentFile)}
      ''}"
    else
      cfg.environmentFile;

  hookCommand =
    cfg.package.hookCommand
      or (throw "programs.ccship.package is ${cfg.package.name}: set it to ccship or ccship-script of this flake.");

  # In a subshell: a file that the shell cannot read ends the shell with exit code 2, which Claude Code obeys. `ccship
  # doctor` recognises this form.
  command =
    if environmentFile == null then
      hookCommand
    else
      "(set -a; ${sourced environmentFile}; set +a; ${hookCommand}) || exit 0";

  folder = "${cfg.configDir}/skills/ccship";

  # The strings in a value, each with its place in it and the name of its setting.
  leavesOf =
    place: name: value:
    if builtins.isAttrs value then
      let
        isSetting = builtins.elem (rows.${name}.kind or null) [
          "headers"
          "pairs"
        ];
      in
      lib.concatLists (
        lib.mapAttrsToList (key: leavesOf "${place}.${key}" (if isSetting then name else key)) value
      )
    else if builtins.isList value then
      lib.concatLists (lib.imap0 (n: leavesOf "${place}.${toString n}" name) value)
    else
      lib.optional (builtins.isString value) { inherit place name value; };
  leaves = leavesOf "programs.ccship.settings" "settings" file;

  # `sk-` at the beginning of a word: the keys of Langfuse, and those of model providers, which are longer.
  isSecret =
    text: builtins.match "(.*[^A-Za-z0-9])?sk-(lf-[A-Za-z0-9]|[A-Za-z0-9_-]{20}).*" text != null;
  kindOf = leaf: rows.${leaf.name}.kind or null;
  secrets = builtins.filter (
    leaf:
    builtins.elem (kindOf leaf) [
      "headers"
      "secret"
    ]
    || isSecret leaf.value
  ) leaves;

  keyFiles =
    map
      (name: {
        place = "programs.ccship.${name}";
        value = cfg.${name};
      })
      [
        "publicKeyFile"
        "secretKeyFile"
        "environmentFile"
      ]
    ++ builtins.filter (leaf: kindOf leaf == "keyFile") leaves;
  inStore = leaf: leaf.value != null && lib.hasPrefix builtins.storeDir leaf.value;
in
{
  _class = "homeManager";

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
        "plugin"
        "settings"
        "none"
      ];
      default = "plugin";
      description = "Where the hook is registered: as a plugin in `configDir`, in `programs.claude-code.settings`, or not at all.";
    };

    configDir = mkOption {
      type = types.str;
      default = claudeCode.configDir or "${homeDirectory}/.claude";
      defaultText = lib.literalExpression ''config.programs.claude-code.configDir or "''${config.home.homeDirectory}/.claude"'';
      description = "Claude Code's folder, absolute; the plugin is linked under its `skills`.";
    };

    publicKeyFile = path "Langfuse's public key";
    secretKeyFile = path "Langfuse's secret key";
    environmentFile = path "variables for the hook, as a shell reads them";

    settings = mkOption {
      type = types.submodule {
        options = lib.mapAttrs (_: optionOf) (lib.filterAttrs (_: row: !row ? onlyPerDestination) rows) // {
          destinations = mkOption {
            type = types.listOf destination;
            default = [ ];
            description = "Projects that are sent elsewhere; the first destination that names a project is used.";
          };
          budgets = mkOption {
            type = types.listOf budget;
            default = [ ];
            description = "Amounts that may be spent, with notices before they are reached.";
          };
        };
      };
      default = { };
      example = {
        trace = true;
        base_url = "https://langfuse.example";
      };
      description = "The content of `config.toml`, by its keys. `trace = true` is the consent. No secrets: the file is in the store.";
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
            message = "programs.ccship.configDir is ${cfg.configDir}, which is not an absolute path: set one.";
          }
        ]
        ++ map (leaf: {
          assertion = false;
          message =
            if kindOf leaf == "headers" then
              "${leaf.place} may be secret, and everybody can read the store: put the headers into a file and set headers_file to its path."
            else
              "${leaf.place} is a secret key or looks like one, and everybody can read the store: put the key into a file and set secretKeyFile (in a destination: secret_key_file) to its path.";
        }) secrets
        ++ map (leaf: {
          assertion = !inStore leaf;
          message = "${leaf.place} is in the store, where everybody can read it: set it to the path of a file outside, as a string.";
        }) keyFiles;

        warnings =
          lib.optional
            (cfg.registration == "plugin" && clientVersion != "" && lib.versionOlder clientVersion pluginSince)
            ''programs.ccship.registration is "plugin", which needs Claude Code ${pluginSince}, and programs.claude-code.package is ${clientVersion}, which ignores the plugin: nothing is sent. Update Claude Code, or set the registration to "settings".'';

        home.packages = [ cfg.package ];

        programs.ccship.settings = {
          public_key_file = lib.mkIf (cfg.publicKeyFile != null) cfg.publicKeyFile;
          secret_key_file = lib.mkIf (cfg.secretKeyFile != null) cfg.secretKeyFile;
        };
      }
      (lib.mkIf (file != { }) {
        home.file.${configFile}.source = toml.generate "ccship-config.toml" file;
      })
      (lib.mkIf isElsewhere { home.sessionVariables.CC_LANGFUSE_CONFIG = configFile; })
      (lib.mkIf (cfg.registration == "plugin") {
        home.file = {
          "${folder}/.claude-plugin/plugin.json".text = builtins.toJSON {
            inherit (plugin) name version description;
          };
          "${folder}/hooks/hooks.json".text = builtins.toJSON { inherit (cfg) hooks; };
        };
      })
      (lib.optionalAttrs hasClaudeCode {
        # After the hooks that are there.
        programs.claude-code.settings = lib.mkIf (cfg.registration == "settings") {
          hooks = builtins.mapAttrs (_: lib.mkAfter) cfg.hooks;
        };
      })
    ]
  );
}
