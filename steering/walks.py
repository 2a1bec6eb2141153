"""Walks: films through the latent space, from stop to stop, open or closed.

A walk's points are a function of t: it is at stop i at t = i, and a closed walk is back at the
first of n stops at t = n. Stops are z [n, latent], w [n, w] or ws [n, layers, w].
"""

import dataclasses

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from stylegan import figures, latent
from stylegan.metrics import path_length

_FINER = 3  # points per frame at which a walk of constant speed is measured
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Walk:
    """How to go from stop to stop."""
    frames: int = knob(60, 'frames from one stop to the next', least=1)
    fps: int = knob(30, 'frames per second', least=1)
    open: bool = knob(False, 'end at the last stop instead of returning to the first')
    space: str = knob('w', 'z: along great circles between the z of seeds; w: between the styles',
                      choices=('z', 'w'))
    spline: bool = knob(False, 'a cubic spline through the stops in W, without corners and rests')
    constant_speed: str = knob('no', 'no: rest at each stop; pixels or tagger: equal steps from '
                               'frame to frame, measured in pixels or in the features of a tagger',
                               choices=('no', 'pixels', 'tagger'))
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    side: int = knob(256, 'smaller images are enlarged to it', 'px', least=1, most=4096)
    gif: bool = knob(False, 'write walk.gif as well')

    def __post_init__(self):
        check(self)
        if self.spline and self.space == 'z':
            raise UserError('--spline goes through W; leave --space z out')


# --- Points between stops.

def legs(stops, closed):
    """How many legs between stops a walk has."""
    return len(stops) if closed else len(stops) - 1


def _position(t, count):
    """t [m] -> (leg, share of that leg)."""
    leg = np.clip(np.floor(t).astype(int), 0, count - 1)
    return leg, t - leg


def _ends(stops, closed, t):
    """(from [m, ...], to [m, ...], share [m, 1, ...]) of the legs at t [m]."""
    stops, count = np.asarray(stops, np.float64), legs(stops, closed)
    leg, share = _position(np.asarray(t, np.float64), count)
    return (stops[leg], stops[(leg + 1) % len(stops)],
            share.reshape([-1] + [1] * (stops.ndim - 1)))


def circular(stops, closed, t):
    """Points float32 [m, ...] on great circles from z to z [n, latent] at t [m]."""
    return latent.slerp(*_ends(stops, closed, t)).astype(np.float32)


def straight(stops, closed, t):
    """Points float32 [m, ...] on straight legs from stop to stop at t [m]."""
    start, end, share = _ends(stops, closed, t)
    return (start + (end - start) * share).astype(np.float32)


def _slopes(stops, closed):
    """The derivative at each stop that makes second derivatives continuous (a cubic spline).

    Open ends are natural: no curvature. Knots are at 0, 1, 2, ...
    """
    count = len(stops)
    flat = stops.reshape(count, -1)
    system = 4 * np.eye(count) + np.eye(count, k=1) + np.eye(count, k=-1)
    differences = np.roll(flat, -1, 0) - np.roll(flat, 1, 0)
    if closed:
        system[0, -1] += 1
        system[-1, 0] += 1
    else:
        system[0, 0] = system[-1, -1] = 2
        differences[0], differences[-1] = flat[1] - flat[0], flat[-1] - flat[-2]
    return np.linalg.solve(system, 3 * differences).reshape(stops.shape)


def spline(stops, closed, t):
    """Points float32 [m, ...] on a cubic spline through the stops at t [m]."""
    stops = np.asarray(stops, np.float64)
    if len(stops) < 3:
        return straight(stops, closed, t)
    start, end, s = _ends(stops, closed, t)
    start_slope, end_slope, _ = _ends(_slopes(stops, closed), closed, t)
    points = (start * (1 + 2 * s) * (1 - s) ** 2 + start_slope * s * (1 - s) ** 2
              + end * s * s * (3 - 2 * s) + end_slope * s * s * (s - 1))
    return points.astype(np.float32)


