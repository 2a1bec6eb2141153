"""Projection recovers images of a toy generator, with and without noise inputs, in W and W+."""

import dataclasses

import numpy as np
import pytest
import toy_stylegan

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from projection import config, results, search

CONFIG = config.Projection(starts=1, steps=40, candidates=20, newton=3, batch=2, frames=3,
                           threads=1)


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    """(a toy generator without noise, images of its own, their w)."""
    return toy_stylegan.own_pictures(tmp_path_factory.mktemp('plain') / 'a.npz', [1, 2],
                                     use_noise=False)


def _projector(gan, **more):
    return search.Projector(gan, dataclasses.replace(CONFIG, **more))


def _psnr(projector, found, pictures):
    drawn = np.rint(np.clip(projector.images(found.ws, found.noises) + 1, 0, 2) * 127.5)
    return results.psnr(pictures, drawn)


@pytest.fixture(scope='module')
def projector(plain):
    return _projector(plain[0])


def test_the_starts_are_the_nearest_candidates(plain, projector):
    _, pictures, _ = plain
    targets = projector.features(pictures)
    starts = projector.starts(targets)[:, 0]
    pool = [row for row in projector.samples if (row == starts).all(1).any()]
    assert len(pool) == 2

    def gaps(w):
        found = projector._fetch(projector._features, projector._layered(w), [])
        return np.square(found - targets).sum(1)
    mean = np.repeat(projector.mean[np.newaxis], 2, 0)
    assert (gaps(starts) < gaps(mean)).all()
    for own in projector.samples[:5]:  # not among the candidates, most likely
        assert (gaps(starts) <= gaps(np.stack([own, own])) + 1).all()
    three = _projector(plain[0], starts=3).starts(targets)
    assert three.shape == (2, 3, 6) and np.array_equal(three[:, 0], starts)
    assert (gaps(three[:, 0]) <= gaps(three[:, 1])).all()
    assert (gaps(three[:, 1]) <= gaps(three[:, 2])).all()
    assert np.array_equal(_projector(plain[0], candidates=0, starts=3).starts(targets),
                          mean[:, np.newaxis])
    assert _projector(plain[0], candidates=2, starts=9).starts(targets).shape == (2, 3, 6)


def test_of_several_starts_the_best_is_kept_image_by_image(plain):
    gan, pictures, w = plain
    adam = _projector(gan, newton=0, steps=5)
    far = adam.mean + 3 * (adam.mean - w)
    first, second = np.stack([w[0], far[1]]), np.stack([far[0], w[1]])
    alone = [adam.search(pictures, start[:, np.newaxis]) for start in (first, second)]
    both = adam.search(pictures, np.stack([first, second], 1))
    for index, best in enumerate(alone):
        worse = alone[1 - index]
        assert best.losses[-1, index] < worse.losses[-1, index]
        assert both.ws[index].tobytes() == best.ws[index].tobytes()
        assert both.losses[:, index].tobytes() == best.losses[:, index].tobytes()
        for path, own in zip(both.path, best.path):
            assert path[index].tobytes() == own[index].tobytes()


def test_own_images_are_recovered_and_every_stage_helps(plain, projector):
    _, pictures, w = plain
    starts = projector.starts(projector.features(pictures))
    found = projector.search(pictures, starts)
    assert found.ws.shape == (2, 4, 6) and found.losses.shape == (43, 2) and len(found.path) == 6
    assert (found.losses[39] < 0.5 * found.losses[0]).all()
    assert (found.losses[42] < 0.5 * found.losses[39]).all()
    assert (np.diff(found.losses[40:], axis=0) <= 0).all()
    assert (_psnr(projector, found, pictures) > 30).all()
    apart = np.linalg.norm(found.ws[:, 0] - w, axis=1)
    assert (apart < 0.5 * np.linalg.norm(starts[:, 0] - w, axis=1)).all()


def test_results_depend_on_the_seed_and_not_on_the_batch(plain, projector):
    _, pictures, _ = plain
    starts = projector.starts(projector.features(pictures))
    first, again = [projector.search(pictures, starts) for _ in range(2)]
    assert first.ws.tobytes() == again.ws.tobytes()
    alone = projector.search(pictures[1:], starts[1:])
    np.testing.assert_allclose(alone.ws[0], first.ws[1], atol=2e-3)


