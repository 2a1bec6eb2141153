"""Walks: films that go from picture to picture through the latent space, and come home if asked."""

import dataclasses

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from steering import paths
from stylegan import figures, latent_files
from stylegan.metrics import path_length

FINER = 3  # places per frame at which a path of constant speed is measured
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Walk:
    """How to go from stop to stop."""
    frames: int = knob(60, 'frames from one stop to the next', least=1)
    fps: int = knob(30, 'frames per second', least=1)
    open: bool = knob(False, 'end at the last stop instead of going home to the first')
    space: str = knob('w', 'z: along great circles between the z of seeds; w: between the styles',
                      choices=('z', 'w'))
    spline: bool = knob(False, 'a smooth curve through the stops in W, without corners and rests')
    constant_speed: str = knob('no', 'no: rest at each stop; pixels or tagger: equal steps from '
                               'frame to frame, as these two see it',
                               choices=('no', 'pixels', 'tagger'))
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    side: int = knob(256, 'smaller pictures are shown enlarged to it', 'px', least=1, most=4096)
    gif: bool = knob(False, 'write walk.gif as well')

    def __post_init__(self):
        check(self)
        if self.spline and self.space == 'z':
            raise UserError('--spline goes through W; leave --space z out')


def stops(generator, seeds, keys, how):
    """Where to stop: z [n, latent] for how.space z, else ws [n, layers, w].

    seeds: text such as '1,5,9'. keys: an .npz with w or ws to use instead, or None.
    Raises UserError, also where there are fewer than two.
    """
    if keys and how.space == 'z':
        raise UserError('--keys are styles in W; leave --space z out')
    found = (latent_files.read(keys, generator.layers, len(generator.w_avg)) if keys else
             generator.seeded(latent_files.seeds(seeds)) if how.space == 'z' else
             latent_files.styles(generator, seeds, how.psi))
    if len(found) < 2:
        raise UserError('a walk needs two stops or more, such as --seeds 1,5,9')
    return found


def path(generator, stops, how):
    """The path through stops -> function t [m] -> ws [m, layers, w].

    stops: as `stops` gives them.
    """
    if how.space == 'z':
        circles = paths.circular(stops, not how.open)
        return lambda t: generator.truncate(generator.w(circles(t)), how.psi)
    return (paths.spline if how.spline else paths.straight)(stops, not how.open)


def times(generator, way, count, how, features=path_length.pixels):
    """When each frame is: [frames] in 0..count, for a path of `count` legs.

    features: function pictures -> [n, d], in which how.constant_speed other than no measures.
    """
    t = paths.times(count, how.frames, not how.open)
    if how.constant_speed == 'no':
        return t if how.spline else paths.eased(t)
    fine = paths.times(count, how.frames * FINER, False)
    seen = [features(generator.pictures(way(fine[i:i + _BATCH])))
            for i in progress.bar(range(0, len(fine), _BATCH), what='measuring', unit='batch',
                                  leave=False)]
    return paths.even(fine, np.concatenate(seen), len(t), not how.open)


def pairs(sources, targets, frames):
    """Triples for `figures.three_panels` that come back to their start, `frames` per stop.

    sources [m, layers, w], targets [n, layers, w]: both go round, the shorter one more often. Where
    there is one of each, it is the source's share in the result that rises and falls.
    """
    if len(sources) == len(targets) == 1:
        shares = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * frames) / (2 * frames))
        return [(sources[0], targets[0], share) for share in shares]
    count = max(len(sources), len(targets))
    t = paths.eased(paths.times(count, frames, True))
    trips = [paths.straight(np.take(ws, np.arange(count), 0, mode='wrap'), True)(t)
             for ws in (sources, targets)]
    return [(source, target, 1) for source, target in zip(*trips)]


def frames(generator, way, t, side):
    """One picture at a time: uint8 frames with even sides, at least `side` pixels large."""
    for start in progress.bar(range(0, len(t), _BATCH), what='walk', unit='batch', leave=False):
        for picture in generator.pictures(way(t[start:start + _BATCH])):
            yield figures.framed(picture, side)
