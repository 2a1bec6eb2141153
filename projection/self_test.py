"""The self-test of projection: pictures whose w is known, beside real ones.

What a generator has drawn it can draw again, so those tell how good the search is. How much worse
real ones fare tells what the generator cannot draw.
"""

import time

import numpy as np

from projection import results as projected


def _timed(out, named, generator, projector, origin):
    """Results, and [seconds, seconds of the processor] per picture that was searched for.

    Where all had been done before there are none: None.
    """
    before = {path: path.stat().st_mtime for path in out.glob('*.npz')}
    starts = time.time(), time.process_time()
    results = projected.project(out, named, generator, projector, origin)
    fresh = sum(1 for name in named if before.get(out / (name + '.npz'))
                != (out / (name + '.npz')).stat().st_mtime)
    return results, [(now - start) / fresh if fresh else None for now, start in zip(
        (time.time(), time.process_time()), starts)]


def usual_distance(projector, seed):
    """The mean distance of two random w."""
    rng = np.random.RandomState([seed, 65])
    pairs = projector.samples[rng.randint(len(projector.samples), size=[1000, 2])]
    return float(np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1).mean())


def _figures(results, seconds):
    return {'psnr': [float(result['psnr']) for result in results],
            'distance': [float(result['distance']) for result in results], 'seconds': seconds}


def measure(out, generator, projector, reals, *, count, seed, origin):
    """Project `count` generated pictures and the reals -> (all targets, their results, figures).

    reals, targets: {name: uint8 [res, res, 3]}. figures: {'generated': ..., 'real': ...}, each
    with lists psnr (dB) and distance (of features), and seconds per picture, by the clock and of
    the processor; generated has w_distance as well, in units of the mean distance of two random w.
    """
    w = generator.w(generator.seeded(range(seed, seed + count)))
    pictures = generator.pictures(generator.truncate(w, 1))
    made = {'generated-%d' % (seed + index): picture for index, picture in enumerate(pictures)}
    results, seconds = _timed(out, made, generator, projector, origin)
    unit = usual_distance(projector, seed)
    figures = {'generated': dict(_figures(results, seconds), w_distance=[
        float(np.linalg.norm(result['w'][0] - own) / unit) for result, own in zip(results, w)])}
    others, seconds = _timed(out, reals, generator, projector, origin)
    figures['real'] = _figures(others, seconds)
    return dict(made, **reals), results + others, figures


def _cell(values, form, best=min):
    """Median, worst and best of a column, or a dash."""
    if not values:
        return '-'
    worst = max if best is min else min
    return '%s (%s to %s)' % tuple(form % value for value in (
        np.median(values), worst(values), best(values)))


def report(figures):
    """The figures of `measure` as a text table: median, and worst and best in brackets."""
    form = '%-10s %3s  %-22s %-26s %-24s %s'
    lines = [form % ('', 'n', 'PSNR dB', 'feature distance', 'distance in W', 'seconds each')]
    for kind, each in figures.items():
        seconds = each['seconds']
        lines.append(form % (
            kind, len(each['psnr']), _cell(each['psnr'], '%.1f', max),
            _cell(each['distance'], '%.4f'), _cell(each.get('w_distance'), '%.2f'),
            '-' if None in seconds else '%.1f (processor %.1f)' % tuple(seconds)))
    return '\n'.join(lines + ['median (worst to best); distance in W: 1 is that of two random w'])
