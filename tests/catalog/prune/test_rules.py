import collections
import csv
import hashlib
import pathlib

import numpy as np
import pytest
from PIL import Image

from catalog import source
from catalog.demo import build
from catalog.prune import decisions, measure, rules, scores
from dnnlib import progress
from dnnlib.files import UserError

KINDS = ('good', 'unreadable', 'small', 'not-product', 'background', 'composition', 'duplicate')


def rows(folder):
    with open(str(folder / 'prune.csv'), newline='', encoding='utf-8') as stream:
        return {row['image']: row for row in csv.DictReader(stream)}


def edit(folder, **keep):
    """What a person does: change the keep column in a spreadsheet, which writes its own dialect."""
    table = rows(folder)
    for name, word in keep.items():
        table[f'{name}.png']['keep'] = word
    with open(str(folder / 'prune.csv'), 'w', newline='', encoding='utf-8-sig') as stream:
        writer = csv.DictWriter(stream, list(table['a.png']), delimiter=';')
        writer.writeheader()
        writer.writerows(table.values())


def shot(x=0.5, y=0.5, *, width=0.4, height=0.6, size=320, tone=(180, 30, 40), noise=2, seed=0):
    """A product before a plain backdrop with soft light: a Pillow image."""
    grid = (np.arange(size) + 0.5) / size
    light = 225 + 15 * grid[:, None] - 8 * grid[None]
    rgb = light[..., None] + noise * np.random.RandomState(seed).normal(0, 1, [size, size, 3])
    inside = (abs(grid[None] - x) < width / 2) & (abs(grid[:, None] - y) < height / 2)
    rgb[inside] = (np.array(tone) * (0.6 + 0.8 * grid[:, None, None]) + 0 * rgb)[inside]
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Eight images: three good ones, and for each rule one that breaks it."""
    data = tmp_path / 'data'
    data.mkdir()
    for name, picture in (('a', shot()), ('b', shot(tone=(20, 60, 160))), ('c', shot(height=0.8)),
                          ('copy', shot().resize((336, 336))), ('edge', shot(0.9, 0.8)),
                          ('flat', Image.new('RGB', (320, 320), (230, 230, 233))),
                          ('noise', shot(noise=90)), ('tiny', shot(size=200))):
        picture.save(str(data / (f'{name}.png')))
    (data / 'torn.png').write_bytes((data / 'a.png').read_bytes()[:3000])
    return data


RULES = dict(a='good', b='good', c='good', copy='duplicate', edge='composition', flat='not-product',
             noise='background', tiny='small', torn='unreadable')


def test_each_rule_finds_its_image(folder, tmp_path):
    before = {p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()}
    counts = rules.prune(folder, tmp_path / 'out', rules.Prune())
    table = rows(tmp_path / 'out')
    assert {name[:-4]: row['rule'] for name, row in table.items()} == RULES
    assert dict(counts) == collections.Counter(RULES.values())
    assert all((row['keep'] == 'yes') == (row['reason'] == 'good') for row in table.values())
    assert table['copy.png']['duplicate_of'] == 'a.png' and table['tiny.png']['width'] == '200'
    # Every score of every image is there, whatever the reason.
    assert all(row[score] for row in table.values() for score in measure.SCORES
               if row['rule'] != 'unreadable')
    assert before == {p.name: hashlib.sha256(p.read_bytes()).digest() for p in folder.iterdir()}
    sheets = {p.name for p in (tmp_path / 'out' / 'sheets').iterdir()}
    assert sheets == {f'{kind}-001.jpg' for kind in KINDS} | {'overview.jpg'}
    assert [p.name for p in source.read_kept(tmp_path / 'out')] == ['a.png', 'b.png', 'c.png']


def test_the_overview_says_which_groups_are_dropped(folder, tmp_path, monkeypatch):
    shown = {}
    monkeypatch.setattr(rules.sheets, 'write_overview', lambda path, groups: shown.update(groups))
    rules.prune(folder, tmp_path / 'out', rules.Prune())
    dropped = [f'dropped, {reason}' for reason in rules.REASONS if reason != 'good']
    assert list(shown) == ['good'] + dropped + ['manual-kept', 'manual-dropped']


def test_a_rule_that_rejects_most_images_is_named_with_its_options():
    config = rules.Prune(max_cut=0.5)
    assert rules.advice({'good': 9, 'small': 3, 'composition': 2}, config) == ''
    assert '11 of 12 images are rejected as small' in rules.advice({'good': 1, 'small': 11}, config)
    assert rules.advice({'composition': 2}, config).endswith('--max-offset 0.13 --max-cut 0.5')
    assert rules.advice({'manual-dropped': 2}, config) == ''


def test_thresholds_are_options(folder, tmp_path):
    for knob, value, name, rule in (
            ('min_side', 321, 'a', 'small'), ('min_side', 200, 'tiny', 'duplicate'),
            ('min_area', 0.5, 'b', 'not-product'), ('min_subject', 1.1, 'b', 'not-product'),
            ('min_colours', 4000, 'b', 'not-product'), ('max_clutter', 99.0, 'noise', 'good'),
            ('max_offset', 0.45, 'edge', 'good'), ('min_difference', 99.0, 'c', 'duplicate'),
            ('min_difference', 0.0, 'copy', 'good')):
        rules.prune(folder, tmp_path / 'out', rules.Prune(**{knob: value}))
        assert rows(tmp_path / 'out')[f'{name}.png']['rule'] == rule, knob


def test_manual_decisions_are_kept(folder, tmp_path):
    out = tmp_path / 'out'
    rules.prune(folder, out, rules.Prune())
    edit(out, a='no', edge=' YES')
    assert [p.name for p in source.read_kept(out)] == ['b.png', 'c.png', 'edge.png']
    counts = rules.prune(folder, out, rules.Prune())
    assert counts['manual-kept'] == counts['manual-dropped'] == 1
    # Rules that agree for a while do not make the decision theirs.
    for config in (rules.Prune(max_offset=0.45), rules.Prune(min_side=321), rules.Prune()):
        rules.prune(folder, out, config)
        table = rows(out)
        assert (table['a.png']['keep'], table['a.png']['reason']) == ('no', 'manual')
        assert (table['edge.png']['keep'], table['edge.png']['reason']) == ('yes', 'manual')
    edit(out, a='', edge='')  # emptied: back to the rules
    rules.prune(folder, out, rules.Prune())
    assert {n[:-4]: row['reason'] for n, row in rows(out).items()} == RULES


def test_a_rerun_measures_only_what_is_new_or_was_lost(folder, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    rules.prune(folder, out, rules.Prune())
    first = (out / 'prune.csv').read_bytes()
    text = (out / 'scores.jsonl').read_text()
    damage = '[1]\n{"image": "c.png"}\n' + '[' * 9999 + '\n'
    (out / 'scores.jsonl').write_text(damage + text[:-40])  # a kill in the middle of the last line
    shot(tone=(1, 90, 1)).save(str(folder / 'b.png'))
    seen = []
    measured = scores._measured
    monkeypatch.setattr(scores, '_measured', lambda path: seen.append(path.name) or measured(path))
    rules.prune(folder, out, rules.Prune())
    assert sorted(seen) == ['b.png', 'torn.png']
    rules.prune(folder, out, rules.Prune())
    assert len(seen) == 2
    shot(tone=(20, 60, 160)).save(str(folder / 'b.png'))
    rules.prune(folder, out, rules.Prune())
    assert (out / 'prune.csv').read_bytes() == first
    assert len(seen) == 3


def test_any_number_of_processes_gives_the_same_files(folder, tmp_path, monkeypatch):
    for index in range(12):
        shot(tone=(12 * index, 90, 1), seed=index).save(str(folder / f'more-{index}.png'))
    for count in (1, 3):
        monkeypatch.setattr(progress, 'processes', lambda count=count: count)
        rules.prune(folder, tmp_path / str(count), rules.Prune())
    one, three = [{path.relative_to(tmp_path / name): path.read_bytes()
                   for path in sorted((tmp_path / name).rglob('*.*'))} for name in '13']
    assert one == three


@pytest.mark.parametrize('typed, expected', [
    ('p', 'p-pruned'), ('data/p', 'data/p-pruned'), ('.', '{here}-pruned'), ('', '{here}-pruned'),
    ('..', '{above}-pruned'), ('../q', '../q-pruned'), ('/a/b', '/a/b-pruned')])
def test_decisions_lie_beside_the_catalogue_by_default(tmp_path, monkeypatch, typed, expected):
    monkeypatch.chdir(tmp_path)
    expected = expected.format(here=tmp_path, above=tmp_path.parent)
    assert decisions.default_folder(typed) == pathlib.Path(expected)
    with pytest.raises(UserError, match='has no name'):
        decisions.default_folder('/')


def test_decisions_beside_the_images(folder):
    """The catalogue's own folder may hold the decisions: sheets are no products."""
    first = rules.prune(folder, folder, rules.Prune())
    assert rules.prune(folder, folder, rules.Prune()) == first
    assert len(source.read_kept(folder)) == 3


