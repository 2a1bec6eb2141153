"""The page shows every text as it was written, runs nothing, and asks nothing of the network."""

import html.parser
import re
import urllib.parse

import pytest

from catalog import page

_VOID = {'meta', 'link', 'img'}
_HOSTILE = '"\'><script>alert("x")</script> & $title ${x} <!-- 👗 &amp;'


class _Reader(html.parser.HTMLParser):
    """Collects elements as (tag, attributes, texts inside) and checks that all are closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, tag

    def handle_data(self, data):
        for _, _, texts in self.open:
            texts.append(data)

    def of(self, *tags):
        return [(attrs, ''.join(texts)) for tag, attrs, texts in self.elements if tag in tags]


def _product(**changes):
    product = dict(image='p/0.png', text='A dress.', category='dress', tags=['red', 'midi'],
                   prompt='red midi dress', seed=12, psi=0.7)
    product.update(changes)
    return product


def _write(tmp_path, **changes):
    content = dict(title='A page', facts=[('Seed', '12')], figures=[], products=[], texts=[])
    content.update(changes)
    page.write(tmp_path / 'index.html', **content)
    text = (tmp_path / 'index.html').read_text(encoding='utf-8')
    return _Reader(text), text


def test_hostile_text_is_only_text(tmp_path):
    words = _HOSTILE
    plain = dict(title='t', facts=[('a', 'b')], figures=[('image', 'a', 'b', 'c'), ('video',) * 4],
                 products=[_product(tags=['a'])], texts=[('a', 'b')])
    hostile = dict(title=words, facts=[(words, words)],
                   figures=[('image', words, words, words), ('video', words, words, words)],
                   products=[_product(image=words, text=words, category=words, tags=[words],
                                      prompt=words)], texts=[(words, words)])
    expected, _ = _write(tmp_path, **plain)
    reader, _ = _write(tmp_path, **hostile)
    assert [e[0] for e in reader.elements] == [e[0] for e in expected.elements]
    assert [sorted(e[1]) for e in reader.elements] == [sorted(e[1]) for e in expected.elements]
    for tag in ('title', 'h1', 'h3', 'dt', 'dd', 'p'):
        assert words in [text.strip() for _, text in reader.of(tag)], tag
    assert any(words in attrs['alt'] for attrs, _ in reader.of('img'))


def test_needs_no_network_and_no_script(tmp_path):
    reader, text = _write(
        tmp_path, products=[_product()], texts=[('', 'A top.')],
        figures=[('image', 'grid.png', 'Grid', ''), ('video', 'walk.mp4', 'Walk', '')])
    assert not re.search(r'https?:|//|@import|url\(|<script|\son\w+=|javascript:', text)
    addresses = [attrs.get('src', attrs.get('href'))
                 for attrs, _ in reader.of('img', 'video', 'a', 'link')]
    names = {element[1]['id'] for element in reader.elements if 'id' in element[1]}
    for address in addresses:
        assert address in ('p/0.png', 'grid.png', 'walk.mp4', 'data:,') or address[1:] in names
    assert all(attrs['alt'] for attrs, _ in reader.of('img'))
    video, = [attrs for attrs, _ in reader.of('video')]
    assert {'loop', 'muted', 'autoplay', 'playsinline', 'controls', 'aria-label'} <= set(video)


def test_is_labelled_synthetic_once_and_readable_on_phones(tmp_path):
    reader, text = _write(tmp_path, products=[_product(), _product()])
    shown = ''.join(text for _, text in reader.of('body'))
    assert shown.lower().count('synthetic') == 1
    assert shown.index('Synthetic') < shown.index('A dress.')
    assert reader.of('html')[0][0]['lang'] == 'en'
    assert any('width=device-width' in attrs.get('content', '') for attrs, _ in reader.of('meta'))


def test_bullets_become_a_list_and_lines_stay_lines(tmp_path):
    text = 'Crisp poplin.\nCut wide - really.\n\n- 100% cotton\n• Imported\n* -5 °C\n-not this one'
    reader, _ = _write(tmp_path, texts=[('red dress', text)])
    items = [text for _, text in reader.of('li')]
    assert items[-3:] == ['100% cotton', 'Imported', '-5 °C']
    paragraphs = [text for _, text in reader.of('p')]
    assert paragraphs[-2:] == ['Crisp poplin.\nCut wide - really.', '-not this one']


def test_product_shows_where_it_comes_from(tmp_path):
    reader, _ = _write(tmp_path, products=[_product(), _product(prompt='', category='', tags=[])])
    (_, first), (_, second) = reader.of('article')
    for part in ('dress', 'red', 'midi', 'A dress.', 'seed 12', 'ψ 0.7', 'prompt “red midi dress”'):
        assert part in first
    assert 'Product' in second and 'prompt' not in second


def test_empty_sections_are_left_out(tmp_path):
    reader, _ = _write(tmp_path, texts=[('red dress', 'A dress.')])
    assert [attrs['id'] for attrs, _ in reader.of('section')] == ['texts']
    assert [attrs['href'] for attrs, _ in reader.of('a')] == ['#texts', '#method']
    assert [text for _, text in reader.of('dt', 'dd')] == ['Seed', '12']


@pytest.mark.parametrize('name', ['100%25.png', 'a b#1?.png', 'https:x.png', 'p/kjole-æ.png'])
def test_file_names_survive_as_addresses(tmp_path, name):
    reader, _ = _write(tmp_path, products=[_product(image=name)])
    address = urllib.parse.urlsplit(reader.of('img')[0][0]['src'])
    assert urllib.parse.unquote(address.path) == name
    assert not address.scheme and not address.query and not address.fragment


@pytest.mark.parametrize('name', ['/etc/a.png', '../a.png', 'a/../../b.png'])
def test_files_lie_beside_the_page(tmp_path, name):
    with pytest.raises(AssertionError):
        _write(tmp_path, figures=[('image', name, 'A', '')])
