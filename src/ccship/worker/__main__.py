"""`python -m ccship.worker REQUEST_FILE [LOCK]`: the command that the hook starts.

`LOCK`: the descriptor of the session's lock, which the hook has taken.
"""

import sys

from ccship.worker.unchanged import main

_, request, *lock = sys.argv
main(request, *map(int, lock))
