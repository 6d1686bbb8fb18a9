"""Runs hooks in the foreground as forked children of a warm interpreter: loading the SDK takes longer than most tests.

Reads a line of JSON a run from stdin (`environ`, `stdin` and `first`: a program to run in the child before the hook),
writes one to stdout: `code`, the child's exit code (negative: the signal that ended it), and `said`, what it printed.
"""

import json
import os
import sys
import tempfile

from ccship import worker  # noqa: F401 - loaded once, here, for all children
from ccship.hook import main
from ccship.sinks import langfuse  # noqa: F401


def run(environ: dict[str, str], stdin: str, first: str) -> dict[str, object]:
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(stdin.encode("utf-8", "surrogateescape"))
        asked.seek(0)
        child = os.fork()
        if not child:
            try:
                for descriptor, file in ((0, asked), (1, said), (2, said)):
                    os.dup2(file.fileno(), descriptor)
                os.environ.clear()
                os.environ.update(environ)
                exec(first, {})  # noqa: S102 - the test's own
                main()
            finally:
                os._exit(99)  # the hook itself ends with 0
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "said": said.read().decode("utf-8", "replace")}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)
