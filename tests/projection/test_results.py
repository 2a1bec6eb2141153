"""Results of projection: their files, resuming, mixing and the self-test."""

import dataclasses
import os
import pathlib
import types

import numpy as np
import pytest
import toy_stylegan

from dnnlib import images, runs
from dnnlib.files import UserError
from projection import config, results, search
from stylegan import latent

CONFIG = config.Projection(starts=2, steps=6, candidates=4, newton=1, batch=2, frames=2, threads=1)


@pytest.fixture(scope='module')
def tools(tmp_path_factory):
    """(toy generator, projector, three targets)."""
    path = tmp_path_factory.mktemp('projected') / 'a.npz'
    gan, pictures, _ = toy_stylegan.own_pictures(path, [1, 2, 3], use_noise=False)
    return (gan, search.Projector(gan, CONFIG),
            dict(zip(['one', 'two', 'three'], pictures)))


@pytest.fixture(scope='module')
def place(tools, tmp_path_factory):
    """A folder with the results of all three, and these."""
    gan, projector, named = tools
    out = tmp_path_factory.mktemp('out')
    return out, results.project(out, named, gan, projector, {'synthetic': 'yes'})


def test_every_target_has_its_files(tools, place):
    gan, _, named = tools
    out, found = place
    assert {path.name for path in out.iterdir()} == {
        name + ending for name in named for ending in ('.npz', '.png', '.mp4')}
    for (name, target), result in zip(named.items(), found):
        assert result['w'].shape == (1, 6) and result['ws'].shape == (1, 4, 6)
        assert result['about']['target'] == name and len(result['losses']) == 7
        drawn = gan.pictures(result['ws'])
        np.testing.assert_allclose(result['drawn'], drawn[0], atol=1)
        error = np.square(np.float64(target) - result['drawn']).mean()
        assert result['psnr'] == pytest.approx(20 * np.log10(255) - 10 * np.log10(error))
        sheet = images.read_rgb(out / (name + '.png'))
        assert np.array_equal(sheet[:128, :128], images.square(target, 128))
        assert images.read_origin(out / (name + '.png'))['target'] == name


def test_the_same_bytes_again(tools, place, tmp_path):
    gan, projector, named = tools
    results.project(tmp_path, named, gan, projector, {'synthetic': 'yes'})
    for path in place[0].iterdir():
        if path.suffix != '.npz':  # zip members carry the time
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()
            continue
        with np.load(str(path)) as one, np.load(str(tmp_path / path.name)) as two:
            assert all(one[key].tobytes() == two[key].tobytes() for key in one.files)


def test_finished_results_are_skipped_but_not_those_of_other_images(tools, place, monkeypatch):
    gan, projector, named = tools
    out, found = place
    searched = []
    original = projector.search
    monkeypatch.setattr(projector, 'search', lambda pictures, *rest: (
        searched.append(len(pictures)) or original(pictures, *rest)))
    again = results.project(out, named, gan, projector, {})
    assert not searched
    assert all(np.array_equal(a['ws'], b['ws']) for a, b in zip(found, again))
    other = dict(named, two=255 - named['two'])
    results.project(out, other, gan, projector, {})
    assert searched == [1]
    results.project(out, named, gan, projector, {'synthetic': 'yes'})
    assert searched == [1, 1]


def test_an_interrupt_keeps_finished_results(tools, tmp_path, monkeypatch):
    gan, projector, named = tools
    original, calls = projector.search, []

    def stopped(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)
    monkeypatch.setattr(projector, 'search', stopped)
    with pytest.raises(runs.Interrupted, match='2 of 3 images are done'):
        results.project(tmp_path, named, gan, projector, {})
    results.project(tmp_path, named, gan, projector, {})
    assert len(calls) == 3 and (tmp_path / 'three.npz').exists()


def test_other_options_search_anew_but_not_other_frames(tools, place):
    gan, _, named = tools
    name, picture = next(iter(named.items()))
    about = [results._about(name, picture, gan, types.SimpleNamespace(
        config=dataclasses.replace(CONFIG, **more), vgg=''))
             for more in ({}, {'frames': 9, 'batch': 1, 'threads': 2}, {'steps': 7})]
    assert about[0] == about[1] != about[2]


