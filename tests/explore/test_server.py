"""The server: what it answers, whom it refuses, and what it survives."""

import io
import json
import socket

import numpy as np
import pytest
import toy_explorer
from PIL import Image

from explore import library, server

PAGE = {'Origin': toy_explorer.HOST, 'Host': 'localhost:8017'}


@pytest.fixture(scope='module')
def parts(tmp_path_factory):
    made, studio, worker = toy_explorer.server(tmp_path_factory.mktemp('server'))
    folder = tmp_path_factory.mktemp('catalogue')
    studio.catalogue = library.read(toy_explorer.products(folder), studio.taggers.images,
                                  folder / 'cache.npz', lambda: None)
    yield made, studio
    worker.close()


@pytest.fixture
def client(parts):
    return parts[0].app.test_client()


def _get(client, address, **more):
    return client.get(address, headers={'Host': PAGE['Host']}, **more)


def _post(client, address, body):
    return client.post(address, json=body, headers=PAGE)


def _items(client, count=2):
    return [each['item'] for each in _get(
        client, f'/wall?first=0&count={count}&psi=0.7').get_json()['items']]


def _events(response):
    assert response.mimetype == 'text/event-stream'
    found = []
    for event in response.get_data(as_text=True).strip().split('\n\n'):
        kind, data = event.split('\n')
        found.append((kind[len('event: '):], json.loads(data[len('data: '):])))
    return found


def test_the_page_and_its_files_come_with_a_policy(client):
    for address, kind in (('/', 'text/html'), ('/page.css', 'text/css'),
                          ('/static/explore.js', 'text/javascript')):
        response = _get(client, address)
        assert response.status_code == 200 and response.mimetype.replace(
            'application/', 'text/') == kind
        policy = response.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and 'unsafe' not in policy
        assert response.headers['X-Content-Type-Options'] == 'nosniff'
    assert _get(client, '/static/../server.py').status_code == 404


def test_what_the_page_must_know(client):
    state = _get(client, '/state').get_json()
    assert next(iter(state['heads'])) == 'category' and state['products'] == 6
    assert {'name': 'pca0', 'kind': 'pca'} in state['directions']
    assert state['preparing'] == {} and state['wall'] == 24


def test_images_are_pngs_that_browsers_may_keep(client):
    item, _ = _items(client)
    response = _get(client, f'/pictures/{item}.png')
    assert np.asarray(Image.open(io.BytesIO(response.data))).shape == (16, 16, 3)
    assert 'immutable' in response.headers['Cache-Control']
    moved = _get(client, f'/moved/{item}.png?moves={{"pca0": 2}}&client=1')
    assert moved.data != response.data and moved.headers['Cache-Control'] == 'no-store'


def test_changes_give_items_and_long_ones_events(client):
    first, second = _items(client)
    moved = _post(client, '/moved', {'item': first, 'moves': {'pca0': 1}}).get_json()
    assert moved['caption'] == 'seed 0 · psi 0.7 · pca0=+1'
    mixed = _post(client, '/mixed', {'source': second, 'target': first}).get_json()['items']
    assert set(mixed) == {'coarse', 'middle', 'fine'}
    walked = _post(client, '/walked', {'first': first, 'last': second, 't': 0.5}).get_json()
    assert _get(client, f"/pictures/{walked['item']}.png").status_code == 200
    seen = _get(client, f'/seen/{first}').get_json()
    colour = next(value for value in ('red', 'blue') if value != seen['attributes']['colour'])
    events = _events(_post(client, '/edited', {'item': first, 'head': 'colour', 'value': colour}))
    assert events[-1][0] == 'result' and f'colour={colour}' in events[-1][1]['caption']
    events = _events(_post(client, '/described', {'item': first, 'words': '', 'attempt': 0}))
    assert events[-1][1]['text'] and 'agreement' in events[-1][1]


def test_neighbours_and_their_images(client):
    item, _ = _items(client)
    found = _get(client, f'/neighbours/{item}?category=skirt&colour=0.5&count=2').get_json()
    assert [each['category'] for each in found['products']] == ['skirt', 'skirt']
    thumbnail = _get(client, f"/products/{found['products'][0]['index']}.png")
    assert thumbnail.mimetype == 'image/png'
    assert thumbnail.headers['Cache-Control'] == 'no-store'  # the next catalogue has its own 0.png
    assert _get(client, '/products/6.png').status_code == 410


def test_picks_are_saved(client, parts):
    first, second = _items(client)
    body = {'name': 'mine', 'picks': [{'item': first, 'text': 'A dress.'},
                                      {'item': second, 'text': ''}]}
    saved = _post(client, '/tray', body).get_json()
    assert saved['count'] == 2 and saved['folder'].endswith('mine')
    again = _post(client, '/tray', body)
    assert again.status_code == 400 and 'give another name' in again.get_json()['error']


# --- Whom it refuses.

