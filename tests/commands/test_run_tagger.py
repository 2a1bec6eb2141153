"""The commands that train taggers and use them, as a user types them, at toy size.

Images and texts are those of the pretrained models, which are small.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest
from process import run, succeed

from catalog import source
from dnnlib import images
from tagger import lookalikes

PRETRAINED = pathlib.Path(__file__).parents[2] / 'pretrained' / 'stylegan'

SMALL = ['--side', '16', '--fmaps', '4', '--features', '8', '--steps', '6', '--batch', '8',
         '--threads', '1']
CARDS = ['cards', '--count', '2', '--tries', '1', '--threads', '1', '--neighbours', '0',
         '--max-tokens', '12']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a catalogue of hats and gloves, and a tagger that has had a look at it."""
    folder = tmp_path_factory.mktemp('place')
    lines = ['image,description,category,colour']
    for index in range(40):
        kind, colour = ('hat', 'glove')[index % 2], ('red', 'blue')[index // 2 % 2]
        rgb = np.full([24, 24, 3], 240, np.uint8)
        rgb[4:12 + index % 2 * 8, 6:18] = {'red': (200, 28, 40), 'blue': (62, 126, 214)}[colour]
        (folder / 'toy').mkdir(exist_ok=True)
        images.write_png(folder / 'toy' / f'{index}.png', rgb)
        lines.append(f'{index}.png,{colour} {kind} number {index},{kind},{colour}')
    (folder / 'toy' / 'products.csv').write_text('\n'.join(lines) + '\n')
    folder.joinpath('report').write_text(
        succeed('train-tagger', '--data', 'toy', *SMALL, cwd=folder))
    return folder


def products(folder):
    lines = (folder / 'products.jsonl').read_text(encoding='utf-8').splitlines()
    return [json.loads(line) for line in lines]


def test_training_reports_and_leaves_both_taggers(place):
    folder, printed = place / 'runs' / 'tagger', (place / 'report').read_text()
    assert (folder / 'report.txt').read_text(encoding='utf-8') in printed
    assert 'macro-F1' in printed and 'truth' in printed
    assert (folder / 'tagger.npz').exists() and (folder / 'texttagger.npz').exists()


def test_other_images_of_the_same_names_are_another_training_set(place):
    shutil.copytree(str(place / 'toy'), str(place / 'toy2'))
    random = np.random.RandomState(0).randint(0, 256, [24, 24, 3])
    images.write_png(place / 'toy2' / '0.png', random.astype(np.uint8))
    code, _, err = run('train-tagger', '--data', 'toy2', *SMALL, cwd=place)
    assert code == 1 and '--data was' in err and 'toy2' in err


def test_cards_hold_everything_and_tell_how_texts_fit(place):
    out = succeed(*CARDS, '--out', 'one', '--tagger', 'runs/tagger', cwd=place)
    assert 'of 2 at first' in out and 'of 2 after resampling' in out
    assert (place / 'one' / 'index.html').exists() and not (place / 'one' / 'grid.png').exists()
    for product in products(place / 'one'):
        assert {'seed', 'w', 'psi', 'tags', 'prompt', 'text', 'text_seed', 'image',
                'origin'} <= set(product)
        assert set(product['probabilities']) == set(product['attributes']) == {
            'category', 'colour'}
        assert product['category'] in ('hat', 'glove') and 'category' in product['agreement']


def test_a_generator_of_other_products_is_described_by_its_lookalikes(place):
    (place / 'other').mkdir()
    snapshot, = PRETRAINED.glob('network-snapshot-*.npz')
    shutil.copy(str(snapshot), str(place / 'other'))
    coats = [product._replace(category='coat', tags=('coat', 'green'))
             for product in source.read(place / 'toy')]
    lookalikes.write(place / 'other' / 'lookalikes.npz', coats)
    out = succeed(*CARDS, '--stylegan', 'other', '--out', 'two', cwd=place)
    assert 'of 2' not in out  # the newest tagger knows hats and gloves alone
    assert all(product['agreement'] == {} and product['prompt'] == 'green coat'
               for product in products(place / 'two'))
