"""A server on the loopback interface that misbehaves as it is told."""

import hashlib
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATA = random.Random(0).randbytes(100_000)
SHA = hashlib.sha256(DATA).hexdigest()
PIECE = 1 << 12


class Unruly(BaseHTTPRequestHandler):
    """Serve ``server.data``; the next of ``server.acts`` says how badly."""

    def do_GET(self):
        """Answer one request."""
        site = self.server
        site.asked.append((self.path, self.headers.get('Range')))
        act = site.acts.pop(0) if site.acts else 'serve'
        getattr(self, act.replace('-', '_'))()

    def span(self):
        """Say from which byte on the client may have the file."""
        asked = self.headers.get('Range')
        same = self.headers.get('If-Range') in (None, self.server.etag)
        return int(asked[len('bytes=') : -1]) if asked and same else 0

    def head(self, start, length=None, status=None, first=None):
        """Send the head of an answer, honest unless told otherwise."""
        size = len(self.server.data)
        self.send_response(status or (206 if start else 200))
        if start and status is None:
            first = start if first is None else first
            value = f'bytes {first}-{size - 1}/{size}'
            self.send_header('Content-Range', value)
        length = size - start if length is None else length
        if length >= 0:
            self.send_header('Content-Length', str(length))
        if self.server.etag:
            self.send_header('ETag', self.server.etag)
        self.end_headers()

    def send(self, data):
        """Send in pieces, so that a client can be killed between them."""
        for i in range(0, len(data), PIECE):
            self.wfile.write(data[i : i + PIECE])
            time.sleep(self.server.pause)

    def serve(self):
        """Send what was asked for."""
        start = self.span()
        self.head(start)
        self.send(self.server.data[start:])

    def half(self):
        """End in the middle."""
        start = self.span()
        self.head(start)
        rest = self.server.data[start:]
        self.send(rest[: len(rest) // 2])

    def stall(self):
        """Fall silent in the middle."""
        self.half()
        self.wfile.flush()
        self.server.awake.wait(60)

    def corrupt(self):
        """Send a wrong byte."""
        start = self.span()
        self.head(start)
        wrong = bytearray(self.server.data[start:])
        wrong[len(wrong) // 2] ^= 1
        self.send(wrong)

    def say_less(self):
        """Promise less than there is."""
        self.head(0, len(self.server.data) // 2)
        self.send(self.server.data)

    def say_more(self):
        """Promise more than there is."""
        start = self.span()
        self.head(start, 2 * len(self.server.data))
        self.send(self.server.data[start:])

    def say_nothing(self):
        """Promise no length."""
        self.head(0, -1)
        self.send(self.server.data)

    def whole(self):
        """Ignore that only a part was asked for."""
        self.head(0)
        self.send(self.server.data)

    def careless(self):
        """Send a part even if it is that of another file."""
        start = int(self.headers['Range'][len('bytes=') : -1])
        self.head(start)
        self.send(self.server.data[start:])

    def elsewhere(self):
        """Send another part than was asked for."""
        start = self.span()
        self.head(start, first=start + 1 if start else None)
        self.send(self.server.data[start:])

    def nonsense(self):
        """Promise a length that is no number."""
        self.send_response(200)
        self.send_header('Content-Length', 'many')
        self.end_headers()
        self.send(self.server.data)

    def beyond(self):
        """Say that nothing is left to send."""
        self.send_error(416)

    def busy(self):
        """Ask to come back later."""
        self.send_error(503)

    def gone(self):
        """Know nothing."""
        self.send_error(404)

    def page(self):
        """Send a page to sign in, with status 200."""
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(b'<html>Sign in</html>')

    def redirect(self):
        """Send on to another address."""
        self.send_response(302)
        self.send_header('Location', '/elsewhere.pth')
        self.end_headers()

    def circle(self):
        """Send back to the same address, again and again."""
        self.server.acts.insert(0, 'circle')
        self.send_response(302)
        self.send_header('Location', self.path)
        self.end_headers()

    def lure(self):
        """Send on to a file of the client."""
        self.send_response(302)
        self.send_header('Location', 'file:///etc/hostname')
        self.end_headers()

    def hang_up(self):
        """Answer nothing at all."""
        self.close_connection = True

    def log_message(self, *args):
        """Say nothing."""


class Site(ThreadingHTTPServer):
    """The server, its file and its mood.

    Args:
        data (bytes): The file that it serves under any path.
    """

    daemon_threads = True

    def __init__(self, data=DATA, handler=Unruly):
        super().__init__(('127.0.0.1', 0), handler)
        self.data, self.etag = data, '"v1"'
        self.acts, self.asked = [], []
        self.pause, self.awake = 0.0, threading.Event()
        self.url = f'http://127.0.0.1:{self.server_port}/x.pth'
        threading.Thread(
            target=self.serve_forever, args=(0.01,), daemon=True
        ).start()

    def handle_error(self, request, address):
        """Let clients hang up."""

    def ranges(self):
        """Give the ranges that were asked for."""
        return [span for _, span in self.asked]

    def close(self):
        """End all answers."""
        self.awake.set()
        self.shutdown()
        self.server_close()
