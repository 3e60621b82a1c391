"""Local servers that receive alerts: a webhook and a mail server."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Inbox:
    """What a webhook received. It answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[dict[str, Any]] = []
        self.url = ""

    @property
    def titles(self) -> list[str]:
        return [f"{document['state']}: {document['title']}" for document in self.posted]


@contextmanager
def webhook() -> Iterator[Inbox]:
    """Run a webhook that stores the accepted documents."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if inbox.status == 200:
                inbox.posted.append(document)
            self.send_response(inbox.status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        inbox.url = f"http://127.0.0.1:{port}/hook/s3cret-path"
        yield inbox


@contextmanager
def mail_server() -> Iterator[tuple[str, list[Message]]]:
    """Run an SMTP server without TLS; yield its address, and the messages it receives."""
    received: list[Message] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            while line := self.rfile.readline():
                command = line.split(b" ")[0].strip().upper()
                if command == b"DATA":
                    self._say("354 go on")
                    received.append(message_from_bytes(self._data(), policy=default))
                    self._say("250 accepted")
                elif command == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()).rstrip() != b".":
                lines.append(line)
            return b"".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield f"smtp://127.0.0.1:{port}", received


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
