# What a home comes to with these modules: the part of it that concerns ccship, as JSON can say it.
#
# With the stub of nixpkgs and home-manager beside it, or with the real ones: `nixpkgsLib` is nixpkgs' lib folder,
# `homeManager` a home-manager; the packages stay those of the stub.
{
  nixpkgsLib ? null,
  homeManager ? null,
  system ? "x86_64-linux",
  claudeCode ? [ "configDir" ],
  # of Python packages in nixpkgs
  versions ? { },
}:
let
  stubLib = import ./stub/nixpkgs/lib.nix;
  realLib = import nixpkgsLib;
  lib =
    if nixpkgsLib == null then
      stubLib
    # nixpkgs' file sets need Nix 2.14.
    else if builtins ? readFileType then
      realLib
    else
      realLib // { inherit (stubLib) fileset; };
  pkgs = import ./stub/nixpkgs/pkgs.nix { inherit lib system versions; };

  flake = (import ../../flake.nix).outputs {
    self = flake;
    nixpkgs = {
      inherit lib;
      legacyPackages = lib.genAttrs [ system ] (_: pkgs);
    };
    home-manager.lib.homeManagerConfiguration = { modules, ... }: configuration modules;
  };
  packages = flake.overlays.default pkgs pkgs;

  me = {
    home = {
      username = "ada";
      homeDirectory = "/home/ada";
      stateVersion = "25.05";
    };
  };

  extraSpecialArgs.inputs.ccship = flake;

  configuration =
    modules:
    if homeManager == null then
      import ./stub/home-manager/configuration.nix { inherit lib; } {
        inherit pkgs claudeCode extraSpecialArgs;
        modules = modules ++ [ me ];
      }
    else
      import (homeManager + "/modules") {
        inherit lib pkgs extraSpecialArgs;
        configuration.imports = modules ++ [
          me
          # Instead of an import of nixpkgs with the configuration of the home: the stub has none.
          { _module.args.pkgs = lib.mkForce pkgs; }
          # They need more of nixpkgs than the stub has.
          {
            disabledModules = [ "services-modular" ];
            manual.manpages.enable = false;
            programs.man.enable = false;
            xdg.mime.enable = false;
          }
        ];
      };

  contentOf = it: if it.text or null == null then it.source.value or null else it.text;
  # home-manager accepts names with and without the home.
  nameIn = name: if lib.hasPrefix "/" name then name else "/home/ada/${name}";
in
{
  inherit flake packages;

  # A home with these modules beside ours.
  home =
    modules:
    let
      inherit (configuration ([ flake.homeModules.default ] ++ modules)) config;
      files = lib.mapAttrs' (name: it: lib.nameValuePair (nameIn name) it) config.home.file;
    in
    {
      inherit (config.programs.ccship)
        configDir
        events
        hooks
        registration
        timeout
        ;
      warnings = builtins.filter (lib.hasInfix "ccship") config.warnings;
      settings = config.programs.claude-code.settings or null;
      packages = map (it: it.name) (
        builtins.filter (it: builtins.elem it (builtins.attrValues packages)) config.home.packages
      );
      # Contents by absolute path.
      files = lib.mapAttrs (_: contentOf) (lib.filterAttrs (name: _: lib.hasInfix "ccship" name) files);
      # Whether home-manager takes over Claude Code's settings.
      writesSettings = files ? "${config.programs.ccship.configDir}/settings.json";
      variables = lib.filterAttrs (name: _: lib.hasInfix "LANGFUSE" name) config.home.sessionVariables;
    };

  # Every option: its type, its default as the docs say it, its description.
  options = lib.mapAttrs (_: it: {
    type = it.type.description;
    default = it.defaultText.text or (builtins.toJSON (it.default or null));
    inherit (it) description;
  }) (configuration [ flake.homeModules.default ]).options.programs.ccship;

  # What the package is built of: by name its dependencies, and where it comes from if not from nixpkgs.
  built = builtins.listToAttrs (
    map
      (it: {
        name = it.pname;
        value = {
          dependencies = map (other: other.pname) it.dependencies or [ ];
          url = it.source.url or null;
          sha256 = it.source.sha256 or null;
        };
      })
      (
        builtins.genericClosure {
          startSet = [ (packages.ccship.application // { key = "ccship"; }) ];
          operator = it: map (other: other // { key = other.pname; }) it.dependencies or [ ];
        }
      )
  );

  # What is imported and tested while the package is built.
  inherit (packages.ccship.application) enabledTestPaths pythonImportsCheck;

  # The text of a package's `bin/ccship`, and its hook command; `patched` is a package that somebody changed.
  commands =
    builtins.mapAttrs
      (_: it: {
        program = it.program.text;
        hook = it.hookCommand;
      })
      {
        inherit (packages) ccship ccship-script;
        patched = packages.ccship.overrideAttrs { suffix = "-patched"; };
      };

  # The store directory that the script variant runs in.
  script = "${packages.ccship-script.source}";
}
