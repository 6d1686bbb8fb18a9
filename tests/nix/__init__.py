"""The flake and the home-manager module, evaluated by Nix, on the stub of nixpkgs and home-manager or the real ones."""