# --- Times.

def eased(t):
    """t with a rest at every whole number, so that a viewer can look at each stop."""
    whole, part = np.floor(t), t - np.floor(t)
    return whole + part * part * (3 - 2 * part)


def uniform(count, frames, closed):
    """t of `frames` frames per leg for `count` legs; an open walk shows its last stop too."""
    return np.arange(count * frames + (not closed)) / frames


def even(t, features, count, closed):
    """`count` times between which the distance in features is the same.

    t: [m] rising from the walk's start to its end. features: [m, d] of the images there.
    A closed walk leaves its end out, as it is its start.
    """
    steps = np.linalg.norm(np.diff(np.asarray(features, np.float64), axis=0), axis=1)
    lengths = np.concatenate([[0], np.cumsum(steps)])
    if lengths[-1] == 0:  # nothing moves
        lengths = np.arange(len(t), dtype=np.float64)
    return np.interp(np.linspace(0, lengths[-1], count + closed)[:count], lengths, t)


# --- Walks of a generator.

def stops(generator, seeds, keys, config):
    """The stops of a walk: z [n, latent] for config.space z, else ws [n, layers, w].

    seeds: text such as '1,5,9'. keys: an .npz with w or ws to use instead, or None.
    Raises UserError, also where there are fewer than two.
    """
    if keys and config.space == 'z':
        raise UserError('--keys are styles in W; leave --space z out')
    found = (latent.read(keys, generator.layers, len(generator.w_avg)) if keys else
             generator.seeded(latent.seeds(seeds)) if config.space == 'z' else
             latent.styles(generator, seeds, config.psi))
    if len(found) < 2:
        raise UserError('a walk needs two stops or more, such as --seeds 1,5,9')
    return found


def _pictures(generator, stops, t, config):
    """The images at t [m]: uint8 [m, res, res, 3]."""
    closed = not config.open
    if config.space == 'z':
        z = circular(stops, closed, t)
        return generator.pictures(generator.truncate(generator.w(z), config.psi))
    return generator.pictures((spline if config.spline else straight)(stops, closed, t))


def times(generator, stops, config, tagger=None):
    """t of each frame. tagger: see `steering`; constant speed is measured in its `features`, or
    without one in pixels."""
    closed, count = not config.open, legs(stops, not config.open)
    t = uniform(count, config.frames, closed)
    if config.constant_speed == 'no':
        return t if config.spline else eased(t)
    features = tagger.features if tagger else path_length.pixels
    fine = uniform(count, config.frames * _FINER, False)
    found = [features(_pictures(generator, stops, fine[i:i + _BATCH], config))
             for i in progress.bar(range(0, len(fine), _BATCH), what='measuring', unit='batch',
                                   leave=False)]
    return even(fine, np.concatenate(found), len(t), closed)


def frames(generator, stops, t, config):
    """The frames at t, one at a time: uint8 with even sides, config.side pixels or more."""
    for start in progress.bar(range(0, len(t), _BATCH), what='walk', unit='batch', leave=False):
        for picture in _pictures(generator, stops, t[start:start + _BATCH], config):
            yield figures.framed(picture, config.side)


def mixing(sources, targets, frames):
    """Triples for `figures.three_panels` that end where they start, `frames` per stop.

    sources [m, layers, w] and targets [n, layers, w] are both closed walks, the shorter one more
    often. Of one pair, it is the share of the source in the result that rises and falls.
    """
    if len(sources) == len(targets) == 1:
        shares = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * frames) / (2 * frames))
        return [(sources[0], targets[0], share) for share in shares]
    count = max(len(sources), len(targets))
    t = eased(uniform(count, frames, True))
    walks = [straight(np.take(ws, np.arange(count), 0, mode='wrap'), True, t)
             for ws in (sources, targets)]
    return [(source, target, 1) for source, target in zip(*walks)]
