"""A page served to this machine alone, on a random port, under an address that nobody can guess."""

import secrets
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"  # others on this machine reach it, too: hence the secret in the address


class Server(ThreadingHTTPServer):
    """Answers with one page, to whoever knows the address."""

    def __init__(self, page: str):
        self.page = page.encode()
        self.path = f"/{secrets.token_urlsafe(16)}/"
        super().__init__((HOST, 0), Handler)

    @property
    def address(self) -> str:
        """Give the address of the page."""
        return f"http://{HOST}:{self.server_port}{self.path}"


class Handler(BaseHTTPRequestHandler):
    """Knows one path and one host; a name that was bound to this machine is no host of ours."""

    server: Server

    def do_GET(self) -> None:
        """Send the page, or say that there is nothing."""
        host = f"{HOST}:{self.server.server_port}"
        known = secrets.compare_digest(self.path.encode(), self.server.path.encode())
        if not known or self.headers.get("Host") != host:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.server.page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the address would stand in the log."""


def serve(server: Server) -> None:
    """Answer until interrupted."""
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()
