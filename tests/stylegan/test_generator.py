"""A loaded snapshot draws what the oracle draws, truncates as announced and refuses misfits."""

import numpy as np
import oracle_stylegan as oracle
import pytest
import toy_stylegan

from dnnlib import images, progress
from dnnlib.files import UserError
from stylegan import generator, snapshots
from stylegan.generator import Generator

RES, ALPHA = 8, 0.6


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    """(a loaded toy snapshot in the middle of a fade, its weights by name)."""
    path = tmp_path_factory.mktemp('generator') / 'network-snapshot-000001.npz'
    values = toy_stylegan.snapshot(path, res=RES, alpha=ALPHA)
    return Generator(path, threads=1), toy_stylegan.local(values, 'Gs/')


def test_attributes(drawn):
    gan, values = drawn
    assert (gan.res, gan.layers, gan.latent_size) == (8, 4, 6)
    assert np.array_equal(gan.w_avg, values['dlatent_avg'])
    assert gan.about['made'] == {'by': 'a test'}


def test_style_matrices_are_those_of_the_layers_in_order(drawn):
    gan, values = drawn
    scopes = ['4x4/Const', '4x4/Conv', '8x8/Conv0_up', '8x8/Conv1']
    assert len(gan.style_matrices) == 4
    for matrix, scope in zip(gan.style_matrices, scopes):
        assert np.array_equal(matrix, values[f'synthesis/{scope}/style/weight'])


def test_seeds_stand_alone(drawn):
    gan, _ = drawn
    z = gan.seeded([5, 6, 5])
    assert z.shape == (3, 6) and z.dtype == np.float32
    assert np.array_equal(z[0], z[2]) and not np.array_equal(z[0], z[1])
    np.testing.assert_allclose(z[1], np.random.RandomState(6).randn(6), rtol=1e-6)


def test_w_and_images_against_the_oracle(drawn):
    gan, values = drawn
    z = gan.seeded(range(generator.CHUNK + 3))  # more than are drawn at a time
    w = gan.w(z)
    np.testing.assert_allclose(w, oracle.mapping(z, values, 2), atol=2e-5)
    ws = gan.truncate(w, 0.7, cutoff=2)
    expected = images.to_rgb(oracle.synthesis(
        ws, values, res=RES, alpha=ALPHA, planes=toy_stylegan.planes(values)))
    pictures = gan.pictures(ws)
    assert pictures.dtype == np.uint8 and pictures.shape == expected.shape
    difference = np.abs(pictures.astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.001
    assert pictures.std() > 20  # the toy's images are not all black or white


def test_truncation_draws_the_first_layers_to_the_average(drawn):
    gan, _ = drawn
    w = gan.w(gan.seeded([1, 2]))
    ws = gan.truncate(w, psi=0.25, cutoff=3)
    assert ws.shape == (2, 4, 6) and ws.dtype == np.float32
    np.testing.assert_allclose(ws[:, 1] - gan.w_avg, 0.25 * (w - gan.w_avg), atol=1e-6)
    np.testing.assert_allclose(ws[:, 3], w, atol=1e-6)
    np.testing.assert_allclose(gan.truncate(ws, psi=0, cutoff=1)[:, 1:], ws[:, 1:], atol=1e-6)
    np.testing.assert_allclose(gan.truncate(w, psi=0)[:, 0], [gan.w_avg] * 2, atol=1e-6)


def test_a_file_of_another_kind_is_not_taken_for_a_run_folder(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'')
    with pytest.raises(UserError, match=r'a.jpg is no StyleGAN network; give a run folder'):
        generator.find(tmp_path / 'a.jpg')


def test_a_run_folder_means_its_newest_snapshot(tmp_path):
    with pytest.raises(UserError, match='holds no network-snapshot'):
        generator.find(tmp_path)
    for name in ('network-snapshot-000002.npz', 'network-snapshot-000010.npz', 'other.npz'):
        (tmp_path / name).write_bytes(b'')
    assert generator.find(tmp_path).name == 'network-snapshot-000010.npz'
    assert generator.find(str(tmp_path / 'other.npz')).name == 'other.npz'


@pytest.mark.parametrize('missing', ['dlatent_avg', 'synthesis/8x8/Conv1/weight'])
def test_a_snapshot_that_lacks_weights_is_refused(tmp_path, drawn, missing):
    _, values = drawn
    less = {'Gs/' + name: value for name, value in values.items() if name != missing}
    snapshots.save(tmp_path / 'a.npz', less, toy_stylegan.network(), res=RES, alpha=1.0, kimg=1,
                 made={})
    with pytest.raises(UserError, match=f'lacks .*{missing}'):
        Generator(tmp_path / 'a.npz')


@pytest.mark.parametrize('name', ['dlatent_avg', 'synthesis/8x8/Conv1/weight'])
@pytest.mark.parametrize('change, words', [(lambda value: value[:1], r'is \[1.* and should be '),
                                           (lambda value: value * np.nan, 'not finite')])
def test_a_snapshot_with_unfit_weights_is_refused(tmp_path, drawn, name, change, words):
    _, values = drawn
    other = {'Gs/' + each: value for each, value in values.items()}
    other['Gs/' + name] = change(other['Gs/' + name])
    snapshots.save(tmp_path / 'a.npz', other, toy_stylegan.network(), res=RES, alpha=1.0, kimg=1,
                   made={})
    with pytest.raises(UserError, match=words):
        Generator(tmp_path / 'a.npz')


def test_drawing_shows_its_progress(drawn, monkeypatch, capsys):
    gan, _ = drawn
    at_once = progress.bar
    monkeypatch.setattr(progress, 'bar', lambda *each, **more: at_once(
        *each, **dict(more, delay=0)))
    gan.pictures(gan.truncate(gan.w(gan.seeded(range(20)))))
    assert 'drawing: ' in capsys.readouterr().err
