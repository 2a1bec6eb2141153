"""What a person does on the page gives what the commands write."""

import argparse

import numpy as np
import pytest
import toy_explorer

import run as program
from commands import products
from dnnlib import images, runs
from dnnlib.files import UserError
from explore import items, library, studio
from gpt2.config import Sampling
from stylegan import latent


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('studio')


@pytest.fixture(scope='module')
def own(folder):
    return toy_explorer.learnt(toy_explorer.studio(folder), folder)


def _wall(own, seeds=(0, 1, 2, 3), psi=0.7):
    return own.wall(list(seeds), psi)


def test_the_wall_shows_the_files_that_samples_writes(own, tmp_path):
    class Writer:
        def texts(self, prompts, *, seeds, sampling):
            return [''] * len(prompts)
    seeds = [5, 6, 7]
    pictures = own.gan.pictures(own.gan.truncate(own.gan.w(own.gan.seeded(seeds)), 0.7))
    products.write_products(
        tmp_path, pictures, seeds=seeds, psi=0.7, origin=runs.origin_of(
            stylegan=own.gan.path.name), tagger=own.taggers, writer=Writer(),
        sampling=Sampling(), tries=0)
    for seed, item in zip(seeds, _wall(own, seeds)):
        written = (tmp_path / f'products/{seed:06d}.png').read_bytes()
        assert own.picture(item.name) == written


def test_an_image_that_was_dropped_is_drawn_again(own):
    item, = _wall(own, [3])
    before = own.picture(item.name)
    own.store = items.Store()
    own.store.put(item)
    assert own.picture(item.name) == before


def test_edits_are_those_of_the_command(own, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    item, = _wall(own, [3])
    now = own.seen(item.name)
    value = next(value for value in own.taggers.images.heads['colour']
                 if value != now['attributes']['colour'])
    edited, shown = own.edited(item.name, 'colour', value)
    monkeypatch.setattr('commands.steering.fingerprints', lambda *models: toy_explorer.MADE)
    assert program.main(['edit', '--stylegan', str(folder / 'toy.npz'), '--directions', str(folder),
                         '--seed', '3', '--set', f'colour={value}', '--threads', '1']) == 0
    with np.load('out/edit/edited.npz') as found:
        assert np.array_equal(found['ws'][0], edited.ws)
    written = images.read_rgb(tmp_path / 'out/edit/edited-0.png')
    (tmp_path / 'own.png').write_bytes(own.picture(edited.name))
    assert np.array_equal(images.read_rgb(tmp_path / 'own.png'), written)
    assert edited.origin == {'seed': 3, 'psi': 0.7, 'edit': f'colour={value}'}
    assert shown == (own.seen(edited.name)['attributes']['colour'] == value)


def test_sliders_move_along_directions_and_back(own):
    item, = _wall(own, [3])
    moves = {'pca0': 1.5, 'pca1': -2}
    known = own.editor.directions
    expected = own.editor.along(item.ws, [(known[name], strength, known[name].band)
                                          for name, strength in moves.items()])
    moved = own.moved(item.name, moves)
    assert np.array_equal(moved.ws, expected) and not np.array_equal(moved.ws, item.ws)
    assert own.moved_png(item.name, moves) == own.picture(moved.name)
    assert moved.origin['edit'] == 'pca0=+1.5; pca1=-2'
    assert own.moved(item.name, {}) is item


@pytest.mark.parametrize('moves, words', [
    ({'pca9': 1}, "no direction 'pca9'"), ({'pca0': 99}, 'moved by up to 4'),
    ({'pca0': float('nan')}, 'moved by up to 4'), ({'pca0': 'x'}, 'moved by up to 4')])
def test_moves_that_are_none_are_refused(own, moves, words):
    item, = _wall(own, [3])
    with pytest.raises(UserError, match=words):
        own.moved_png(item.name, moves)


def test_mixes_have_the_styles_of_the_source_in_a_band(own):
    target, source = _wall(own, [1, 2])
    made = own.mixed(source.name, target.name)
    for band, layers in latent.bands(own.gan.layers).items():
        expected = latent.mixed(target.ws[None], source.ws[None], layers)[0]
        assert np.array_equal(made[band].ws, expected)
        assert made[band].origin == {'mix': f'2 onto 1, layers {band}'}


def test_a_walk_goes_from_one_to_the_other(own):
    first, last = _wall(own, [1, 2])
    for t, ws in ((0, first.ws), (1, last.ws), (0.5, (first.ws + last.ws) / 2)):
        assert np.allclose(own.walked(first.name, last.name, t).ws, ws, atol=1e-6)
    half = own.walked(first.name, last.name, 0.5)
    assert own.walked_png(first.name, last.name, 0.5) == own.picture(half.name)


def test_texts_are_those_of_cards_and_grow(own):
    item, = _wall(own, [3])
    grown = []
    result = own.described(item.name, '', 0, grown.append)
    prompt = ' '.join(own.seen(item.name)['tags'])
    written, = own.writer.texts([prompt], seeds=[3], sampling=Sampling())
    assert result['text'] == written == grown[-1] and result['prompt'] == prompt
    assert all(later.startswith(earlier) for earlier, later in zip(grown, grown[1:]))
    again = own.described(item.name, '', 1, grown.append)
    assert again['text'] != written and again['seed'] == 1000006
    assert own.described(item.name, 'red skirt', 0, grown.append)['prompt'] == 'red skirt'


def test_without_directions_edits_wait_and_the_rest_works(own, monkeypatch):
    monkeypatch.setattr(own, 'editor', None)
    item, = _wall(own, [3])
    assert own.seen(item.name)['possible'] == {}
    for wanting in (lambda: own.moved_png(item.name, {'pca0': 1}),
                    lambda: own.edited(item.name, 'colour', 'red')):
        with pytest.raises(UserError, match='not found yet'):
            wanting()
    with pytest.raises(UserError, match='still being read'):
        own.neighbours(item.name, '', 0.5, 3)


def test_the_neighbours_of_a_catalogue_s_own_image(own, tmp_path):
    own.catalogue = library.read(toy_explorer.products(tmp_path), own.taggers.images,
                               tmp_path / 'cache.npz', lambda: None)
    item, = _wall(own, [3])
    found = own.neighbours(item.name, 'dress', 0.5, 9)
    assert sorted(index for index, _ in found) == [1, 3, 5]
    own.catalogue = None


@pytest.mark.slow
def test_a_projected_image_is_found_and_reported(own, monkeypatch):
    monkeypatch.setattr('explore.studio._SHOWN_EVERY', 0)
    item, = _wall(own, [3])
    picture = own.gan.pictures(item.ws[None])[0]
    reports = []
    found = own.projected(picture, 'photo', lambda done, name: reports.append((done, name)))
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert reports[-1][0] == 1 and own.picture(reports[-1][1])
    assert found.origin == {'target': 'photo'}


def test_work_gives_way_to_others_between_chunks_of_images(folder):
    ways = []
    gan = studio.Generator(folder / 'toy.npz', 1, lambda: ways.append(1))
    gan.pictures(gan.truncate(gan.w(gan.seeded(range(40)))))
    assert len(ways) == 3


def test_its_options_are_those_of_the_command():
    options = argparse.Namespace(**vars(program.command_line('explore').parse_args(['explore'])))
    assert (options.host, options.port) == ('127.0.0.1', 8017)
