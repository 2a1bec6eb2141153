"""The web server of the explorer: its addresses, the checks of each request, and events.

Every request must name this machine (no other site can be resolved to it), come from the page
itself, and, if it changes or starts anything, say so in its Origin. Long work answers with
server-sent events; a client that goes away cancels it.
"""

import functools
import ipaddress
import json
import pathlib
import socket
import tempfile
import urllib.parse

import flask
import werkzeug.exceptions

from catalog.page import build
from dnnlib import files, images
from dnnlib.files import UserError
from explore import tray
from explore.items import Gone
from explore.studio import STRONGEST
from explore.worker import Broken, Busy, Cancelled, Dropped

WALL = 24  # products drawn at once
LARGEST_UPLOAD = 20 << 20  # bytes
_THUMBNAIL = 160  # px
_PATIENCE = 1.0  # seconds after which a silent stream looks whether its client is still there
_FOREVER = 'private, max-age=31536000, immutable'
_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
           "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
           "require-trusted-types-for 'script'")
_HEADERS = {'Content-Security-Policy': _POLICY, 'X-Content-Type-Options': 'nosniff',
            'Referrer-Policy': 'no-referrer', 'Cross-Origin-Resource-Policy': 'same-origin',
            'Cross-Origin-Opener-Policy': 'same-origin'}
_STATUS = ((Gone, 410), (Busy, 503), (files.DiskFull, 507), (UserError, 400), (OSError, 500),
           (Broken, 500))
_ROUTES = (
    ('GET', '/', 'page'), ('GET', '/page.css', 'page_style'), ('GET', '/state', 'state'),
    ('GET', '/wall', 'wall'), ('GET', '/pictures/<name>.png', 'picture'),
    ('GET', '/seen/<name>', 'seen'), ('GET', '/moved/<name>.png', 'moved_picture'),
    ('GET', '/walked/<first>/<last>.png', 'walked_picture'),
    ('GET', '/neighbours/<name>', 'neighbours'), ('GET', '/products/<int:index>.png', 'thumbnail'),
    ('POST', '/moved', 'moved'), ('POST', '/walked', 'walked'), ('POST', '/mixed', 'mixed'),
    ('POST', '/edited', 'edited'), ('POST', '/described', 'described'),
    ('POST', '/projected', 'projected'), ('POST', '/uploaded', 'uploaded'),
    ('POST', '/tray', 'save'))


def allowed(host, bound):
    """Whether a request's Host names this server, which is bound to the address `bound`.

    A name of somebody else's that is resolved to this machine (DNS rebinding) is not allowed.
    """
    try:
        name = urllib.parse.urlsplit('//' + host).hostname or ''
    except ValueError:
        return False
    try:
        known = ipaddress.ip_address(name)
    except ValueError:
        return name in ('localhost', bound) or (
            name == socket.gethostname().lower() and not is_local(bound))
    return known.is_loopback or not is_local(bound)


def is_local(bound):
    """Whether an address to bind to can be reached from this machine alone."""
    try:
        return bound == 'localhost' or ipaddress.ip_address(bound).is_loopback
    except ValueError:
        return False


