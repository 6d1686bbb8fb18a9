# As much of sops-nix and agenix as the examples in the docs use.
{ lib, ... }:
let
  inherit (lib) mkOption types;

  secrets =
    folder:
    mkOption {
      type = types.attrsOf (
        types.submodule {
          options = {
            file = mkOption {
              type = types.nullOr types.path;
              default = null;
            };
            path = mkOption {
              type = types.str;
              default = "${folder}/secret";
            };
          };
        }
      );
      default = { };
    };
in
{
  options.sops.secrets = secrets "/run/user/1000/secrets";
  options.age.secrets = secrets "\${XDG_RUNTIME_DIR}/agenix";
}
