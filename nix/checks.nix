# What `nix flake check` builds: both packages, and a home with each registration, whose files are then examined.
{
  pkgs,
  home-manager,
  packages,
  module,
}:
let
  home =
    registration: more:
    let
      inherit
        (home-manager.lib.homeManagerConfiguration {
          inherit pkgs;
          modules = [
            module
            {
              home = {
                username = "ada";
                homeDirectory = "/home/ada";
                stateVersion = "25.05";
              };
              # The manual of all of home-manager takes longer than everything else here.
              manual.manpages.enable = false;
              programs.ccship = {
                enable = true;
                inherit registration;
                secretKeyFile = "~/.secrets/langfuse";
                settings.trace = true;
              };
            }
            more
          ];
        })
        activationPackage
        ;
    in
    pkgs.runCommand "ccship-home-${registration}" { nativeBuildInputs = [ pkgs.python3 ]; } ''
      python3 ${./tests/check_home.py} ${activationPackage}/home-files ${registration} > $out
    '';
in
{
  inherit (packages) ccship ccship-script;

  home-plugin = home "plugin" { };

  home-settings = home "settings" {
    programs.claude-code = {
      enable = true;
      package = null;
    };
  };
}