class Server:
    """The Flask app, `app`, of a Studio and its Worker.

    bound: the address that it is bound to. out: the folder in which the tray is saved.
    facts: (label, value) pairs about the models, for pages.
    preparing: {'editing': sentence, 'catalogue': sentence} of what is not ready yet.
    """

    def __init__(self, studio, worker, *, bound, out, facts):
        self._studio, self._worker = studio, worker
        self._bound, self._out, self._facts = bound, out, facts
        self.preparing = {}
        self.app = flask.Flask(__name__)
        self.app.json.sort_keys = False  # the order of attributes is the tagger's
        for method, rule, name in _ROUTES:
            self.app.add_url_rule(rule, name, getattr(self, name), methods=[method])
        self.app.before_request(self._check)
        self.app.after_request(_protect)
        for kind in (UserError, OSError, Broken):
            self.app.register_error_handler(kind, _refuse)
        self.app.register_error_handler(Dropped, lambda error: ('', 204))
        self.app.register_error_handler(werkzeug.exceptions.HTTPException, _refuse_plainly)
        self._thumbnail = functools.lru_cache(maxsize=2000)(self._draw_thumbnail)

    def _check(self):
        """Refuse a request that another site has caused, or that is too large."""
        request = flask.request
        if not allowed(request.host, self._bound):
            flask.abort(403, f'this server does not answer for {files.printable(request.host)}')
        if request.headers.get('Sec-Fetch-Site', 'none') not in ('same-origin', 'none'):
            flask.abort(403, 'only the page itself may ask')
        if (request.content_length or 0) > LARGEST_UPLOAD:
            flask.abort(413)
        if request.method != 'GET' and request.headers.get('Origin') != request.host_url[:-1]:
            flask.abort(403, 'only the page itself may change anything')

    # --- The page.

    def page(self):
        """The page."""
        return flask.render_template('explore.html', strongest=STRONGEST)

    def page_style(self):
        """The style that it shares with the page of `run.py samples`."""
        return flask.send_file(str(build.STYLE), mimetype='text/css', conditional=True)

    def state(self):
        """What the page has to know of the models, and what is not ready yet."""
        editor, library = self._studio.editor, self._studio.catalogue
        return {
            'preparing': self.preparing, 'wall': WALL, 'largest': LARGEST_UPLOAD,
            'heads': self._studio.taggers.images.heads,
            'directions': [{'name': each.name, 'kind': each.kind}
                           for each in editor.directions.values()] if editor else [],
            'categories': library.categories if library else [],
            'products': len(library.products) if library else 0}

    # --- Images.

    def wall(self):
        """The next products of the wall."""
        first = _number('first', int, 0, 2 ** 32 - 1)
        count = _number('count', int, 1, WALL)
        psi = _number('psi', float, -2, 2)
        seeds = [(first + i) % 2 ** 32 for i in range(count)]
        made = self._worker.do(lambda: self._studio.wall(seeds, psi))
        return {'items': [_shown(each) for each in made]}

    def picture(self, name):
        """The PNG of an item."""
        png = self._studio.store.png(name) or self._worker.do(lambda: self._studio.picture(name))
        return _png(png, _FOREVER)

    def seen(self, name):
        """What the tagger sees in an item."""
        return self._worker.do(lambda: self._studio.seen(name))

    def moved_picture(self, name):
        """An item moved along directions; of a client's requests the newest one counts."""
        moves = _moves(flask.request.args.get('moves', '{}'))
        return _png(self._worker.do(lambda: self._studio.moved_png(name, moves), _client()))

    def walked_picture(self, first, last):
        """An image on the way from one item to another."""
        t = _number('t', float, 0, 1)
        return _png(self._worker.do(lambda: self._studio.walked_png(first, last, t), _client()))

    # --- Items.

    def moved(self):
        """Keep an item moved along directions."""
        body = _body()
        moves = _moves(json.dumps(body.get('moves')))
        return _shown(self._worker.do(lambda: self._studio.moved(_text(body, 'item'), moves)))

    def walked(self):
        """Keep an image on the way from one item to another."""
        body = _body()
        t = body.get('t')
        if not isinstance(t, (int, float)) or not 0 <= t <= 1:
            raise UserError('t is between 0 and 1')
        return _shown(self._worker.do(lambda: self._studio.walked(
            _text(body, 'first'), _text(body, 'last'), t)))

    def mixed(self):
        """An item with the styles of another one in each band of layers."""
        body = _body()
        made = self._worker.do(lambda: self._studio.mixed(
            _text(body, 'source'), _text(body, 'target')))
        return {'items': {band: _shown(each) for band, each in made.items()}}

    def edited(self):
        """Change an item so that it shows a value: events."""
        body = _body()
        name, head, value = [_text(body, key) for key in ('item', 'head', 'value')]

        def work(job):
            made, shown = self._studio.edited(name, head, value)
            return dict(_shown(made), shown=shown)
        return self._events(work)

    def described(self):
        """Write about an item: events."""
        body = _body()
        name, words, attempt = _text(body, 'item'), _text(body, 'words')[:500], body.get('attempt')
        if not isinstance(attempt, int) or not 0 <= attempt < 1000:
            raise UserError('attempt is a number from 0 on')
        return self._events(lambda job: self._studio.described(
            name, words, attempt, lambda text: job.report('words', text=text)))

    # --- The catalogue and real images.

    def neighbours(self, name):
        """The catalogue's products most like an item."""
        category = flask.request.args.get('category', '')
        colour, count = _number('colour', float, 0, 1), _number('count', int, 1, 48)
        found = self._worker.do(lambda: self._studio.neighbours(name, category, colour, count))
        products = self._studio.catalogue.products
        return {'products': [{
            'index': index, 'similarity': round(similarity, 3),
            'category': products[index].category, 'description': products[index].description,
            'name': products[index].name} for index, similarity in found]}

    def thumbnail(self, index):
        """A small image of a product of the catalogue."""
        return _png(self._thumbnail(index, self._studio.catalogue))

    def _draw_thumbnail(self, index, library):
        picture = images.open_rgb(_product(library, index).image, draft=2 * _THUMBNAIL)
        return images.png(images.square(picture, _THUMBNAIL))

    def projected(self):
        """Find the styles of a product of the catalogue: events."""
        index = _body().get('product')
        product = _product(self._studio.catalogue, index if isinstance(index, int) else -1)
        return self._project(product.image, product.name)

    def uploaded(self):
        """Find the styles of an uploaded image, the body of the request: events."""
        name = flask.request.args.get('name', 'photo')[:100]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'upload'
            path.write_bytes(flask.request.get_data(cache=False))
            try:
                return self._project(path, name)
            except images.Unreadable as error:
                raise UserError(f'{files.printable(name)} {error.reason}')

    def _project(self, path, name):
        target = images.square(images.open_rgb(path), self._studio.gan.res)

        def work(job):
            made = self._studio.projected(target, name, lambda done, item: job.report(
                'progress', done=done, item=item))
            return _shown(made)
        return self._events(work)

    # --- The tray.

    def save(self):
        """Save picks as a catalogue."""
        body = _body()
        picks = body.get('picks')
        if not isinstance(picks, list) or not 0 < len(picks) <= tray.MOST:
            raise UserError(f'pick 1 to {tray.MOST} products')
        names = [_text(pick, 'item') for pick in picks]
        texts = [_text(pick, 'text') for pick in picks]
        chosen = self._worker.do(lambda: self._studio.picked(names, texts))
        folder = tray.save(self._out, _text(body, 'name').strip(), chosen, self._facts)
        return {'folder': str(folder), 'count': len(picks)}

    def _events(self, work):
        """A response of server-sent events: what long work reports, and its result."""
        job = self._worker.submit(work, long=True)

        def lines():
            try:
                for kind, facts in job.events(_PATIENCE):
                    if kind == 'idle':  # also tells whether the client is still there
                        kind, facts = 'waiting', {'before': self._worker.waiting(job)}
                    yield f'event: {kind}\ndata: {json.dumps(facts)}\n\n'
            except (UserError, OSError, Broken, Cancelled) as error:
                yield f'event: error\ndata: {json.dumps({"error": _sentence(error)})}\n\n'
        return flask.Response(lines(), mimetype='text/event-stream',
                              headers={'Cache-Control': 'no-store'})


