"""A file server on this machine that answers well or badly, as its routes say."""

import contextlib
import http.server
import socketserver
import threading

import numpy as np

BODY = b'\x80' + np.random.RandomState(0).bytes(299999)  # starts like a pickle


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """routes: path -> function of the request's handler. asked: (path, Range, If-Range) so far."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.routes, self.asked = {}, []

    def route(self, path, answer):
        """Answer `path`, which may hold a query, by `answer`; returns its whole address."""
        self.routes[path] = answer
        return f'http://127.0.0.1:{self.server_address[1]}{path}'

    def ranges(self):
        """The Range headers of the requests so far, None for one without."""
        return [wanted for _, wanted, _ in self.asked]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers['Range'], self.headers['If-Range']))
        self.server.routes[self.path](self)
        self.close_connection = True

    def log_message(self, *words):
        pass


def reply(handler, status, body, **headers):
    """Send a status, headers (written with _ for -) and a body."""
    handler.send_response(status)
    for name, value in dict({'Content_Length': len(body)}, **headers).items():
        if value is not None:
            handler.send_header(name.replace('_', '-'), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def whole(body=BODY, status=200, **headers):
    """An answer that ignores Range."""
    return lambda handler: reply(handler, status, body, **headers)


def ranged(body=BODY, tag='"one"', drops=()):
    """An answer that honours Range and If-Range.

    drops: for each of the first requests, the byte of the file before which it hangs up.
    """
    drops = list(drops)

    def answer(handler):
        start, status, headers = 0, 200, {'ETag': tag}
        wanted = handler.headers['Range']
        if wanted and handler.headers['If-Range'] in (None, tag):
            start, status = int(wanted[len('bytes='):-1]), 206
            headers['Content_Range'] = f'bytes {start}-{len(body) - 1}/{len(body)}'
            if start >= len(body):
                return reply(handler, 416, b'', Content_Range=f'bytes */{len(body)}')
        headers['Content_Length'] = len(body) - start
        return reply(handler, status, body[start:drops.pop(0) if drops else None], **headers)
    return answer


def in_turn(*answers):
    """Each answer once, the last one ever after."""
    waiting = list(answers)

    def answer(handler):
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)
    return answer


@contextlib.contextmanager
def running():
    """A Server that answers while the block runs."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
