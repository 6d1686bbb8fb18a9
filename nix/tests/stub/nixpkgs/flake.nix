{
  description = "Stands for nixpkgs where there is none";

  outputs =
    { self }:
    let
      lib = import ./lib.nix;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ] (system: import ./pkgs.nix { inherit lib system; });
    };
}