# --- Requests.

def _number(name, kind, least, most):
    """A number in the query. Raises UserError."""
    try:
        value = kind(flask.request.args.get(name, ''))
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise UserError(f'{name} is a number from {least} to {most}')
    return value


def _body():
    """The JSON object in a request. Raises UserError."""
    body = flask.request.get_json(silent=True)
    if not isinstance(body, dict):
        raise UserError('the request holds no JSON object')
    return body


def _text(body, key):
    """A string in a JSON object. Raises UserError."""
    if not isinstance(body, dict) or not isinstance(body.get(key), str):
        raise UserError(f"the request lacks the text '{key}'")
    return body[key]


def _moves(text):
    """The moves in a JSON text: {direction: strength}. Raises UserError."""
    try:
        moves = files.parse_json(text)
    except ValueError:
        moves = None
    if not isinstance(moves, dict) or len(moves) > 100:
        raise UserError('moves are an object of directions and strengths')
    return moves


def _client():
    return flask.request.args.get('client', '')[:40] or None


def _product(library, index):
    """A product of the catalogue. Raises UserError."""
    if library is None or not 0 <= index < len(library.products):
        raise Gone('there is no such product in the catalogue')
    return library.products[index]


# --- Responses.

def _shown(made):
    """An Item for the page."""
    return {'item': made.name, 'origin': made.origin, 'caption': tray.caption(made.origin)}


def _png(data, caching='no-store'):
    return flask.Response(data, mimetype='image/png', headers={'Cache-Control': caching})


def _protect(response):
    """The headers that let nothing but the page's own files run and load."""
    response.headers.update(_HEADERS)
    response.headers.setdefault('Cache-Control', 'no-store')
    return response


def _sentence(error):
    """What the user reads of an exception."""
    if isinstance(error, Broken):
        return 'this failed by a fault of the program; its terminal says more'
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the disk'}: {error.strerror.lower()}"
    return str(error) or 'cancelled'


def _refuse(error):
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return {'error': _sentence(error)}, status


def _refuse_plainly(error):
    sentence = error.description
    if error.code == 413:
        sentence = f'the file is larger than {LARGEST_UPLOAD >> 20} MB; give a smaller image'
    return {'error': sentence}, error.code
