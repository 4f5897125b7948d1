"""A stand-in for the server of Weights & Biases, which breaks when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT = {"id": "p", "name": "roadex", "entity": {"id": "e", "name": "me"}}
BUCKET = {"id": "1", "name": "run", "displayName": "run", "config": "{}", "project": PROJECT}


class Server(ThreadingHTTPServer):
    """Answers what a run asks for until it is broken.

    Attributes:
        asked: how many requests have come.
        broken: "" (it answers), "500" or "silent" (it never answers).
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.broken, self.over = 0, "", threading.Event()

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment to reach it."""
        address = f"http://127.0.0.1:{self.server_port}"
        return {"WANDB_BASE_URL": address, "WANDB_API_KEY": "a" * 40}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.broken == "silent":
            self.server.over.wait()
            return
        if self.server.broken == "500":
            self._send(500, {"error": "broken"})
        elif self.path == "/graphql":
            self._send(200, {"data": _data(json.loads(body))})
        else:
            self._send(200, {"exitcode": None, "limits": {}})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        sent = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _data(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a query of GraphQL, as far as a run needs it."""
    query = request["query"]
    if "UpsertBucket" in query:
        return {"upsertBucket": {"bucket": BUCKET, "inserted": True}}
    if "CreateRunFiles" in query:
        return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": []}}
    if "RunResumeStatus" in query:
        return {"model": {**PROJECT, "bucket": None}}
    return {"serverInfo": {"features": []}} if "serverInfo" in query else {}


@contextmanager
def serving() -> Iterator[Server]:
    """The server while it runs."""
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
