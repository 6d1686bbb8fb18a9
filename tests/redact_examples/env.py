"""Examples of `ccship.privacy.redact.env`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "env-file": Examples(
        hits=(
            "NODE_ENV=production\nSALT=" + canary(made_up(20)) + "\nPORT=3000\n",
            "     1→DEBUG=true\n     2→SIGNATURE=" + canary(made_up(16)) + "\n     3→\n     4→HOST=example.com",
            '1\tA_URL=https://example.com\n2\t# mail\n3\tMAIL_SK="' + canary(made_up(30)) + '"\n4\tPORT=25',
            r"{\"text\": \"AB=1\nSEED=" + canary(made_up(32)) + r"\nNODE_ENV=test\"}",
        ),
        misses=(
            "NODE_ENV=production\nPORT=3000\nHOST=example.com\nPATH=/usr/bin:/bin\n",
            "CC=gcc\nCFLAGS=-O2 -Wall\nVERSION=1.22.333\nURL=https://example.com/a1b2c3d4\n",
            "BUILD=3fa81c09e7b4d265",
        ),
    ),
}
