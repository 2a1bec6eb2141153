"""Paths through stops [n, ...]: great circles, straight legs or a smooth curve, open or closed.

A path is a function: t [m] -> points float32 [m, ...]. It meets stop i at t = i; a closed one comes
home to the first stop at t = n.
"""

import numpy as np

from stylegan import latent


def legs(stops, closed):
    """How many ways between stops a path has."""
    return len(stops) if closed else len(stops) - 1


def _on_a_leg(t, count):
    """t [m] -> (leg that it lies on, share of that leg)."""
    leg = np.clip(np.floor(t).astype(int), 0, count - 1)
    return leg, t - leg


def eased(t):
    """t with a rest at every whole number, so that a viewer can look at what has been reached."""
    whole, part = np.floor(t), t - np.floor(t)
    return whole + part * part * (3 - 2 * part)


def _between(stops, closed, mix):
    """A path of separate legs. mix: function (from, to, share) of arrays that broadcast."""
    stops = np.asarray(stops, np.float64)

    def path(t):
        leg, share = _on_a_leg(np.asarray(t, np.float64), legs(stops, closed))
        share = share.reshape([-1] + [1] * (stops.ndim - 1))
        return mix(stops[leg], stops[(leg + 1) % len(stops)], share).astype(np.float32)
    return path


def circular(stops, closed):
    """Along great circles from z to z [n, latent]."""
    return _between(stops, closed, latent.slerp)


def straight(stops, closed):
    """Straight from w to w (or ws to ws)."""
    return _between(stops, closed, lambda a, b, share: a + (b - a) * share)


def _slopes(stops, closed):
    """The slope at each stop that makes second derivatives meet there as well (a cubic spline).

    Open ends are natural: no curvature. Equations for knots at 0, 1, 2, ...
    """
    count = len(stops)
    flat = stops.reshape(count, -1)
    system = 4 * np.eye(count) + np.eye(count, k=1) + np.eye(count, k=-1)
    around = np.roll(flat, -1, 0) - np.roll(flat, 1, 0)
    if closed:
        system[0, -1] += 1
        system[-1, 0] += 1
    else:
        system[0, 0] = system[-1, -1] = 2
        around[0], around[-1] = flat[1] - flat[0], flat[-1] - flat[-2]
    return np.linalg.solve(system, 3 * around).reshape(stops.shape)


def spline(stops, closed):
    """A cubic spline through w (or ws): no corner at any stop."""
    stops = np.asarray(stops, np.float64)
    if len(stops) < 3:
        return straight(stops, closed)
    slopes = _slopes(stops, closed)

    def path(t):
        leg, share = _on_a_leg(np.asarray(t, np.float64), legs(stops, closed))
        s, after = share.reshape([-1] + [1] * (stops.ndim - 1)), (leg + 1) % len(stops)
        points = (stops[leg] * (1 + 2 * s) * (1 - s) ** 2 + slopes[leg] * s * (1 - s) ** 2
                  + stops[after] * s * s * (3 - 2 * s) + slopes[after] * s * s * (s - 1))
        return points.astype(np.float32)
    return path


def times(count, frames, closed):
    """t of `frames` frames per leg for `count` legs; an open path shows its last stop too."""
    return np.arange(count * frames + (not closed)) / frames


def even(t, features, count, closed):
    """`count` times at which a viewer sees equal steps: the path's length is measured in features.

    t: [m] rising from the path's start to its end. features: [m, d], how the pictures there look.
    A closed path leaves its end out, as it is its start.
    """
    steps = np.linalg.norm(np.diff(np.asarray(features, np.float64), axis=0), axis=1)
    way = np.concatenate([[0], np.cumsum(steps)])
    if way[-1] == 0:  # nothing moves
        way = np.arange(len(t), dtype=np.float64)
    wanted = np.linspace(0, way[-1], count + closed)[:count]
    return np.interp(wanted, way, t)
