# What `nix flake check` builds: both packages, a home with each registration, and that the Nix files are formatted.
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

  format = pkgs.runCommand "ccship-nixfmt" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
    find ${../flake.nix} ${./.} -name '*.nix' -exec nixfmt --check {} +
    touch $out
  '';
}