@pytest.mark.slow
def test_w_plus_has_a_style_per_layer_and_pull_regularises_them(plain):
    gan, pictures, _ = plain
    other = pictures[:, :, ::-1]  # nothing it has drawn
    spreads, losses = [], []
    for pull in (0.0, 1.0):
        own = _projector(gan, space='w+', pull=pull)
        found = own.search(other, np.repeat(own.mean[np.newaxis, np.newaxis], 2, 0))
        assert len(found.losses) == 40  # no Newton
        spreads.append(np.linalg.norm(found.ws - own.mean))
        losses.append(found.losses[-1].sum())
    assert spreads[1] < 0.7 * spreads[0] and losses[0] < losses[1]
    assert np.abs(found.ws[:, 0] - found.ws[:, 1]).max() > 1e-3


@pytest.mark.slow
def test_noise_inputs_are_recovered_and_regularised(tmp_path):
    gan, pictures, _ = toy_stylegan.own_pictures(tmp_path / 'a.npz', [3, 4])
    structure, losses = [], []
    for weight in (0.0, 1e5):
        own = _projector(gan, w_noise=0.05, noise_weight=weight)
        found = own.search(pictures, own.starts(own.features(pictures)))
        assert [noise.shape for noise in found.noises] == [(2, 4, 4, 1)] * 2 + [(2, 8, 8, 1)] * 2
        for noise in found.noises:
            np.testing.assert_allclose(noise.mean((1, 2, 3)), 0, atol=1e-5)
            np.testing.assert_allclose(np.square(noise).mean((1, 2, 3)), 1, rtol=1e-4)
        structure.append(sum(_structure(noise).sum() for noise in found.noises))
        losses.append(found.losses[-1])
    assert (losses[0] < losses[1]).all() and structure[1] < 0.5 * structure[0]


def _structure(noise):
    with tf.Graph().as_default(), tflib.session(1) as session:
        return session.run(search.noise_regularisation(tf.constant(noise)))


def test_noise_regularisation_against_numpy():
    noise = np.random.RandomState(0).randn(1, 16, 16, 1).astype(np.float32)
    expected, v = 0, noise[0, :, :, 0]
    for _ in range(2):
        expected += np.mean(v * np.roll(v, 1, 0)) ** 2 + np.mean(v * np.roll(v, 1, 1)) ** 2
        v = v.reshape(8, 2, 8, 2).mean((1, 3)) if len(v) == 16 else v
    np.testing.assert_allclose(_structure(noise), [expected], rtol=1e-4)
    smooth = np.ones([1, 16, 16, 1], np.float32)
    assert _structure(smooth)[0] == pytest.approx(4) and expected < 0.5


def test_w_plus_takes_the_steps_of_all_searches_in_one():
    one = dataclasses.replace(CONFIG, starts=3)
    assert one.searches == (3, 40)
    assert dataclasses.replace(one, space='w+').searches == (1, 120)
    assert dataclasses.replace(one, candidates=0).searches == (1, 40)


def test_the_learning_rate_rises_and_falls():
    projection = config.Projection(lrate=0.1, ramp_up=0.05, ramp_down=0.25)
    rates = [config.learning_rate(t, projection) for t in (0, 0.025, 0.05, 0.5, 0.75, 0.875, 1)]
    np.testing.assert_allclose(rates, [0, 0.05, 0.1, 0.1, 0.1, 0.05, 0], atol=1e-9)


def test_a_too_large_jacobian_skips_gauss_newton(plain, projector, monkeypatch):
    _, pictures, w = plain
    monkeypatch.setattr(search, '_LARGEST', 10)
    assert len(projector.search(pictures, w[:, np.newaxis]).losses) == 40


@pytest.mark.parametrize('wrong, words', [
    (dict(space='z'), 'from w, w'), (dict(starts=0), 'starts'), (dict(steps=0), 'steps'),
    (dict(newton=-1), 'newton'), (dict(ramp_down=0.0), 'ramp-down'), (dict(seed=-1), 'seed')])
def test_impossible_searches_are_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        dataclasses.replace(CONFIG, **wrong)
