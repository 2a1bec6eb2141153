"""Strips of cloth in centimetres: smooth edges, sloping or wavy hems, folds.

x points right from the centre front, y down. A panel has an axis; stations are positions along it,
edges are offsets across it, and u in [-1, 1] runs from the left edge to the right one.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Panel:
    """One strip of cloth. Lengths in cm; arrays float [k] along the axis."""
    outline: np.ndarray     # polygon [n, 2] of x, y
    origin: tuple           # x, y where the axis begins
    angle: float            # of the axis, radians from straight down towards +x
    stations: np.ndarray    # along the axis
    left: np.ndarray        # edges across the axis
    right: np.ndarray
    folds: np.ndarray       # [m, 3] frequency, phase and lean of each wave across the panel
    drape: float = 0.0      # depth of the folds at the hem, as a fraction of the light
    drape_from: float = 0.0  # station where the folds begin
    fade: float = 0.0       # length at the end that fades out, in cm
    side: str = 'outer'     # 'outer', 'inner' (the darker inside of the cloth) or 'trim'
    part: str = 'body'      # 'body', 'sleeve', 'leg', 'frill' or 'trim'


def smooth(points, at):
    """The cubic curve through `points` [(s, value)] at `at`; linear beyond the last."""
    s, value = np.asarray(points, np.float64).T
    chord = np.diff(value) / np.diff(s)
    slope = np.concatenate([chord[:1], (chord[1:] + chord[:-1]) / 2, chord[-1:]])
    i = np.clip(np.searchsorted(s, at) - 1, 0, len(s) - 2)
    step = s[i + 1] - s[i]
    t = np.clip((at - s[i]) / step, 0, 1)
    curve = ((1 + 2 * t) * (1 - t) ** 2 * value[i] + t * (1 - t) ** 2 * step * slope[i]
             + t * t * (3 - 2 * t) * value[i + 1] + t * t * (t - 1) * step * slope[i + 1])
    return curve + np.where(at > s[-1], at - s[-1], 0) * slope[-1]


def wave(folds, u, s=0.0):
    """Height of the folds at u across and s cm along the panel, about -1 to 1."""
    total = 0.0
    for frequency, phase, lean in folds.tolist():
        total = total + np.sin(frequency * u + phase + lean * s)
    return total / max(1, len(folds)) ** 0.5


def folds(rng, count):
    """Three random waves, float [3, 3]; about `count` / 2 folds cross the panel."""
    return np.stack([rng.uniform(0.8, 1.25, 3) * np.array([1.0, 1.7, 2.6]) * count,
                     rng.uniform(0, 2 * np.pi, 3),
                     rng.uniform(-0.012, 0.012, 3)], axis=1)


def mirrored(points):
    """Half widths [(s, w)] -> the edges (left, right) of a symmetric panel."""
    return [(s, -w) for s, w in points], list(points)


def panel(edges, hem, *, waves, place=(0.0, 0.0, 0.0), **rest):
    """A Panel between its edges.

    edges: (left, right), each [(station, offset)]; hem: the station of the lower end, a number or
    a function of u; waves: its folds; place: x, y and angle of the axis; rest: other fields.
    """
    u = np.linspace(1, -1, 97)
    ends = hem(u) if callable(hem) else np.full(len(u), float(hem))
    stations = np.linspace(edges[0][0][0], ends.max(), 160)
    left, right = (smooth(edge, stations) for edge in edges)
    across = (np.interp(ends, stations, left) * (1 - u) / 2
              + np.interp(ends, stations, right) * (1 + u) / 2)
    down, up = stations[stations < ends[0]], stations[stations < ends[-1]][::-1]
    n = np.concatenate([np.interp(down, stations, right), across, np.interp(up, stations, left)])
    s = np.concatenate([down, ends, up])
    x, y, angle = place
    outline = np.stack([x + n * np.cos(angle) + s * np.sin(angle),
                        y - n * np.sin(angle) + s * np.cos(angle)], axis=1)
    return Panel(outline=outline, origin=(x, y), angle=angle, stations=stations, left=left,
                 right=right, folds=waves, **rest)


def flap(polygon, *, waves, **rest):
    """A Panel that is a small polygon [n, 2], such as half a collar."""
    polygon = np.asarray(polygon, np.float64)
    low, high = polygon.min(0), polygon.max(0)
    return Panel(outline=polygon, origin=(0.0, 0.0), angle=0.0,
                 stations=np.array([low[1], high[1]]), left=np.full(2, low[0]),
                 right=np.full(2, high[0]), folds=waves, **rest)
