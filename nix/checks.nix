# What `nix flake check` builds: both packages, and a home with each registration.
{
  pkgs,
  home-manager,
  packages,
  module,
}:
let
  home =
    more:
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
          programs.ccship = {
            enable = true;
            secretKeyFile = "~/.secrets/langfuse";
            settings.trace = true;
          };
        }
        more
      ];
    }).activationPackage;
in
{
  inherit (packages) ccship ccship-script;

  home-plugin = home { };

  home-settings = home {
    programs.claude-code = {
      enable = true;
      package = null;
    };
  };
}
