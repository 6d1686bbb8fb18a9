{
  description = "Ship every Claude Code turn to Langfuse: exactly once, with the real times and the true cost";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";
    # for the checks only
    home-manager = {
      url = "github:nix-community/home-manager";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      home-manager,
    }:
    let
      eachSystem =
        outputs:
        nixpkgs.lib.genAttrs [
          "aarch64-darwin"
          "aarch64-linux"
          "x86_64-linux"
        ] (system: outputs nixpkgs.legacyPackages.${system});

      # With the nixpkgs that the flake is tested with. For other systems, such as Intel Macs, which nixpkgs dropped after
      # 26.05, with the nixpkgs of the home.
      packagesOf =
        pkgs: self.packages.${pkgs.stdenv.hostPlatform.system} or (self.overlays.default pkgs pkgs);
    in
    {
      overlays.default = final: _: {
        ccship = final.callPackage ./nix/package.nix { };
        ccship-script = final.callPackage ./nix/package-script.nix { };
      };

      packages = eachSystem (
        pkgs:
        let
          packages = self.overlays.default pkgs pkgs;
        in
        packages // { default = packages.ccship; }
      );

      homeModules.default = import ./nix/home-manager.nix { inherit packagesOf; };
      homeManagerModules.default = self.homeModules.default;

      checks = eachSystem (
        pkgs:
        import ./nix/checks.nix {
          inherit pkgs home-manager;
          packages = packagesOf pkgs;
          module = self.homeModules.default;
        }
      );

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShellNoCC {
          packages = [
            pkgs.git
            pkgs.nixfmt
            pkgs.nodejs
            pkgs.python3
            pkgs.uv
          ];
        };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
