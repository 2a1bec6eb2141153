"""The page shows every text as it was written, and asks nothing of the network."""

import html.parser
import json
import re
import urllib.parse

import pytest

from catalog.page import build

_VOID = {'meta', 'link', 'img', 'input'}
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


def _whole(word, name='p/1.png'):
    """A product with everything that may be known of one, in which all text is `word`."""
    return _product(image=name, text=word, category=word, tags=[f'{word}+'], prompt=word,
                    attributes={word: word, 'plain': 'a'}, probabilities={word: 0.5},
                    agreement={word: False, 'category': True},
                    neighbours=[{'image': name, 'distance': 1.25}])


def _write(tmp_path, **changes):
    content = dict(title='A page', facts=[('Seed', '12')], figures=[], products=[], texts=[])
    content.update(changes)
    build.write(tmp_path / 'index.html', **content)
    text = (tmp_path / 'index.html').read_text(encoding='utf-8')
    return _Reader(text), text


def test_hostile_text_is_only_text(tmp_path):
    words = _HOSTILE
    plain = dict(title='t', facts=[('a', 'b')], figures=[('image', 'a', 'b', 'c'), ('video',) * 4],
                 products=[_product(tags=['a+'], category='a'), _whole('a')], texts=[('a', 'b')],
                 command='run {}')
    hostile = dict(title=words, facts=[(words, words)],
                   figures=[('image', words, words, words), ('video', words, words, words)],
                   products=[_product(image=words, text=words, category=words, tags=[f'{words}+'],
                                      prompt=words), _whole(words, words)],
                   texts=[(words, words)], command=words)
    expected, _ = _write(tmp_path, **plain)
    reader, _ = _write(tmp_path, **hostile)
    assert [e[0] for e in reader.elements] == [e[0] for e in expected.elements]
    assert [sorted(e[1]) for e in reader.elements] == [sorted(e[1]) for e in expected.elements]
    for tag in ('title', 'h1', 'h3', 'dt', 'dd', 'p', 'th', 'td', 'code'):
        assert words in [text.strip() for _, text in reader.of(tag)], tag
    assert any(words in attrs['alt'] for attrs, _ in reader.of('img'))


def test_needs_no_network(tmp_path):
    reader, text = _write(
        tmp_path, products=[_product(), _whole('a')], texts=[('', 'A top.')],
        figures=[('image', 'grid.png', 'Grid', ''), ('video', 'walk.mp4', 'Walk', '')])
    script, = re.findall(r'<script>(.*?)</script>', text, re.S)
    assert not re.search(r'https?:|//|@import|url\(|<script|\son\w+=|javascript:',
                         text.replace(script, '').replace('<script>', ''))
    assert not re.search(r'fetch|XMLHttp|WebSocket|import|eval|innerHTML|\bsrc\b|localStorage|</',
                         script)
    addresses = [attrs.get('src', attrs.get('href'))
                 for attrs, _ in reader.of('img', 'video', 'a', 'link')]
    names = {element[1]['id'] for element in reader.elements if 'id' in element[1]}
    for address in addresses:
        assert address in ('p/0.png', 'p/1.png', 'grid.png', 'walk.mp4', 'data:,') \
            or address[1:] in names
    assert all(attrs['alt'] for attrs, _ in reader.of('img'))
    video, = [attrs for attrs, _ in reader.of('video')]
    assert {'loop', 'muted', 'autoplay', 'playsinline', 'controls', 'aria-label'} <= set(video)


def test_every_field_has_a_name_and_every_button_a_word(tmp_path):
    reader, _ = _write(tmp_path, products=[_product(), _whole('a')])
    assert len(reader.of('label')) == len(reader.of('input', 'select'))
    assert all(text.strip() for _, text in reader.of('label', 'legend', 'summary', 'caption'))
    for attrs, text in reader.of('button'):
        assert attrs.get('aria-label') or text.strip().isalpha()


def test_is_labelled_synthetic_once_and_readable_on_phones(tmp_path):
    reader, _ = _write(tmp_path, products=[_product(), _product()])
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


def test_product_shows_its_origin(tmp_path):
    reader, _ = _write(tmp_path, products=[_product(), _product(prompt='', category='', tags=[])])
    (_, first), (_, second) = reader.of('article')
    for part in ('dress', 'red', 'midi', 'A dress.', 'seed 12', 'ψ 0.7', 'prompt “red midi dress”'):
        assert part in first
    assert 'Product' in second and 'prompt' not in second


def test_product_shows_tags_agreement_and_neighbours(tmp_path):
    reader, _ = _write(tmp_path, command='make it {}', products=[_product(
        attributes={'colour': 'red', 'hem': '', 'sleeve': 'long'}, seed=34,
        probabilities={'category': 0.987, 'colour': 0.5, 'sleeve': 0.25},
        agreement={'category': True, 'colour': False}, redrawn=2, text_seed=99,
        unjudged=['sleeve'],
        neighbours=[{'image': 'n/1.png', 'distance': 0.5}, {'image': 'n/2.png', 'distance': 1.2}])])
    (_, row), *others = reader.of('tr')[1:2] + reader.of('tr')[2:]
    assert row == 'categorydress99 % 99 %\nagrees'
    assert [text for _, text in others] == ['colourred50 % 50 %\nsays otherwise',
                                            'sleevelong25 % 25 %\nnot judged']
    (_, beside), = reader.of('figure')
    assert re.findall(r'\d\.\d\d', beside) == ['0.50', '1.20']
    sources = [attrs['src'] for attrs, _ in reader.of('img')]
    assert sources == ['p/0.png', 'p/0.png', 'n/1.png', 'n/2.png']
    assert [text for _, text in reader.of('code')] == ['make it 34']


def test_a_product_without_more_has_no_empty_tables(tmp_path):
    reader, _ = _write(tmp_path, products=[_product()])
    assert not reader.of('table') and not reader.of('figure')
    assert [text for _, text in reader.of('code')] == [
        'python run.py cards --seed 12 --count 1']


def test_facets_are_counted_and_stored_on_the_cards(tmp_path):
    attributes = [{'colour': 'red', 'sleeve': 'long'}, {'colour': 'red', 'sleeve': ''},
                  {'colour': 'blue', 'sleeve': ''}]
    reader, _ = _write(tmp_path, products=[
        _product(attributes=each, agreement={'colour': each['colour'] == 'red'})
        for each in attributes])
    told = [json.loads(attrs['data-facets']) for attrs, _ in reader.of('article')]
    assert told[0] == {'category': ['dress'], 'colour': ['red'], 'sleeve': ['long'],
                       'text': ['fits the image']}
    assert told[2] == {'category': ['dress'], 'colour': ['blue'], 'text': ['contradicts it']}
    assert [attrs.get('value') for attrs, _ in reader.of('input')][:2] == ['', 'dress']
    options = [text for _, text in reader.of('option')]
    assert options[2:8] == ['Any', 'red (2)', 'blue (1)', 'Any', 'long (1)', 'Any']
    assert 'Surest tags first' not in options


def test_without_attributes_the_tags_are_a_facet(tmp_path):
    reader, _ = _write(tmp_path, products=[_product(tags=['dress', 'red']), _product(tags=[])])
    told = [json.loads(attrs['data-facets']) for attrs, _ in reader.of('article')]
    assert told == [{'category': ['dress'], 'tag': ['red']}, {'category': ['dress']}]


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
def test_file_names_must_be_relative(tmp_path, name):
    with pytest.raises(AssertionError):
        _write(tmp_path, figures=[('image', name, 'A', '')])
