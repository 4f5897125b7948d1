"""A server of files on this machine that answers requests for ranges, as stores of images do.

It also draws GeoTIFFs of its folder as a web map service (WMS 1.1.1), at the path `wms`.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import cv2
import numpy as np
import rasterio


class Server(ThreadingHTTPServer):
    """Serves a folder.

    Attributes:
        sent: bytes of content that went out, by path.
        ranges: how many requests asked for a range.
        maps: the boxes that maps were drawn of.
        broken: names of files of which half is sent before the connection ends.
        closed: what names begin with that nobody may see.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.sent, self.ranges = folder, {}, 0
        self.maps: list[list[float]] = []
        self.broken: set[str] = set()
        self.closed = "closed"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        name, _, query = self.path.partition("?")
        name = name.lstrip("/")
        file = self.server.folder / name
        asked_for = parse_qs(query, keep_blank_values=True)
        if name.startswith(self.server.closed):
            self._send(403, "application/xml", b"<Error><Code>AccessDenied</Code></Error>")
            return
        if name == "wms":
            self._draw({key.upper(): values[0] for key, values in asked_for.items()})
            return
        if file.is_dir() and "prefix" in asked_for:
            self._list(file, name.strip("/"), asked_for["prefix"][0])
            return
        if not name or not file.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = file.read_bytes()
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, len(content) - 1
        if asked:
            self.server.ranges += 1
            first, last = int(asked[1]), min(int(asked[2] or last), last)
        body = content[first : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if name in self.server.broken:
            body, self.close_connection = body[: len(body) // 2], True
        if with_body:
            self.server.sent[name] = self.server.sent.get(name, 0) + len(body)
            self.wfile.write(body)

    def _list(self, bucket: Path, name: str, prefix: str) -> None:
        """What a store of objects says of those whose names begin so."""
        objects = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<Size>{path.stat().st_size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for path in sorted(bucket.rglob("*"))
            if path.is_file() and (key := str(path.relative_to(bucket))).startswith(prefix)
        )
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        body = (
            f'<?xml version="1.0"?><ListBucketResult xmlns="{space}"><Name>{name}</Name>'
            f"<Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>"
        ).encode()
        self._send(200, "application/xml", body)

    def _draw(self, asked: dict[str, str]) -> None:
        """A part of a layer as PNG, or what such services say of one that they lack."""
        file = self.server.folder / f"{asked['LAYERS']}.tif"
        if not file.is_file():
            told = b"<ServiceExceptionReport>no such layer</ServiceExceptionReport>"
            self._send(200, "application/vnd.ogc.se_xml", told)
            return
        box = [float(value) for value in asked["BBOX"].split(",")]
        self.server.maps.append(box)
        shape = int(asked["HEIGHT"]), int(asked["WIDTH"])
        with rasterio.open(file) as layer:
            window = layer.window(*box)
            bands = layer.read(window=window, out_shape=(3, *shape), boundless=True)
        _, content = cv2.imencode(".png", np.moveaxis(bands[::-1], 0, -1))
        self._send(200, "image/png", content.tobytes())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The server while it runs."""
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":  # python -m tests.support.http_server FOLDER, which prints the address
    server = Server(Path(sys.argv[1]))
    print(server.address, flush=True)
    server.serve_forever()
