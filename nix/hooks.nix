# What Claude Code's settings say to run ccship: the `hooks` object that `ccship install` writes too. Pure.
{
  command,
  events,
  timeout,
}:
let
  hook = {
    type = "command";
    inherit command;
  }
  // (if timeout == null then { } else { inherit timeout; });
in
builtins.listToAttrs (
  map (event: {
    name = event;
    value = [ { hooks = [ hook ]; } ];
  }) events
)
