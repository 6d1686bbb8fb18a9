# As much of nixpkgs' lib as the module and the packages use, written for tests that have no nixpkgs: it evaluates
# modules, and refuses what is undeclared, of a wrong type, set twice or read-only.
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    hasAttr
    isAttrs
    isFunction
    isList
    isString
    length
    listToAttrs
    replaceStrings
    sort
    stringLength
    substring
    ;

  lib = rec {
    inherit (builtins)
      all
      compareVersions
      concatLists
      concatStringsSep
      head
      mapAttrs
      ;

    # attributes, lists and strings
    genAttrs =
      names: f:
      listToAttrs (
        map (name: {
          inherit name;
          value = f name;
        }) names
      );
    nameValuePair = name: value: { inherit name value; };
    filterAttrs = holds: set: removeAttrs set (filter (name: !holds name set.${name}) (attrNames set));
    mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
    last = list: elemAt list (length list - 1);
    findFirst =
      holds: default: list:
      let
        found = filter holds list;
      in
      if found == [ ] then default else head found;
    optional = condition: value: if condition then [ value ] else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasSuffix =
      suffix: text:
      let
        start = stringLength text - stringLength suffix;
      in
      start >= 0 && substring start (-1) text == suffix;
    hasInfix = infix: text: replaceStrings [ infix ] [ "" ] text != text;
    removePrefix =
      prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    splitString = separator: text: filter isString (builtins.split separator text);
    escape = characters: replaceStrings characters (map (it: "\\${it}") characters);
    escapeShellArg =
      text: if builtins.match "[A-Za-z0-9_./+:@%-]+" text != null then text else "'${text}'";

    # files and versions
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    versionOlder = a: b: compareVersions a b < 0;
    versionAtLeast = a: b: compareVersions a b >= 0;
    getVersion = package: package.version or "";

    # what packages say of themselves
    licenses.mit = { };
    fileset = {
      unions = map (it: if builtins.pathExists it then it else throw "${toString it} does not exist");
      # Too many files instead of those that the predicate names.
      fileFilter = _: path: path;
      toSource =
        { root, fileset }:
        builtins.path {
          path = root;
          name = "source";
          filter =
            path: _:
            any (it: it == path || hasPrefix "${it}/" path || hasPrefix "${path}/" it) (map toString fileset);
        };
    };

    # definitions
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkOrder = order: content: {
      _type = "order";
      inherit order content;
    };
    mkAfter = mkOrder 1500;

    # options
    mkOption = option: { _type = "option"; } // option;
    mkEnableOption =
      what:
      mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${what}.";
      };
    literalExpression = text: { inherit text; };
    literalMD = literalExpression;

    types =
      let
        scalar = description: check: {
          inherit description check;
          merge =
            place: values:
            if all (it: it == head values) values then
              head values
            else
              throw "The option `${place}' has conflicting definition values";
        };
        # In another description, one of several words is put in parentheses.
        phrase = type: if type.isPhrase or false then "(${type.description})" else type.description;
      in
      rec {
        bool = scalar "boolean" builtins.isBool;
        int = scalar "signed integer" builtins.isInt;
        str = scalar "string" isString;
        path = scalar "absolute path" (it: builtins.isPath it || isString it && hasPrefix "/" it);
        package = scalar "package" (it: isAttrs it && it.type or "" == "derivation");
        ints.positive = scalar "positive integer, meaning >0" (it: builtins.isInt it && it > 0) // {
          isPhrase = true;
        };
        numbers.positive =
          scalar "positive integer or floating point number, meaning >0" (
            it: (builtins.isInt it || builtins.isFloat it) && it > 0
          )
          // {
            isPhrase = true;
          };
        enum =
          values:
          let
            words = concatStringsSep ", " (map builtins.toJSON values);
          in
          scalar "one of ${words}" (it: elem it values) // { isPhrase = true; };
        addCheck = type: check: type // { check = it: type.check it && check it; };
        either = a: b: scalar "${a.description} or ${b.description}" (it: a.check it || b.check it);
        nullOr = type: {
          description = "null or ${phrase type}";
          check = it: it == null || type.check it;
          merge = place: values: if all (it: it == null) values then null else type.merge place values;
        };
        listOf = type: {
          description = "list of ${phrase type}";
          check = isList;
          merge =
            place: values:
            concatLists (
              imap0 (
                n: imap0 (m: it: mergeAs type "${place}.[definition ${toString n}-entry ${toString m}]" [ it ])
              ) values
            );
        };
        nonEmptyListOf = type: addCheck (listOf type) (it: it != [ ]);
        attrsOf = type: {
          description = "attribute set of ${phrase type}";
          check = isAttrs;
          merge = place: builtins.zipAttrsWith (name: mergeAs type "${place}.${name}");
        };
        attrs = {
          description = "attribute set";
          check = isAttrs;
          merge = _: foldl' (a: b: a // b) { };
        };
        submodule =
          { options }:
          {
            description = "submodule";
            check = isAttrs;
            merge = place: values: configOf place options (concatMap (pushDown [ ]) values);
          };
        # Tables are merged, lists are joined, anything else is defined once.
        json = {
          description = "JSON value";
          check = _: true;
          merge =
            place: values:
            if all isAttrs values && !any (it: it.type or "" == "derivation") values then
              builtins.zipAttrsWith (name: mergeAs json "${place}.${name}") values
            else if all isList values then
              concatLists values
            else
              str.merge place values;
        };
      };

    # What a definition comes to: a list of { value; priority; order; }.
    discharge =
      definition:
      let
        inner = discharge definition.content;
      in
      {
        "if" = if definition.condition then inner else [ ];
        merge = concatMap discharge definition.contents;
        override = map (it: it // { inherit (definition) priority; }) inner;
        order = map (it: it // { inherit (definition) order; }) inner;
        plain = [
          {
            value = definition;
            priority = 100;
            order = 1000;
          }
        ];
      }
      .${wrapperOf definition};

    wrapperOf = definition: if isAttrs definition then definition._type or "plain" else "plain";

    mergeAs =
      type: place: definitions:
      let
        found = concatMap discharge definitions;
        strongest = foldl' (least: it: if it.priority < least then it.priority else least) 9999 found;
        valid = sort (a: b: a.order < b.order) (filter (it: it.priority == strongest) found);
        wrong = filter (it: !type.check it.value) valid;
      in
      if wrong != [ ] then
        throw "A definition for option `${place}' is not of type `${type.description}'"
      else
        type.merge place (map (it: it.value) valid);

    # A set of definitions as a list of plain ones: what wraps the set wraps each of its values instead.
    pushDown =
      wrappers: definition:
      let
        again = wrapper: pushDown (wrappers ++ [ wrapper ]) definition.content;
      in
      {
        # Whether it holds may depend on what is defined here, so that is not asked yet.
        "if" = again (mkIf definition.condition);
        merge = concatMap (pushDown wrappers) definition.contents;
        override = again (mkOverride definition.priority);
        order = again (mkOrder definition.order);
        plain = [ (mapAttrs (_: value: foldl' (it: wrap: wrap it) value wrappers) definition) ];
      }
      .${wrapperOf definition};

    # Values for a tree of options out of a list of attribute sets of definitions.
    configOf =
      place: tree: definitions:
      let
        undeclared = filter (name: !hasAttr name tree) (concatMap attrNames definitions);
        at = name: if place == "" then name else "${place}.${name}";
        of = name: map (it: it.${name}) (filter (hasAttr name) definitions);
        value =
          name: option:
          if option._type or "" != "option" then
            configOf (at name) option (concatMap (pushDown [ ]) (of name))
          else
            let
              given = concatMap discharge (of name);
              found = of name ++ optional (option ? default) (mkOverride 1500 option.default);
            in
            if option.readOnly or false && given != [ ] then
              throw "The option `${at name}' is read-only, but it's set"
            else if given == [ ] && !option ? default then
              throw "The option `${at name}' was accessed but has no value defined"
            else
              mergeAs option.type (at name) found;
      in
      if undeclared != [ ] then
        throw "The option `${at (head undeclared)}' does not exist"
      else
        mapAttrs value tree;

    evalModules =
      { modules, specialArgs }:
      let
        # `pkgs` is itself configured, so that no module can decide by it what it defines.
        arguments = specialArgs // {
          inherit (result) config options;
          inherit (result.config._module.args) pkgs;
        };
        opened =
          module:
          let
            it = if builtins.isPath module then import module else module;
            body = if isFunction it then it arguments else it;
          in
          [ (body // { key = body.key or null; }) ] ++ concatMap opened (body.imports or [ ]);
        once = foldl' (
          seen: it: if it.key != null && any (other: other.key == it.key) seen then seen else seen ++ [ it ]
        ) [ ] (concatMap opened modules);
        definitionsOf =
          module:
          module.config or (removeAttrs module [
            "_class"
            "_file"
            "imports"
            "key"
            "options"
          ]);
        join =
          place: a: b:
          a
          // mapAttrs (
            name: option:
            if !hasAttr name a then
              option
            else if option._type or "" == "option" then
              throw "The option `${place}${name}' is already declared"
            else
              join "${place}${name}." a.${name} option
          ) b;
        result = {
          options = foldl' (join "") { } (map (it: it.options or { }) once);
          config = configOf "" result.options (concatMap (it: pushDown [ ] (definitionsOf it)) once);
        };
      in
      result;
  };
in
lib
