"""Walks: videos of paths through the latent space, from stop to stop, open or closed.

A path is a function of t: it passes stop i at t = i, and a closed one returns to the first of n
stops at t = n. Stops are z [n, latent], w [n, w] or ws [n, layers, w].
"""

import dataclasses

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from stylegan import figures, latent
from stylegan.metrics import path_length

_FINER = 3  # points per frame at which distances are measured for constant speed
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Walk:
    """Options of a walk."""
    frames: int = knob(60, 'frames from one stop to the next', least=1)
    fps: int = knob(30, 'frames per second', least=1)
    open: bool = knob(False, 'end at the last stop instead of returning to the first')
    space: str = knob('w', 'z: along great circles between the z of seeds; w: between styles',
                      choices=('z', 'w'))
    spline: bool = knob(False, 'a cubic spline through the stops in W, without corners or pauses')
    constant_speed: str = knob('no', 'no: pause at each stop; pixels or tagger: equal steps from '
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

def segments(stops, closed):
    """The number of segments between stops."""
    return len(stops) if closed else len(stops) - 1


def _position(t, count):
    """t [m] -> (segment, position in it, 0..1)."""
    segment = np.clip(np.floor(t).astype(int), 0, count - 1)
    return segment, t - segment


def _ends(stops, closed, t):
    """(start [m, ...], end [m, ...], position [m, 1, ...] in 0..1) of the segments at t [m]."""
    stops, count = np.asarray(stops, np.float64), segments(stops, closed)
    segment, position = _position(np.asarray(t, np.float64), count)
    return (stops[segment], stops[(segment + 1) % len(stops)],
            position.reshape([-1] + [1] * (stops.ndim - 1)))


def spherical(stops, closed, t):
    """Points float32 [m, ...] on great circles from z to z [n, latent] at t [m]."""
    return latent.slerp(*_ends(stops, closed, t)).astype(np.float32)


def straight(stops, closed, t):
    """Points float32 [m, ...] on straight lines from stop to stop at t [m]."""
    start, end, position = _ends(stops, closed, t)
    return (start + (end - start) * position).astype(np.float32)


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
    """t with a pause at every stop (smoothstep), so that a viewer can look at its image."""
    whole, part = np.floor(t), t - np.floor(t)
    return whole + part * part * (3 - 2 * part)


def uniform(count, frames, closed):
    """t of `frames` frames per segment for `count` segments; an open walk ends at its last stop."""
    return np.arange(count * frames + (not closed)) / frames


def equal_steps(t, features, count, closed):
    """`count` values of t at equal distances in features.

    t: [m], increasing from start to end. features: [m, d] of the images there. The end of a closed
    walk is left out, since it is the start.
    """
    steps = np.linalg.norm(np.diff(np.asarray(features, np.float64), axis=0), axis=1)
    lengths = np.concatenate([[0], np.cumsum(steps)])
    if lengths[-1] == 0:  # all images are the same
        lengths = np.arange(len(t), dtype=np.float64)
    return np.interp(np.linspace(0, lengths[-1], count + closed)[:count], lengths, t)


# --- Walks of a generator.

def stops(generator, seeds, keys, config):
    """The stops of a walk: z [n, latent] for config.space z, else ws [n, layers, w].

    seeds: text such as '1,5,9'. keys: an .npz with w or ws to use instead, or None.
    Raises UserError, also for fewer than two.
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
        z = spherical(stops, closed, t)
        return generator.pictures(generator.truncate(generator.w(z), config.psi))
    return generator.pictures((spline if config.spline else straight)(stops, closed, t))


def times(generator, stops, config, tagger=None):
    """t of each frame. tagger: constant speed is measured in its `features`; None: in pixels."""
    closed, count = not config.open, segments(stops, not config.open)
    t = uniform(count, config.frames, closed)
    if config.constant_speed == 'no':
        return t if config.spline else eased(t)
    features = tagger.features if tagger else path_length.pixels
    fine = uniform(count, config.frames * _FINER, False)
    found = [features(_pictures(generator, stops, fine[i:i + _BATCH], config))
             for i in progress.bar(range(0, len(fine), _BATCH), what='measuring', unit='batch',
                                   leave=False)]
    return equal_steps(fine, np.concatenate(found), len(t), closed)


def frames(generator, stops, t, config):
    """The frames at t, one at a time: uint8 with even sides, config.side pixels or more."""
    for start in progress.bar(range(0, len(t), _BATCH), what='walk', unit='batch', leave=False):
        for picture in _pictures(generator, stops, t[start:start + _BATCH], config):
            yield figures.framed(picture, config.side)


def mixing(sources, targets, frames):
    """A closed sequence of triples for `figures.three_panels`, `frames` per stop.

    sources [m, layers, w] and targets [n, layers, w] are closed walks; the shorter one repeats. For
    a single pair, the weight of the source in the mix rises and falls instead.
    """
    if len(sources) == len(targets) == 1:
        weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * frames) / (2 * frames))
        return [(sources[0], targets[0], weight) for weight in weights]
    count = max(len(sources), len(targets))
    t = eased(uniform(count, frames, True))
    walks = [straight(np.take(ws, np.arange(count), 0, mode='wrap'), True, t)
             for ws in (sources, targets)]
    return [(source, target, 1) for source, target in zip(*walks)]
