"""Seeds and files of styles, and what is said about those that do not fit."""

import numpy as np
import pytest
from toy_world import World

from dnnlib.files import UserError
from stylegan import latent_files


def test_seeds():
    assert latent_files.seeds('7') == [7]
    assert latent_files.seeds('1,5, 9') == [1, 5, 9]
    assert latent_files.seeds('0-3,8') == [0, 1, 2, 3, 8]


@pytest.mark.parametrize('text', [
    '', 'a', '3-1', '1,,2', '-1', '4294967296', '0-999999', '0-99999999999'])
def test_no_seeds(text):
    with pytest.raises(UserError, match='seeds'):
        latent_files.seeds(text)


def test_a_w_is_every_layers_style_and_ws_are_kept(tmp_path):
    w, ws = np.random.RandomState(0).randn(2, 8), np.random.RandomState(1).randn(3, 6, 8)
    np.savez(str(tmp_path / 'w.npz'), w=w, psnr=np.zeros(2))
    np.savez(str(tmp_path / 'ws.npz'), ws=ws, w=ws[:, 0])
    read = latent_files.read(tmp_path / 'w.npz', 6, 8)
    assert read.shape == (2, 6, 8) and read.dtype == np.float32
    assert all(np.array_equal(read[:, layer], w.astype(np.float32)) for layer in range(6))
    assert np.array_equal(latent_files.read(tmp_path / 'ws.npz', 6, 8), ws.astype(np.float32))


def test_what_is_saved_is_read(tmp_path):
    ws = np.random.RandomState(1).randn(3, 6, 8).astype(np.float32)
    latent_files.save(tmp_path / 'ws.npz', ws)
    assert np.array_equal(latent_files.styles(World(), str(tmp_path / 'ws.npz'), psi=0.3), ws)


def test_seeds_are_truncated():
    world = World()
    w = world.w(world.seeded([4, 9]))
    np.testing.assert_allclose(latent_files.styles(world, '4,9', 0.5)[:, 3], 0.5 * w, atol=1e-6)


@pytest.mark.parametrize('arrays, words', [
    (dict(w=np.zeros([2, 7])), r'w of shape \[2, 7\]; this generator takes'),
    (dict(ws=np.zeros([2, 5, 8])), r'\[n, 6, 8\]'), (dict(w=np.zeros([0, 8])), 'shape'),
    (dict(w=np.array([['a'] * 8])), 'no numbers'), (dict(w=np.full([1, 8], np.nan)), 'not finite'),
    (dict(w=np.full([1, 8], 1e300)), 'not finite'), (dict(z=np.zeros([2, 8])), 'neither w'),
    (dict(w=np.array([{}])), 'damaged')])
def test_misfits(tmp_path, arrays, words):
    np.savez(str(tmp_path / 'w.npz'), **arrays)
    with pytest.raises(UserError, match=words):
        latent_files.read(tmp_path / 'w.npz', 6, 8)


def test_a_photo_is_to_be_projected_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'photo.jpg').write_bytes(b'')
    with pytest.raises(UserError, match=r'neither seeds nor .* run.py project photo.jpg'):
        latent_files.styles(World(), 'photo.jpg', 1)
    (tmp_path / '7').mkdir()
    assert len(latent_files.styles(World(), '7', 1)) == 1


def test_no_archive(tmp_path):
    (tmp_path / 'w.npz').write_text('no archive')
    with pytest.raises(UserError, match=r'w.npz'):
        latent_files.read(tmp_path / 'w.npz', 6, 8)
    with pytest.raises(UserError, match='does not exist'):
        latent_files.styles(World(), 'none.npz', 1)
