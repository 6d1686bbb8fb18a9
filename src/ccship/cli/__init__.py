"""The command line: parses options, calls the library, prints results. Contains no other logic."""
