# What a home comes to with these modules: the part of it that concerns ccship, as JSON can say it.
#
# With the stub of nixpkgs and home-manager beside it, or with the real ones: `nixpkgsLib` is nixpkgs' lib folder,
# `homeManager` a home-manager; the packages stay those of the stub.
{
  nixpkgsLib ? null,
  homeManager ? null,
  system ? "x86_64-linux",
  claudeCode ? [ "configDir" ],
}:
let
  lib = import (if nixpkgsLib == null then ./stub/nixpkgs/lib.nix else nixpkgsLib);
  pkgs = import ./stub/nixpkgs/pkgs.nix { inherit lib system; };

  flake = (import ../../flake.nix).outputs {
    self = flake;
    nixpkgs = {
      inherit lib;
      legacyPackages = lib.genAttrs [ system ] (_: pkgs);
    };
    home-manager = { };
  };
  packages = flake.packages.${system};

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
        configuration.imports = modules ++ [ me ];
      };

  fileOf = it: if it.text or null == null then it.source.value else it.text;
  isOurs = name: _: builtins.match ".*ccship.*" name != null;
in
{
  inherit flake packages;

  # A home with these modules beside ours.
  home =
    modules:
    let
      inherit (configuration ([ flake.homeModules.default ] ++ modules)) config;
    in
    {
      inherit (config.programs.ccship)
        configDir
        events
        hooks
        registration
        timeout
        ;
      settings = config.programs.claude-code.settings or null;
      packages = map (it: it.name) (
        builtins.filter (it: builtins.elem it (builtins.attrValues packages)) config.home.packages
      );
      files = builtins.mapAttrs (_: fileOf) (lib.filterAttrs isOurs config.home.file);
      configFiles = builtins.mapAttrs (_: fileOf) (lib.filterAttrs isOurs config.xdg.configFile);
    };

  # Every option: its type, its default as the docs say it, its description.
  options =
    builtins.mapAttrs
      (_: it: {
        type = it.type.description;
        default = it.defaultText.text or (builtins.toJSON (it.default or null));
        inherit (it) description;
      })
      (configuration [ flake.homeModules.default ]).options.programs.ccship;

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
          startSet = [ (packages.ccship // { key = "ccship"; }) ];
          operator = it: map (other: other // { key = other.pname; }) it.dependencies or [ ];
        }
      )
  );

  # The store directory that the script variant runs in.
  script = "${packages.ccship-script.source}";
}