def test_another_feature_network_searches_anew(tools, monkeypatch):
    gan, projector, named = tools
    before = results._about('one', named['one'], gan, projector)
    monkeypatch.setattr(projector, 'vgg', 'a digest')
    assert results._about('one', named['one'], gan, projector) != before


def test_a_damaged_result_is_reported(tools, place, tmp_path):
    gan, projector, named = tools
    (tmp_path / 'one.npz').write_text('nothing')
    with pytest.raises(UserError, match=r'one.npz is no result of projection'):
        results.project(tmp_path, named, gan, projector, {})


@pytest.mark.parametrize('change, words', [
    (dict(ws=np.zeros([1, 3, 6])), "'ws' in it has the shape"),
    (dict(w=np.array([['a'] * 6])), "'w' in it has the shape"),
    (dict(psnr=np.array(np.nan)), 'not finite'), (dict(drawn=None), 'no .drawn')], ids=str)
def test_a_changed_result_is_reported(tools, place, tmp_path, change, words):
    gan, projector, named = tools
    with np.load(str(place[0] / 'one.npz')) as arrays:
        changed = dict(arrays, **change)
    np.savez(str(tmp_path / 'one.npz'), **{k: v for k, v in changed.items() if v is not None})
    with pytest.raises(UserError, match=f'one.npz is no result of projection.*{words}'):
        results.project(tmp_path, named, gan, projector, {})


def test_all_npz_is_read_as_styles_and_mixed(tools, place, tmp_path):
    gan, _, named = tools
    _, found = place
    results.write_all(tmp_path, named, found, {})
    ws = latent.read(tmp_path / 'all.npz', 4, 6)
    np.testing.assert_array_equal(ws, np.concatenate([result['ws'] for result in found]))
    with np.load(str(tmp_path / 'all.npz')) as archive:
        assert list(archive['names']) == list(named) and archive['w'].shape == (3, 6)
    assert images.read_rgb(tmp_path / 'all.png').shape == (258, 388, 3)
    results.write_mixed(tmp_path, gan, found, 5, 0, {})
    mixed = latent.read(tmp_path / 'mixed.npz', 4, 6)
    assert len(mixed) == 5 and (mixed.min(0) >= ws.min(0) - 1e-5).all()
    assert not any(np.abs(ws - own).max((1, 2)).min() < 1e-6 for own in mixed)


def test_names_never_clash():
    assert results.names(['a/x.jpg', 'b/x.png', 'all.jpg', 'c/x-2.jpg']) == [
        'x', 'x-2', 'all-2', 'x-2-2']


def test_odd_names_are_safe_to_print_and_to_write(tmp_path):
    odd = [pathlib.Path(os.fsdecode(name)) for name in (
        b'caf\xe9.jpg', 'café.jpg'.encode(), b'a\x1b[31m\nb.jpg', b'x' * 250 + b'.jpg')]
    found = results.names(odd)
    assert found == ['caf-', 'café', 'a-[31m-b', 'x' * 60]
    for name in found:
        name.encode('utf-8')
        (tmp_path / f'{name}.npz').write_text('')


def test_psnr():
    black = np.zeros([2, 4, 4, 3], np.uint8)
    grey = np.stack([black[0] + 51, black[0]])
    np.testing.assert_allclose(results.psnr(black, grey), [-20 * np.log10(0.2), 99])


def test_the_self_test_compares_generated_with_real_images(tools, tmp_path):
    gan, projector, named = tools
    reals = {'real': 255 - named['one']}
    targets, found, figures = results.self_test(
        tmp_path, gan, projector, reals, count=2, seed=1, origin={})
    assert list(targets) == ['generated-1', 'generated-2', 'real'] and len(found) == 3
    assert np.array_equal(targets['generated-1'], named['one'])
    assert min(figures['generated']['psnr']) > figures['real']['psnr'][0]
    own = gan.w(gan.seeded([1, 2]))
    expected = np.linalg.norm(found[1]['w'][0] - own[1]) / results.mean_w_distance(projector, 1)
    assert figures['generated']['w_distance'][1] == pytest.approx(expected)
    report = results.self_test_report(figures)
    assert 'generated    2' in report and 'real         1' in report


def test_the_table_stays_aligned_under_long_names():
    report = results.report(['a', 'b' * 40], [{'psnr': 6.4, 'distance': 1.3}] * 2)
    assert len({len(line) for line in report.split('\n')}) == 1
