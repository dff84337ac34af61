"""A package index on loopback that speaks mip's protocol, as micropython-lib's build writes it."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Index:
    """`answers`: {path: (status, headers, body)}; `asked`: every path that was asked for."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                index.asked.append(self.path)
                status, headers, body = index.answers.get(self.path, (404, {}, b"not found"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/pi/v2"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, name: str, version: str, files: dict[str, bytes], **more) -> None:
        """A package as the index has it: its files by hash, its JSON, its latest version."""
        hashes = []
        for path, data in files.items():
            digest = hashlib.sha256(data).hexdigest()[:8]
            hashes.append([path, digest])
            self.put(f"/pi/v2/file/{digest[:2]}/{digest}", data)
        said = {"v": 1, "hashes": hashes, "version": version, **more}
        body = json.dumps(said, separators=(",", ":")).encode() + b"\n"
        for known in (version, "latest"):
            self.put(f"/pi/v2/package/py/{name}/{known}.json", body)

    def put(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[path] = (status, headers, body)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
