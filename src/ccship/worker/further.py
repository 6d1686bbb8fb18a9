"""Further destinations of a session (`also` in their tables): each has a spool and a worker process of its own.

The worker of the first destination copies requests into their spools and starts their workers. While it waits for its
own server, a thread does so: a server that hangs delays no other destination.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ccship.config import Config
from ccship.config.routing import also_of
from ccship.errors import CcshipError, ConfigError
from ccship.hook import lock_session
from ccship.storage import private, write_whole
from ccship.transcript.discover import sessions_at
from ccship.worker.spool import Pending, Request, add_request
from ccship.worker.unchanged import digest_of_inputs

_EVERY_S = 0.2
"""The longest time until a request of a session that is locked reaches the further destinations."""


class Further:
    """The further destinations of all projects. `problems`: settings that are invalid.

    `is_active`: this process is the worker of a first destination.
    """

    def __init__(self, root: Config, environ: Mapping[str, str], *, is_active: bool) -> None:
        self.problems: list[str] = []
        self._root = root
        self._environ = dict(environ)
        self._is_active = is_active
        self._exist = is_active and any(route.also for route in root.routes)
        self._copied: set[Path] = set()
        self._digests: dict[str, str] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._served: set[Path] = set()
        self._one_at_a_time = threading.Lock()

    def copy(self, session_id: str) -> None:
        """Copy the requests of a session to its further destinations, once each, and start their workers."""
        if not self._exist:
            return
        with self._one_at_a_time:
            for pending in Pending.of(self._root.requests_dir, session_id):
                newest = pending.files[-1]
                if newest in self._copied or (destinations := self._of(pending.newest)) is None:
                    continue
                digest = self._digest_of(pending.newest)
                copies = {each.requests_dir / newest.name: each for each in destinations}
                for path, destination in copies.items():
                    if path not in self._copied:
                        with self._noted():
                            self._start(destination, self._written(path, destination, pending.newest))
                            self._copied.add(path)
                if self._copied.issuperset(copies):
                    self._copied.add(newest)
                if copies:
                    self._digests[pending.newest.session_id] = digest if newest in self._copied else ""

    def has_copied(self, session_id: str, digest: str) -> bool:
        """Return whether the further destinations of a session, if any, have requests for it with this digest."""
        return self._digests.get(session_id, digest) == digest

    @contextmanager
    def copying(self, session_id: str) -> Iterator[None]:
        """Copy requests of a session that arrive in the meantime: their hooks found it locked and started no worker."""
        if not self._exist:
            yield
            return
        is_over = threading.Event()

        def copy() -> None:
            while not is_over.wait(_EVERY_S):
                self.copy(session_id)

        thread = threading.Thread(target=copy, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def start_backlog(self) -> None:
        """Start workers for requests that none is working on: one failed, or was killed."""
        if not self._is_active:
            return
        known: dict[Path, Config] = {}
        for route in self._root.routes:
            try:
                if route.also:
                    known[route.config.requests_dir] = route.config
            except ConfigError as error:
                self.problems.append(str(error))
        for spool in [path for path in self._root.requests_dir.glob("*") if path.is_dir()]:
            waiting = Pending.of(spool)
            if spool in known and waiting and spool not in self._served:
                with self._noted():
                    self._start(known[spool], waiting[0].files[-1])  # it ships the other sessions, too
            elif spool not in known and not self.problems:  # a destination that is no longer a further one
                for pending in waiting:
                    add_request(self._root.requests_dir, pending.newest.transcript_path)
                    pending.done()

    def wait(self, until: float) -> None:
        """Wait for the started workers. `until`: when to stop waiting for all of them, on the monotonic clock."""
        for process in self._started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Note why a further destination cannot be served; that does not concern the others."""
        try:
            yield
        except (CcshipError, OSError) as error:
            self.problems.append(str(error))

    def _of(self, request: Request) -> list[Config] | None:
        """Return the further destinations of a session that may be sent there; None while its folder is unknown."""
        try:
            (session,) = sessions_at([request.transcript_path])
        except (ConfigError, ValueError):
            return None
        found = also_of(self._root, session, self.problems)
        return None if found is None else [each for each in found if each.opted_in]

    def _digest_of(self, request: Request) -> str:
        return digest_of_inputs(self._environ, str(self._root.state_dir), str(request.transcript_path))

    def _written(self, path: Path, destination: Config, request: Request) -> Path:
        copied = request.model_copy(update={"lock": destination.lock_id(request.session_id)})
        private(path.parent)
        write_whole(path, copied.model_dump_json(exclude_none=True).encode())
        return path

    def _start(self, destination: Config, request: Path) -> None:
        """Start the worker of a request, unless there is one: it looks for new requests before it exits."""
        with suppress(FileNotFoundError):  # the worker was faster
            lock_id = destination.lock_id(Request.model_validate_json(request.read_bytes()).session_id)
            try:
                lock = lock_session(str(destination.state_dir), lock_id)
            except BlockingIOError:
                return
            self._served.add(destination.requests_dir)
            command = [sys.executable, "-P", "-m", "ccship.worker", str(request)]
            try:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    command if lock is None else [*command, str(lock)],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    cwd="/" if os.name == "posix" else None, env=self._environ, start_new_session=True,
                    pass_fds=() if lock is None else (lock,),
                )  # fmt: skip
            finally:
                if lock is not None:
                    os.close(lock)
            self._started.append(process)
