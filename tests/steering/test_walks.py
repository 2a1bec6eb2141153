"""Walks are as long as asked, pass their stops, and refuse what makes no sense."""

import numpy as np
import pytest
from toy_world import World

from dnnlib.files import UserError
from steering import paths, walks
from stylegan import latent_files
from stylegan.metrics import path_length
from steering.walks import Walk


def _walk(how, seeds='1,5,9', keys=None):
    world = World()
    stops = walks.stops(world, seeds, keys, how)
    way, legs = walks.path(world, stops, how), paths.legs(stops, not how.open)
    t = walks.times(world, way, legs, how)
    return world, list(walks.frames(world, way, t, how.side))


@pytest.mark.parametrize('how', [
    Walk(frames=6, side=16), Walk(frames=6, side=16, open=True), Walk(frames=6, side=16, space='z'),
    Walk(frames=6, side=16, spline=True), Walk(frames=6, side=16, constant_speed='pixels')])
def test_walks_pass_their_stops(how):
    world, frames = _walk(how)
    assert len(frames) == (13 if how.open else 18)
    assert all(frame.shape == (16, 16, 3) and frame.dtype == np.uint8 for frame in frames)
    stops = world.pictures(latent_files.styles(world, '1,5,9', how.psi))
    assert np.array_equal(frames[0], stops[0])
    if how.constant_speed == 'no':
        assert np.array_equal(frames[6], stops[1]) and np.array_equal(frames[12], stops[2])


def test_constant_speed_is_more_even():
    def unevenness(how):
        frames = np.stack(_walk(how)[1])
        steps = np.linalg.norm(np.diff(path_length.pixels(frames), axis=0), axis=1)
        return steps.std() / steps.mean()
    plain, even = [unevenness(Walk(frames=20, side=16, constant_speed=speed))
                   for speed in ('no', 'pixels')]
    assert even < 0.5 * plain


def test_keys_are_stops(tmp_path):
    ws = np.random.RandomState(0).randn(2, 6, 8).astype(np.float32)
    latent_files.save(tmp_path / 'keys.npz', ws)
    how = Walk(frames=2, side=16)
    world, frames = _walk(how, keys=tmp_path / 'keys.npz')
    assert len(frames) == 4 and np.array_equal(frames[2], world.pictures(ws)[1])
    with pytest.raises(UserError, match='leave --space z out'):
        walks.stops(world, '', tmp_path / 'keys.npz', Walk(space='z'))
    latent_files.save(tmp_path / 'one.npz', ws[:1])
    with pytest.raises(UserError, match='two stops or more'):
        walks.stops(world, '', tmp_path / 'one.npz', how)
    with pytest.raises(UserError, match='photo.jpg does not exist; give an .npz'):
        walks.stops(world, '', tmp_path / 'photo.jpg', how)


@pytest.mark.parametrize('wrong, words', [
    (dict(space='q'), 'choose from z, w'), (dict(space='z', spline=True), '--spline'),
    (dict(constant_speed='yes'), 'choose from no, pixels, tagger'), (dict(frames=0), 'least is 1')])
def test_what_makes_no_sense(wrong, words):
    with pytest.raises(UserError, match=words):
        Walk(**wrong)


def test_pairs_go_round_together():
    sources, targets = [np.random.RandomState(n).randn(n, 6, 8).astype(np.float32) for n in (3, 2)]
    triples = list(walks.pairs(sources, targets, 4))
    assert len(triples) == 12
    for index in range(3):
        source, target, share = triples[4 * index]
        np.testing.assert_allclose(source, sources[index], atol=1e-6)
        np.testing.assert_allclose(target, targets[index % 2], atol=1e-6)
        assert share == 1


def test_of_one_pair_the_share_comes_and_goes():
    ws = np.zeros([1, 6, 8], np.float32)
    shares = [share for _, _, share in walks.pairs(ws, ws + 1, 10)]
    assert len(shares) == 20 and shares[0] == 0 and abs(shares[10] - 1) < 1e-9
    np.testing.assert_allclose(shares[1:], shares[:0:-1], atol=1e-9)
