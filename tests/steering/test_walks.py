"""Walks pass through their stops, close, are smooth as splines, and can have constant speed."""

import numpy as np
import pytest
from toy_world import World

from dnnlib.files import UserError
from steering import walks
from steering.walks import Walk
from stylegan import latent
from stylegan.metrics import path_length


def _walk(config, seeds='1,5,9', keys=None, tagger=None):
    world = World()
    stops = walks.stops(world, seeds, keys, config)
    t = walks.times(world, stops, config, tagger)
    return world, list(walks.frames(world, stops, t, config))


@pytest.mark.parametrize('config', [
    Walk(frames=6, side=16), Walk(frames=6, side=16, open=True), Walk(frames=6, side=16, space='z'),
    Walk(frames=6, side=16, spline=True), Walk(frames=6, side=16, constant_speed='pixels')])
def test_walks_pass_through_their_stops(config):
    world, frames = _walk(config)
    assert len(frames) == (13 if config.open else 18)
    assert all(frame.shape == (16, 16, 3) and frame.dtype == np.uint8 for frame in frames)
    stops = world.pictures(latent.styles(world, '1,5,9', config.psi))
    assert np.array_equal(frames[0], stops[0])
    if config.constant_speed == 'no':
        assert np.array_equal(frames[6], stops[1]) and np.array_equal(frames[12], stops[2])


def test_constant_speed_is_more_even():
    def unevenness(config):
        frames = np.stack(_walk(config)[1])
        steps = np.linalg.norm(np.diff(path_length.pixels(frames), axis=0), axis=1)
        return steps.std() / steps.mean()
    plain, even = [unevenness(Walk(frames=20, side=16, constant_speed=speed))
                   for speed in ('no', 'pixels')]
    assert even < 0.5 * plain


class Features:
    """A tagger that looks at the first pixel only."""

    def features(self, pictures):
        return pictures[:, 0, 0].astype(np.float64)


def test_constant_speed_in_the_features_of_a_tagger():
    config = Walk(frames=8, side=16, constant_speed='tagger')
    _, frames = _walk(config, tagger=Features())
    steps = np.diff(np.stack(frames + frames[:1])[:, 0, 0, 0].astype(float))
    moving = np.abs(steps)
    assert len(frames) == 24 and moving.max() <= moving.mean() + 2  # equal, but for rounding


def test_keys_are_stops(tmp_path):
    ws = np.random.RandomState(0).randn(2, 6, 8).astype(np.float32)
    latent.save(tmp_path / 'keys.npz', ws)
    config = Walk(frames=2, side=16)
    world, frames = _walk(config, keys=tmp_path / 'keys.npz')
    assert len(frames) == 4 and np.array_equal(frames[2], world.pictures(ws)[1])
    with pytest.raises(UserError, match='leave --space z out'):
        walks.stops(world, '', tmp_path / 'keys.npz', Walk(space='z'))
    latent.save(tmp_path / 'one.npz', ws[:1])
    with pytest.raises(UserError, match='two stops or more'):
        walks.stops(world, '', tmp_path / 'one.npz', config)
    with pytest.raises(UserError, match=r'photo.jpg does not exist; give an .npz'):
        walks.stops(world, '', tmp_path / 'photo.jpg', config)


@pytest.mark.parametrize('wrong, words', [
    (dict(space='q'), 'choose from z, w'), (dict(space='z', spline=True), '--spline'),
    (dict(constant_speed='yes'), 'no, pixels, tagger'), (dict(frames=0), 'frames 0 is too small')])
def test_what_makes_no_sense(wrong, words):
    with pytest.raises(UserError, match=words):
        Walk(**wrong)


def test_paired_walks_close_together():
    sources, targets = [np.random.RandomState(n).randn(n, 6, 8).astype(np.float32) for n in (3, 2)]
    triples = list(walks.mixing(sources, targets, 4))
    assert len(triples) == 12
    for index in range(3):
        source, target, share = triples[4 * index]
        np.testing.assert_allclose(source, sources[index], atol=1e-6)
        np.testing.assert_allclose(target, targets[index % 2], atol=1e-6)
        assert share == 1


