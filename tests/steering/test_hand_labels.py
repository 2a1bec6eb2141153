"""The labelling page works offline; its table and others are read."""

import base64
import hashlib
import html.parser
import re
import time

import browser
import numpy as np
import pytest

from dnnlib import images
from dnnlib.files import UserError
from steering import hand_labels

_HOSTILE = '"\'><script>alert("x")</script> & $name {{ name }} </script> 👗'

class _Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ''
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def _write(folder, name='sleeve=long sleeves', count=4):
    pictures = np.random.RandomState(0).randint(0, 256, [count, 8, 8, 3]).astype(np.uint8)
    hand_labels.write(folder, name, pictures, seeds=range(10, 10 + count), psi=0.7,
                    origin={'synthetic': 'yes'})
    return pictures, (folder / 'index.html').read_text(encoding='utf-8')


def test_every_image_is_beside_the_page_with_its_origin(tmp_path):
    pictures, text = _write(tmp_path)
    shown = [attrs['src'] for attrs in _Reader(text).of('img')]
    for picture, name in zip(pictures, shown):
        assert np.array_equal(images.read_rgb(tmp_path / name), picture)
    assert images.read_origin(tmp_path / shown[1]) == {'synthetic': 'yes', 'seed': '11',
                                                       'psi': '0.7'}


def test_needs_no_network(tmp_path):
    _, text = _write(tmp_path)
    assert not re.search(r'https?:|//|@import|url\(|<script\s+src|\son\w+=|javascript:', text)
    assert not re.search(r'\b(fetch|XMLHttpRequest|WebSocket|import)\b', text)
    addresses = [attrs.get('src', attrs.get('href'))
                 for tag in ('img', 'a', 'link', 'script') for attrs in _Reader(text).of(tag)]
    for address in filter(None, addresses):
        assert address == 'data:,' or (tmp_path / address).exists()


def test_keyboard_and_screen_reader_access(tmp_path):
    reader = _Reader(_write(tmp_path)[1])
    assert reader.of('html')[0]['lang'] == 'en'
    assert len(reader.of('fieldset')) == len(reader.of('legend')) == 4
    assert len(reader.of('label')) == len(reader.of('input')) == 8
    assert all(attrs['alt'] for attrs in reader.of('img'))
    assert reader.of('output')[0]['aria-live'] == 'polite'
    assert any('width=device-width' in attrs.get('content', '') for attrs in reader.of('meta'))


def test_a_hostile_name_is_only_text(tmp_path):
    plain, hostile = [_Reader(_write(tmp_path / str(index), name)[1])
                      for index, name in enumerate(['a', _HOSTILE])]
    assert [tag for tag, _ in plain.found] == [tag for tag, _ in hostile.found]
    assert _HOSTILE in hostile.text
    main, = hostile.of('main')
    assert (main['data-name'], main['data-psi']) == (_HOSTILE, '0.7')


def test_only_its_own_script_and_style_may_run(tmp_path):
    _, text = _write(tmp_path, _HOSTILE)
    metas = [attrs for attrs in _Reader(text).of('meta') if 'http-equiv' in attrs]
    policy = dict(part.strip().split(' ', 1) for part in metas[0]['content'].split(';'))
    assert metas[0]['http-equiv'] == 'Content-Security-Policy'
    assert policy['default-src'] == policy['base-uri'] == policy['form-action'] == "'none'"
    for tag in ('script', 'style'):
        own = re.search(f'<{tag}>(.*?)</{tag}>', text, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(own.encode('utf-8')).digest()).decode('ascii')
        assert policy[tag + '-src'] == f"'sha256-{digest}'"
    assert text.index('Content-Security-Policy') < text.index('<style>')


@pytest.mark.parametrize('name', ['', ' ', 'seed', 'psi', 'a\nb', 'a\x1b[31mb', 'a' * 201])
def test_names_that_cannot_be_columns(tmp_path, name):
    with pytest.raises(UserError, match='--name elegant'):
        _write(tmp_path, name)


