"""Styles are read and mixed; walks pass through their stops and close."""

import pathlib

import numpy as np
import pytest
from toy_world import World

from dnnlib.files import UserError
from stylegan import latent

RECORDED = pathlib.Path(__file__).parents[1] / 'data' / 'stylegan' / 'misc.npz'


def _z(count, size=16):
    return np.random.RandomState([3, count]).randn(count, size)


@pytest.mark.parametrize('layers', [4, 6, 8, 10, 12, 16, 18])
def test_bands_partition_the_layers(layers):
    bands = latent.bands(layers)
    assert list(bands) == ['coarse', 'middle', 'fine']
    assert [layer for band in bands.values() for layer in band] == list(range(layers))
    assert all(len(band) for band in bands.values())


def test_bands_are_those_of_the_paper():
    assert latent.bands(18) == {
        'coarse': range(4), 'middle': range(4, 8), 'fine': range(8, 18)}


def test_bands_by_name_and_by_number():
    assert latent.band('coarse', 18) == range(4) and latent.band('all', 18) == range(18)
    assert latent.band('0-3', 10) == range(4) and latent.band('9', 10) == range(9, 10)


@pytest.mark.parametrize('text', ['', 'sleeves', '3-1', '10', '0-10', '-1', '1-2-3'])
def test_unknown_bands_list_the_known_ones(text):
    with pytest.raises(UserError, match='known are: coarse, middle, fine, all, or numbers from 0'):
        latent.band(text, 10)


def test_moving_adds_in_exactly_the_band():
    ws, vector = np.zeros([2, 10, 3], np.float32), np.array([1.0, 0, -2])
    moved = latent.moved(ws, vector, [3, -1], range(4, 6))
    assert moved.dtype == np.float32 and not ws.any()
    assert moved[0, 4].tolist() == [3, 0, -6] and moved[1, 5].tolist() == [-1, 0, 2]
    assert not moved[:, :4].any() and not moved[:, 6:].any()


def test_mixing_takes_exactly_the_band():
    a, b = [np.random.RandomState(seed).randn(2, 10, 5) for seed in (0, 1)]
    kept = a.copy()
    mixed = latent.mixed(a, b, range(4, 8))
    assert np.array_equal(mixed[:, 4:8], b[:, 4:8])
    assert np.array_equal(mixed[:, :4], a[:, :4]) and np.array_equal(mixed[:, 8:], a[:, 8:])
    assert np.array_equal(a, kept)  # the argument is left alone
    one = latent.mixed(a, b[:1], [0])  # one source for all
    assert np.array_equal(one[:, 0], np.stack([b[0, 0]] * 2))


def test_slerp_is_exact_at_both_ends():
    a, b = _z(5), 3 * _z(6)[:5]
    np.testing.assert_allclose(latent.slerp(a, b, 0), a, atol=1e-12)
    np.testing.assert_allclose(latent.slerp(a, b, 1), b, atol=1e-12)


def test_slerp_has_constant_speed():
    a, b = np.array([[1.0, 0, 0]]), np.array([[0, 3.0, 0]])
    for t in (0.1, 0.25, 0.5, 0.9):
        angle, length = t * np.pi / 2, 1 + 2 * t
        np.testing.assert_allclose(
            latent.slerp(a, b, t), [[length * np.cos(angle), length * np.sin(angle), 0]],
            atol=1e-12)


def test_slerp_between_equal_directions():
    a = _z(3)
    np.testing.assert_allclose(latent.slerp(a, 2 * a, 0.5), 1.5 * a, atol=1e-9)


def test_slerp_against_the_original():
    recorded = np.load(str(RECORDED))
    a, b = [recorded['slerp/' + name] for name in 'ab']
    a, b = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]  # the original does
    np.testing.assert_allclose(latent.slerp(a, b, recorded['slerp/t']), recorded['slerp/out'],
                               atol=1e-6)


def test_a_closed_walk_passes_its_stops_and_closes():
    stops = _z(4)
    walk = latent.closed_walk(stops, 25)
    assert walk.shape == (100, 16) and walk.dtype == np.float32
    np.testing.assert_allclose(walk[::25], stops, atol=1e-6)
    steps = np.linalg.norm(np.roll(walk, -1, axis=0) - walk, axis=1)
    assert steps[-1] < np.median(steps)  # from the last frame to the first: no jump
    lengths = np.linalg.norm(walk, axis=1)
    ends = np.linalg.norm(stops, axis=1)
    assert lengths.min() > ends.min() - 1e-4 and lengths.max() < ends.max() + 1e-4


