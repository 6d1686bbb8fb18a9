"""Scripted answers of the servers that tests run on the loopback interface."""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass(frozen=True)
class Reply:
    """One scripted answer. `keep` says whether what came is stored although the answer may say otherwise.

    `after`: an event to wait for, a minute at most.
    """

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    reset: bool = False
    keep: bool | None = None
    after: threading.Event | None = None


OK = Reply()


class Answering(BaseHTTPRequestHandler):
    """A handler that answers as a `Reply` says."""

    protocol_version = "HTTP/1.1"

    def answer(self, reply: Reply) -> None:
        time.sleep(reply.delay_s)
        if reply.after is not None:
            reply.after.wait(60)
        if reply.reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"content-type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        pass
