# As much of home-manager as the module uses: its options, and that a failed assertion is an error.
{ lib }:
{
  pkgs,
  modules,
  extraSpecialArgs ? { },
  # null stands for a home-manager that does not know Claude Code, and for one that does not know its configDir
  claudeCode ? [ "configDir" ],
}:
let
  inherit (lib) mkOption types;

  option = type: default: mkOption { inherit type default; };
  file = types.attrsOf (
    types.submodule {
      options = {
        source = option (types.nullOr types.package) null;
        text = option (types.nullOr types.str) null;
      };
    }
  );

  home =
    { config, ... }:
    {
      options = {
        _module.args.pkgs = option types.attrs pkgs;
        assertions = option (types.listOf types.attrs) [ ];
        warnings = option (types.listOf types.str) [ ];
        manual.manpages.enable = option types.bool true;
        home = {
          username = mkOption { type = types.str; };
          homeDirectory = option types.str "/home/${config.home.username}";
          stateVersion = mkOption { type = types.str; };
          packages = option (types.listOf types.package) [ ];
          file = option file { };
          sessionVariables = option (types.attrsOf types.str) { };
        };
        xdg = {
          enable = option types.bool false;
          configHome = option types.str "${config.home.homeDirectory}/.config";
        };
      };
    };

  claude =
    { config, ... }:
    {
      options.programs.claude-code = {
        enable = lib.mkEnableOption "Claude Code";
        package = option (types.nullOr types.package) null;
        settings = option types.json { };
      }
      // lib.optionalAttrs (builtins.elem "configDir" claudeCode) {
        configDir = option types.str "${config.home.homeDirectory}/.claude";
      };
    };

  evaluated = lib.evalModules {
    modules = modules ++ [ home ] ++ lib.optional (claudeCode != null) claude;
    specialArgs = extraSpecialArgs // {
      inherit lib;
    };
  };
  failed = builtins.filter (it: !it.assertion) evaluated.config.assertions;
in
if failed != [ ] then
  throw "Failed assertions: ${builtins.concatStringsSep " " (map (it: it.message) failed)}"
else
  evaluated
  // {
    activationPackage = pkgs.runCommand "home-manager-generation" { } (
      builtins.toJSON {
        inherit (evaluated.config.home) packages file sessionVariables;
        settings = evaluated.config.programs.claude-code.settings or null;
      }
    );
  }