def test_averages_lie_between_few_of_their_parents():
    ws = np.eye(5, dtype=np.float32)[:, np.newaxis] * np.ones([1, 3, 1], np.float32)
    found = latent.averages(ws, 40, np.random.RandomState(0))
    assert found.shape == (40, 3, 5) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(2), 1, atol=1e-6)
    assert set((found[:, 0] > 0).sum(1)) == {2, 3, 4}
    assert np.array_equal(found[:, 0], found[:, 2])
    assert (latent.averages(ws[:2], 9, np.random.RandomState(1)) > 0).sum() == 9 * 3 * 2
    assert latent.averages(ws, 0, np.random.RandomState(0)).shape == (0, 3, 5)


def test_crossed_ones_have_two_different_parents():
    ws = np.arange(4, dtype=np.float32)[:, np.newaxis, np.newaxis] * np.ones([1, 6, 2], np.float32)
    found = latent.crossed(ws, 30, range(4, 6), np.random.RandomState(0))
    assert found.shape == (30, 6, 2)
    assert (found[:, 0] != found[:, 5]).all() and (found[:, :4] == found[:, :1]).all()
    assert (found[:, 4] == found[:, 5]).all() and len(np.unique(found)) == 4


def test_seeds():
    assert latent.seeds('7') == [7]
    assert latent.seeds('1,5, 9') == [1, 5, 9]
    assert latent.seeds('0-3,8') == [0, 1, 2, 3, 8]


@pytest.mark.parametrize('text', [
    '', 'a', '3-1', '1,,2', '-1', '4294967296', '0-999999', '0-99999999999'])
def test_no_seeds(text):
    with pytest.raises(UserError, match='seeds'):
        latent.seeds(text)


def test_a_w_is_every_layers_style_and_ws_are_kept(tmp_path):
    w, ws = np.random.RandomState(0).randn(2, 8), np.random.RandomState(1).randn(3, 6, 8)
    np.savez(str(tmp_path / 'w.npz'), w=w, psnr=np.zeros(2))
    np.savez(str(tmp_path / 'ws.npz'), ws=ws, w=ws[:, 0])
    read = latent.read(tmp_path / 'w.npz', 6, 8)
    assert read.shape == (2, 6, 8) and read.dtype == np.float32
    assert all(np.array_equal(read[:, layer], w.astype(np.float32)) for layer in range(6))
    assert np.array_equal(latent.read(tmp_path / 'ws.npz', 6, 8), ws.astype(np.float32))


def test_what_is_saved_is_read(tmp_path):
    ws = np.random.RandomState(1).randn(3, 6, 8).astype(np.float32)
    latent.save(tmp_path / 'ws.npz', ws)
    assert np.array_equal(latent.styles(World(), str(tmp_path / 'ws.npz'), psi=0.3), ws)


def test_seeds_are_truncated():
    world = World()
    w = world.w(world.seeded([4, 9]))
    np.testing.assert_allclose(latent.styles(world, '4,9', 0.5)[:, 3], 0.5 * w, atol=1e-6)


@pytest.mark.parametrize('arrays, words', [
    (dict(w=np.zeros([2, 7])), r'w of shape \[2, 7\]; this generator takes'),
    (dict(ws=np.zeros([2, 5, 8])), r'\[n, 6, 8\]'), (dict(w=np.zeros([0, 8])), 'shape'),
    (dict(w=np.array([['a'] * 8])), 'not numbers'), (dict(w=np.full([1, 8], np.nan)), 'not finite'),
    (dict(w=np.full([1, 8], 1e300)), 'not finite'), (dict(z=np.zeros([2, 8])), 'neither w'),
    (dict(w=np.array([{}])), 'damaged')])
def test_misfits(tmp_path, arrays, words):
    np.savez(str(tmp_path / 'w.npz'), **arrays)
    with pytest.raises(UserError, match=words):
        latent.read(tmp_path / 'w.npz', 6, 8)


def test_a_photo_is_to_be_projected_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'photo.jpg').write_bytes(b'')
    with pytest.raises(UserError, match=r'neither seeds nor .* run.py project photo.jpg'):
        latent.styles(World(), 'photo.jpg', 1)
    (tmp_path / '7').mkdir()
    assert len(latent.styles(World(), '7', 1)) == 1


def test_no_archive(tmp_path):
    (tmp_path / 'w.npz').write_text('no archive')
    with pytest.raises(UserError, match=r'w.npz'):
        latent.read(tmp_path / 'w.npz', 6, 8)
    with pytest.raises(UserError, match='does not exist'):
        latent.styles(World(), 'none.npz', 1)