def test_decisions_are_not_pruned_into_another_folder_without_the_manual_ones(folder, tmp_path):
    rules.prune(folder, tmp_path / 'out', rules.Prune())
    with pytest.raises(UserError, match=r'out holds the decisions about .*; to prune it again'):
        rules.prune(tmp_path / 'out', tmp_path / 'again', rules.Prune())
    assert not (tmp_path / 'again').exists()
    rules.prune(tmp_path / 'out', tmp_path / 'out', rules.Prune())


def test_misuse(folder, tmp_path):
    rules.prune(folder, tmp_path / 'out', rules.Prune())
    (tmp_path / 'other').mkdir()
    shot().save(str(tmp_path / 'other' / 'x.png'))
    with pytest.raises(UserError, match='choose another --out'):
        rules.prune(tmp_path / 'other', tmp_path / 'out', rules.Prune())
    assert len(rows(tmp_path / 'out')) == 9
    (tmp_path / 'x.txt').write_text('A dress.')
    with pytest.raises(UserError, match='no images'):
        rules.prune(tmp_path / 'x.txt', tmp_path / 'new', rules.Prune())
    assert not (tmp_path / 'new').exists()


def test_size_is_that_of_the_upright_image(tmp_path):
    picture, exif = shot().resize((640, 320)), Image.Exif()
    exif[0x0112] = 6
    (tmp_path / 'data').mkdir()
    picture.save(str(tmp_path / 'data' / 'x.jpg'), exif=exif)
    rules.prune(tmp_path / 'data', tmp_path / 'out', rules.Prune())
    row, = rows(tmp_path / 'out').values()
    assert (row['width'], row['height']) == ('320', '640')


