"""Both taggers on whole catalogues: with attributes, with classes alone, with texts alone."""

import json

import numpy as np
import pytest

from catalog import source
from dnnlib import images
from dnnlib.files import UserError
from dnnlib.runs import Run
from tagger import image_tagger, text_tagger
from tagger import train as tagging
from tagger.config import Config, Split

CONFIG = Config(side=16, fmaps=4, features=8, steps=40, batch=16, learning_rate=0.02, threads=1)
COLOURS = {'red': (200, 28, 40), 'blue': (62, 126, 214)}


def draw(path, colour, wide):
    rgb = np.full([32, 32, 3], 240, np.uint8)
    rgb[10:22, 4:28] = COLOURS[colour] if wide else 240
    rgb[4:28, 10:22] = 240 if wide else COLOURS[colour]
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write_png(path, rgb)


@pytest.fixture(scope='module')
def table(tmp_path_factory):
    """A catalogue of tall red skirts, wide blue hats and so on, with texts; one file is broken."""
    folder = tmp_path_factory.mktemp('table')
    lines = ['image,description,category,colour']
    for index in range(80):
        wide, colour = index % 2, ('red', 'blue')[index // 2 % 2]
        kind = ('skirt', 'hat')[wide]
        draw(folder / f'{index}.png', colour, wide)
        lines.append(f'{index}.png,number {index} is a {kind} in {colour},{kind},{colour}')
    (folder / '79.png').write_text('no image')
    (folder / 'products.csv').write_text('\n'.join(lines) + '\n')
    return folder


def train(folder, products, **more):
    return tagging.train(Run(folder, {}), products, CONFIG, Split(), {'by': 'a test'}, **more)


def test_a_catalogue_with_attributes_trains_both(table, tmp_path):
    text = train(tmp_path / 'run', source.read(table))
    figures = json.loads((tmp_path / 'run' / 'report.json').read_text())
    assert figures['pictures']['category']['macro_f1'] > 0.9
    assert figures['texts']['colour']['macro_f1'] == 1
    assert (tmp_path / 'run' / 'report.txt').read_text() == text
    assert 'truth' in text and 'macro-F1' in text
    model = image_tagger.ImageTagger(tmp_path / 'run' / 'tagger.npz', 1)
    assert list(model.heads) == ['category', 'colour'] and model.about['made'] == {'by': 'a test'}
    reader = text_tagger.TextTagger(tmp_path / 'run' / 'texttagger.npz')
    assert reader.mentions('a blue hat')['colour'][0] == 'blue'


def test_another_catalogue_can_be_the_test_set(table, tmp_path):
    products = source.read(table)
    train(tmp_path / 'run', products[:40], test=products[40:70])
    figures = json.loads((tmp_path / 'run' / 'report.json').read_text())
    assert [figures[what]['category']['count'] for what in ('pictures', 'texts')] == [30, 30]


def test_classes_alone_get_colours_from_their_pixels(tmp_path):
    for index in range(40):
        colour, wide = ('red', 'blue')[index % 2], index // 2 % 2
        draw(tmp_path / 'data' / ('skirt', 'hat')[wide] / f'{index}.png', colour, wide)
    train(tmp_path / 'run', source.read(tmp_path / 'data'))
    model = image_tagger.ImageTagger(tmp_path / 'run' / 'tagger.npz', 1)
    assert model.heads['category'] == ('hat', 'skirt')
    assert model.heads['colour'] == ('blue', 'red')
    assert not (tmp_path / 'run' / 'texttagger.npz').exists()


def test_texts_alone_train_the_text_tagger_alone(tmp_path):
    products = [source.Product(None, '', f'{kind} number {index}', kind, (), str(index))
                for index, kind in enumerate(['dress', 'skirt'] * 20)]
    train(tmp_path / 'run', products)
    assert (tmp_path / 'run' / 'texttagger.npz').exists()
    assert not (tmp_path / 'run' / 'tagger.npz').exists()


def test_unusable_catalogues_are_refused(tmp_path):
    texts = [source.Product(None, '', f'text {index}', '', (), str(index)) for index in range(9)]
    with pytest.raises(UserError, match='nothing to classify'):
        train(tmp_path / 'run', texts)
    named = [source.Product(None, '', f'text {kind}', kind, (), kind) for kind in ('a', 'b')]
    with pytest.raises(UserError, match=r'2 product\(s\) are too few to train on some'):
        train(tmp_path / 'run', named)
    with pytest.raises(UserError, match='nothing to train on'):
        train(tmp_path / 'run', [source.Product(None, '', '', 'a', (), 'a')])
    assert not (tmp_path / 'run' / 'report.txt').exists()
    with pytest.raises(UserError, match='there are no images'):
        tagging.read([], 16)
    (tmp_path / 'broken.png').write_text('no image')
    broken = [source.Product(tmp_path / 'broken.png', 'broken.png', '', 'a', (), 'a')]
    with pytest.raises(UserError, match='can be read'):
        tagging.read(broken, 16)
    with pytest.raises(UserError, match='together must be at most'):
        Split(held_out=0.8, validation=0.2)
