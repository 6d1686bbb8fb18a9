{
  description = "Stands for home-manager where there is none";

  inputs.nixpkgs.url = "path:../nixpkgs";

  outputs =
    { self, nixpkgs }:
    {
      lib.homeManagerConfiguration = import ./configuration.nix { inherit (nixpkgs) lib; };
    };
}