@pytest.mark.parametrize('x, y, offset', [(0.5, 0.5, 0), (0.3, 0.5, 0.2), (0.5, 0.75, 0.25)])
def test_offset_is_the_distance_from_the_centre(x, y, offset):
    values = measure.measure(shot(x, y, width=0.3, height=0.3))
    assert values['offset'] == pytest.approx(offset, abs=0.02)
    assert values['area'] == pytest.approx(0.09, abs=0.02) and values['cut'] == 0


def test_cut_is_the_share_of_a_side_that_the_product_covers():
    assert measure.measure(shot(y=0.8, width=0.45))['cut'] == pytest.approx(0.6, abs=0.06)
    assert measure.measure(shot(width=0.9))['cut'] == 0


def test_clutter_grows_with_the_background_and_ignores_the_product():
    plain = measure.measure(shot())['clutter']
    busy = [measure.measure(shot(noise=noise))['clutter'] for noise in (10, 30, 90)]
    assert plain < busy[0] < busy[1] < busy[2]
    cut = measure.measure(shot(y=0.8, width=0.45))['clutter']  # a quarter of the border is product
    assert cut == pytest.approx(plain, abs=0.5)


@pytest.mark.parametrize('size', [(1, 1), (3, 900), (900, 3), (40, 30)])
@pytest.mark.parametrize('tone', [(0, 0, 0), (255, 255, 255), (200, 10, 90)])
def test_odd_images_have_finite_scores(size, tone):
    values = measure.measure(Image.new('RGB', size, tone))
    assert set(values) == set(measure.SCORES) and np.isfinite(list(values.values())).all()
    assert values['subject'] < 0.1 and values['colours'] == 1


def test_a_mirrored_image_is_no_duplicate_and_a_chain_keeps_its_ends():
    ramp = np.linspace(0, 200, 16)[None, :, None] * np.ones([16, 1, 3])
    found = np.stack([ramp, ramp[:, ::-1], ramp + 2, ramp + 4, ramp + 6, ramp]).astype(np.uint8)
    nearest, difference = rules.find_duplicates(found, 3)
    assert list(difference <= 3) == [False, False, True, False, True, True]
    assert nearest[2] == 0 and nearest[4] == 3 and nearest[5] == 0
    assert difference[3] == pytest.approx(4, abs=0.1) and difference[0] == np.inf


def test_a_thousand_thumbnails_across_blocks():
    rng = np.random.RandomState(5)
    base = rng.randint(0, 256, [700, 4, 4, 3])
    copies = rng.permutation(700)[:300]
    noisy = np.clip(base[copies] + rng.randint(-1, 2, [300, 4, 4, 3]), 0, 255)
    nearest, difference = rules.find_duplicates(np.concatenate([base, noisy]).astype(np.uint8), 3)
    assert (difference[:700] > 3).all() and (difference[700:] <= 3).all()
    assert (nearest[700:] == copies).all()


@pytest.mark.slow
def test_every_rule_is_right_on_the_demo_catalogue(tmp_path):
    """Precision and recall of each rule on a catalogue none of the thresholds was chosen on."""
    build.write(tmp_path / 'demo', build.Demo(count=400, seed=29, bad=0.6))
    rules.prune(tmp_path / 'demo', tmp_path / 'out', rules.Prune())
    with open(str(tmp_path / 'demo' / 'products.csv'), newline='', encoding='utf-8') as stream:
        truth = {row['image']: row['truth'] for row in csv.DictReader(stream)}
    pairs = collections.Counter((truth[name], row['reason'])
                                for name, row in rows(tmp_path / 'out').items())
    for kind in KINDS:
        right = pairs[kind, kind]
        meant = sum(count for (true, _), count in pairs.items() if true == kind)
        found = sum(count for (_, reason), count in pairs.items() if reason == kind)
        assert meant >= 10, f'too few images to tell: {pairs}'
        assert right >= 0.95 * found and right >= 0.95 * meant, f'{kind}: {pairs}'