@pytest.mark.skipif(browser.PROGRAM is None, reason='there is no Chromium here')
def test_clicks_and_keys_become_a_table(tmp_path):
    """Under the page's own Content-Security-Policy."""
    _write(tmp_path, _HOSTILE)
    chromium = browser.Browser(tmp_path / 'profile')
    try:
        chromium.open(tmp_path / 'index.html')
        chromium.click('fieldset[data-seed="12"] label:last-of-type')  # no
        chromium.run('go(0)')
        for key in ('y', 's', 'y', 'u', 'n'):
            chromium.run(f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}))")
        shown = "[table(), document.getElementById('count').textContent]"
        first = chromium.run(shown)
        # Answers are kept. Chromium hands a new process what an old one stored after a moment.
        again, end = None, time.time() + browser.PATIENCE
        while again != first and time.time() < end:
            chromium.open(tmp_path / 'index.html')
            again = chromium.run(shown)
        assert again == first
        assert chromium.run('document.images.length') == 4
        chromium.wait('[...document.images].every(one => one.naturalWidth === 8)')
        assert chromium.said == []
        assert {address.split(':')[0] for address in chromium.asked} <= {'file', 'data'}
        chromium.run('document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\'"'
                     ' + "document.title = 1\'>"); new Promise(done => setTimeout(done, 200))')
        assert chromium.run('document.title') == f'Label: {_HOSTILE}'
    finally:
        chromium.close()
    table, count = first
    assert table.splitlines()[1:] == ['10,0.7,yes', '12,0.7,no']
    assert count == '1 yes, 1 no, 2 open'
    (tmp_path / 'labels.csv').write_text(table, encoding='utf-8')
    assert hand_labels.read(tmp_path / 'labels.csv') == {
        _HOSTILE: [(10, 0.7, True), (12, 0.7, False)]}


@pytest.mark.parametrize('table, expected', [
    ('seed,elegant\n1,yes\n2,No\n3,\n4,1\n',
     {'elegant': [(1, None, True), (2, None, False), (4, None, True)]}),
    ('seed,psi,sleeve\n1,0.5,long sleeves\n2,,cap\n',
     {'sleeve=long sleeves': [(1, 0.5, True), (2, None, False)],
      'sleeve=cap': [(1, 0.5, False), (2, None, True)]}),
    ('\ufeffseed,a=b,c\n1,yes,no\n', {'a=b': [(1, None, True)], 'c': [(1, None, False)]}),
    ('seed;psi;a;b\n1;0.5;yes;\n2;;no;\n', {'a': [(1, 0.5, True), (2, None, False)]})])
def test_tables(tmp_path, table, expected):
    (tmp_path / 'labels.csv').write_text(table, encoding='utf-8')
    assert hand_labels.read(tmp_path / 'labels.csv') == expected


@pytest.mark.parametrize('content, words', [
    ('', 'needs a column seed'), ('seed\n1\n', 'needs a column seed'),
    ('name,a\n1,yes\n', 'needs a column seed'), ('seed,a\nx,yes\n', "'x' as seed"),
    ('seed,psi,a\n1,x,yes\n', "'x' as psi"), ('seed,psi,a\n1,nan,yes\n', "'nan' as psi"),
    ('seed,psi,a\n1,inf,yes\n', "'inf' as psi"), ('seed,a\n-1,yes\n', "'-1' as seed"),
    ('seed,a\n4294967296,yes\n', "'4294967296' as seed"), ('seed,a,a\n1,yes,no\n', 'two columns'),
    ('seed,a\n1\x1b[31m,yes\n', r"'1.x1b\[31m' as seed"), ('seed,a\n1,yes,no\n', 'more cells')])
def test_other_tables_are_refused(tmp_path, content, words):
    (tmp_path / 'labels.csv').write_text(content)
    with pytest.raises(UserError, match=words):
        hand_labels.read(tmp_path / 'labels.csv')
    with pytest.raises(UserError, match='does not exist'):
        hand_labels.read(tmp_path / 'none.csv')