def test_the_weight_of_a_single_pair_rises_and_falls():
    ws = np.zeros([1, 6, 8], np.float32)
    shares = [share for _, _, share in walks.mixing(ws, ws + 1, 10)]
    assert len(shares) == 20 and shares[0] == 0 and abs(shares[10] - 1) < 1e-9
    np.testing.assert_allclose(shares[1:], shares[:0:-1], atol=1e-9)


def _stops(count=4, shape=(6,)):
    return np.random.RandomState([count, 93]).randn(count, *shape)


@pytest.mark.parametrize('kind', [walks.spherical, walks.straight, walks.spline])
@pytest.mark.parametrize('closed', [False, True])
@pytest.mark.parametrize('count', [2, 3, 5])
def test_curves_pass_through_their_stops(kind, closed, count):
    stops = _stops(count)
    t = np.arange(count + closed)
    points = kind(stops, closed, t)
    np.testing.assert_allclose(points, np.take(stops, t, 0, mode='wrap'), atol=1e-6)
    assert points.dtype == np.float32 and walks.segments(stops, closed) == t[-1]


@pytest.mark.parametrize('kind', [walks.straight, walks.spline])
def test_styles_of_layers_move_together(kind):
    stops = _stops(3, (4, 5))
    alone = kind(stops.reshape(3, 20), True, [0.3, 1.9])
    np.testing.assert_allclose(kind(stops, True, [0.3, 1.9]).reshape(2, 20), alone, atol=1e-6)


def test_great_circles_match_slerp_and_lines_are_straight():
    stops = _stops(2)
    np.testing.assert_allclose(walks.spherical(stops, False, [0.25])[0],
                               latent.slerp(stops[0], stops[1], 0.25), atol=1e-6)
    np.testing.assert_allclose(walks.straight(stops, False, [0.25])[0],
                               0.75 * stops[0] + 0.25 * stops[1], atol=1e-6)


@pytest.mark.parametrize('closed', [False, True])
def test_a_spline_has_no_corners(closed):
    stops, h = _stops(5), 1e-3

    def at(t):
        t = np.array([t % 5 if closed else t])
        return walks.spline(stops, closed, t)[0].astype(np.float64)
    for knot in range(0 if closed else 1, 5 if closed else 4):
        before, after = (at(knot) - at(knot - h)) / h, (at(knot + h) - at(knot)) / h
        assert np.abs(after - before).max() < 0.05, knot  # lines differ by about 1
    if not closed:  # the ends are not bent
        bend = at(0) - 2 * at(0.05) + at(0.1)
        assert np.abs(bend).max() < 0.1 * np.abs(at(1.45) - 2 * at(1.5) + at(1.55)).max() + 0.002


def test_a_spline_through_a_line_is_the_line():
    stops = np.outer(np.arange(4.0), [1, 2])
    np.testing.assert_allclose(walks.spline(stops, False, [0.5, 1.2, 2.9])[:, 0], [0.5, 1.2, 2.9],
                               atol=1e-6)


def test_eased_times_pause_at_stops():
    t = walks.eased(np.array([0, 0.01, 0.5, 0.99, 1, 1.5, 2]))
    np.testing.assert_allclose(t[[0, 2, 4, 5, 6]], [0, 0.5, 1, 1.5, 2], atol=1e-9)
    assert t[1] < 0.001 and t[3] > 0.999


def test_times_show_the_last_stop_of_open_paths_only():
    assert walks.uniform(2, 2, True).tolist() == [0, 0.5, 1, 1.5]
    assert walks.uniform(2, 2, False).tolist() == [0, 0.5, 1, 1.5, 2]


@pytest.mark.parametrize('closed', [False, True])
def test_steps_are_equal_in_features(closed):
    fine = walks.uniform(2, 200, False)
    seen = np.stack([fine ** 3, np.zeros(len(fine))], 1)  # slow at first, then fast
    t = walks.equal_steps(fine, seen, 9, closed)
    assert len(t) == 9 and t[0] == 0 and (t[-1] < 2) == closed
    steps = np.diff(np.append(t, [2] * closed) ** 3)
    np.testing.assert_allclose(steps, np.mean(steps), rtol=0.03)


def test_equal_images_get_uniform_times():
    t = walks.equal_steps(np.arange(5), np.zeros([5, 2]), 5, False)
    np.testing.assert_allclose(t, np.arange(5))