@pytest.mark.parametrize('host, bound, expected', [
    ('localhost:8017', '127.0.0.1', True), ('127.0.0.1:8017', '127.0.0.1', True),
    ('[::1]:8017', '::1', True), ('evil.example:8017', '127.0.0.1', False),
    ('localhost.evil.example', '127.0.0.1', False), ('192.168.1.7:8017', '127.0.0.1', False),
    ('192.168.1.7:8017', '0.0.0.0', True), ('evil.example', '0.0.0.0', False),
    (socket.gethostname() + ':80', '0.0.0.0', True),
    ('shop.local:80', 'shop.local', True), ('', '127.0.0.1', False), ('[', '127.0.0.1', False)])
def test_only_its_own_names_are_answered(host, bound, expected):
    assert server.allowed(host, bound) is expected


def test_another_site_neither_asks_nor_changes_anything(client):
    item, _ = _items(client)
    rebound = client.get('/state', headers={'Host': 'evil.example'})
    embedded = client.get('/state', headers={'Host': PAGE['Host'], 'Sec-Fetch-Site': 'cross-site'})
    assert rebound.status_code == embedded.status_code == 403
    for origin in (None, 'null', 'http://evil.example', 'http://localhost:9999'):
        headers = dict({'Host': PAGE['Host']}, **{'Origin': origin} if origin else {})
        refused = client.post('/moved', json={'item': item, 'moves': {}}, headers=headers)
        assert refused.status_code == 403
        assert 'only the page itself' in refused.get_json()['error']


@pytest.mark.parametrize('address', [
    '/wall', '/wall?first=-1&count=3&psi=1', '/wall?first=0&count=999&psi=1',
    '/wall?first=0&count=3&psi=nan', '/wall?first=0&count=3&psi=1e9',
    '/wall?first=4294967296&count=1&psi=1'])
def test_a_wall_that_cannot_be_is_refused_with_a_sentence(client, address):
    response = _get(client, address)
    assert response.status_code == 400 and ' is a number from ' in response.get_json()['error']


@pytest.mark.parametrize('moves', ['', '[]', '{"pca0": 1e999}', '{"pca0": "1"}', '{"x": 1}',
                                   '{"pca0": null}', '[' * 100000])
def test_moves_that_are_none_are_refused_with_a_sentence(client, moves):
    item, _ = _items(client)
    response = _get(client, f'/moved/{item}.png', query_string={'moves': moves})
    assert response.status_code == 400 and response.get_json()['error']


@pytest.mark.parametrize('address, body', [
    ('/moved', []), ('/moved', {'item': 7}), ('/walked', {'first': 'a', 'last': 'b', 't': 2}),
    ('/tray', {'picks': [], 'name': 'x'}), ('/tray', {'picks': ['x'], 'name': 'x'}),
    ('/described', {'item': 'x', 'words': '', 'attempt': -1})])
def test_bodies_that_are_none_are_refused_with_a_sentence(client, address, body):
    response = _post(client, address, body)
    assert response.status_code == 400 and response.get_json()['error']


def test_what_is_not_there_is_told(client):
    for address in ('/pictures/0123456789abcdef.png', '/seen/x', '/moved/x.png?moves={}'):
        response = _get(client, address)
        assert response.status_code == 410 and 'no longer held' in response.get_json()['error']
    assert _get(client, '/nothing').status_code == 404
    assert _events(_post(client, '/edited', {
        'item': 'x', 'head': 'colour', 'value': 'red'}))[-1][0] == 'error'


# --- Uploads.

def _upload(client, data, name='a photo.png'):
    return client.post('/uploaded', data=data, query_string={'name': name}, headers=PAGE)


@pytest.mark.parametrize('data, words', [
    (b'', 'is not a readable'), (b'%PDF-1.4', 'is not a readable'),
    (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', 'is not a readable'),
    (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'is not a readable'),
    (b'\x89PNG\r\n\x1a\n' + bytes(100), 'is not a readable')])
def test_an_upload_that_is_no_image_is_refused_with_a_sentence(client, data, words):
    response = _upload(client, data)
    assert response.status_code == 400
    assert response.get_json()['error'].startswith('a photo.png ')
    assert words in response.get_json()['error'] and '/tmp' not in response.get_json()['error']


def test_an_upload_that_is_too_large_is_refused_with_a_sentence(client):
    response = _upload(client, bytes(server.LARGEST_UPLOAD + 1))
    assert response.status_code == 413 and '20 MB' in response.get_json()['error']


@pytest.mark.slow
def test_a_photo_is_projected(client):
    data = io.BytesIO()
    Image.new('RGB', (60, 80), (200, 30, 40)).save(data, 'JPEG')
    events = _events(_upload(client, data.getvalue(), 'red.jpg'))
    assert events[-1][0] == 'result' and events[-1][1]['caption'] == 'target red.jpg'
    assert any(kind == 'progress' for kind, _ in events)
