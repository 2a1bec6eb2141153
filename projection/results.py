"""The files of projection: an `.npz`, an image and a video per target, and `all.npz` of them all.

NAME.npz holds w [1, w] (the mean over layers in W+), ws [1, layers, w], drawn [h, w, 3], psnr,
distance, losses [steps], the noise inputs, and `about`, everything the result depends on; a later
run skips targets whose `about` is the same. all.npz holds w [n, w], ws [n, layers, w] and names
[n].

The self-test projects generated images, whose w is known, and real ones. The generator can draw its
own images, so their error measures the search; the additional error of real ones measures the
generator.
"""

import dataclasses
import pathlib
import time
import zlib

import numpy as np

from dnnlib import archive, images, progress, runs, video
from stylegan import figures, latent

_FPS = 15  # frames per second of the videos; the last frame is shown for a second
_COLUMNS = 8  # of the sheets
_LONGEST = 60  # characters of a name
_IRRELEVANT = ('batch', 'threads', 'frames')  # options that do not change a result


def psnr(a, b):
    """Peak signal-to-noise ratio in dB of uint8 [n, h, w, 3] -> [n]; equal images: 99."""
    error = np.square((np.float64(a) - b) / 255).mean((1, 2, 3))
    return np.minimum(99.0, -10 * np.log10(np.maximum(error, 1e-12)))


def names(paths):
    """A unique file name without suffix for each path: its stem, with a number if it is taken.

    Unprintable characters, and bytes that are not valid Unicode, become dashes.
    """
    result, taken = [], set()
    for path in paths:
        stem = pathlib.Path(path).stem[:_LONGEST]
        name = stem = ''.join(letter if letter.isprintable() else '-' for letter in stem)
        number = 2
        while name in taken or name in ('all', 'mixed'):
            name, number = f'{stem}-{number}', number + 1
        taken.add(name)
        result.append(name)
    return result


def _about(name, picture, generator, projector):
    """Everything that a result depends on, JSON-able."""
    relevant = {key: value for key, value in dataclasses.asdict(projector.config).items()
                if key not in _IRRELEVANT}
    if projector.vgg:
        relevant['vgg'] = projector.vgg
    return {'target': name, 'picture': zlib.crc32(np.ascontiguousarray(picture).tobytes()),
            'mean': zlib.crc32(generator.w_avg.tobytes()), 'config': relevant}


def _read(path, about, generator):
    """The result with this `about`, a dict of arrays; None if there is none. Raises UserError."""
    if not path.exists():
        return None
    layers, width, res = generator.layers, len(generator.w_avg), generator.res
    with archive.reading(path, 'result of projection', 'delete it, or give another '
                         '--out') as arrays:
        known = archive.about(arrays)
        shapes = {'w': (1, width), 'ws': (1, layers, width), 'drawn': (res, res, 3), 'psnr': (),
                  'distance': ()}
        for name, shape in shapes.items() if known == about else ():
            if arrays[name].shape != shape or arrays[name].dtype.kind not in 'fu':
                raise ValueError(f"'{name}' in it has the shape {arrays[name].shape}")
        return dict(archive.finite(arrays), about=known) if known == about else None


def _rows(pictures, columns):
    """Images in rows of `columns`; white ones fill the last row."""
    blank = np.full_like(pictures[0], 255)
    filled = list(pictures) + [blank] * (-len(pictures) % columns)
    return [filled[i:i + columns] for i in range(0, len(filled), columns)]


def _frames(projector, target, path, noises):
    """Frames of the optimisation: the target beside the generated image."""
    pictures = images.to_rgb(projector.images(path, noises))
    for picture in np.concatenate([pictures, pictures[-1:].repeat(_FPS, 0)]):
        yield figures.strips([[target, picture]])


def _write(out, name, projector, found, index, target, about, origin):
    noises = [noise[index:index + 1] for noise in found.noises]
    ws = found.ws[index:index + 1]
    drawn = images.to_rgb(projector.images(ws, noises))
    origin = dict(origin, target=name)
    images.write_png(out / f'{name}.png', figures.strips([[target, drawn[0]]]), origin)
    if found.path:
        path = np.stack([ws[index] for ws in found.path])
        video.write_mp4(out / f'{name}.mp4', _frames(projector, target, path, noises), fps=_FPS,
                        origin=origin)
    pair = projector.features(np.stack([target, drawn[0]]))
    arrays = {'w': ws.mean(1), 'ws': ws, 'drawn': drawn[0], 'losses': found.losses[:, index],
              'psnr': psnr(target[np.newaxis], drawn)[0],
              'distance': np.linalg.norm(pair[0] - pair[1])}
    arrays.update((f'noise{layer}', noise) for layer, noise in enumerate(noises))
    archive.write(out / f'{name}.npz', arrays, about)  # last: it marks the result as complete


def project(out, targets, generator, projector, origin):
    """Project every target that has no result in the folder `out` yet -> list of results.

    targets: {name: uint8 [res, res, 3]}. A result is a dict of the arrays in its `.npz`.
    origin:  facts that travel in images, see `runs.origin_of`.
    Raises runs.Interrupted on Ctrl-C; finished results are kept.
    """
    config = projector.config
    about = {name: _about(name, picture, generator, projector) for name, picture in targets.items()}

    def done(name):
        return _read(out / f'{name}.npz', about[name], generator)
    todo = [name for name in targets if not done(name)]
    steps = np.prod(config.searches) + config.newton * (config.space == 'w')
    try:
        with progress.bar(total=len(todo) * steps, what='project', unit='step',
                          disable=not todo) as bar:
            for i in range(0, len(todo), config.batch):
                batch = todo[i:i + config.batch]
                pictures = np.stack([targets[name] for name in batch])
                found = projector.search(
                    pictures, projector.starts(projector.features(pictures)),
                    lambda count, ws: bar.update(count))
                for index, name in enumerate(batch):
                    _write(out, name, projector, found, index, targets[name], about[name], origin)
    except KeyboardInterrupt:
        count = sum(1 for name in targets if done(name))
        raise runs.Interrupted(f'{count} of {len(targets)} images are done; run the same command '
                               'again to resume')
    return [done(name) for name in targets]


def write_all(out, targets, results, origin):
    """Write all.npz, which other commands take for seeds, and all.png, targets above results."""
    archive.write(out / 'all.npz', {
        'w': np.concatenate([result['w'] for result in results]),
        'ws': np.concatenate([result['ws'] for result in results]), 'names': list(targets)})
    columns = min(_COLUMNS, len(results))
    pairs = zip(_rows(list(targets.values()), columns),
                _rows([result['drawn'] for result in results], columns))
    rows = [row for pair in pairs for row in pair]
    images.write_png(out / 'all.png', figures.strips(rows), origin)


def report(targets, results):
    """A line per image: its name, PSNR and feature distance."""
    width = max([24] + [len(name) for name in targets])
    lines = [f"{'image':{width}} {'PSNR dB':>8} {'distance':>9}"]
    lines += [f"{name:{width}} {result['psnr']:8.1f} {result['distance']:9.4f}"
              for name, result in zip(targets, results)]
    return '\n'.join(lines)


def write_mixed(out, generator, results, count, seed, origin):
    """Write mixed.npz and mixed.png: the projected images, and `count` new ones below.

    Half of the new ones are weighted means of two to four codes, half mix the coarse and middle
    styles of one with the fine styles of another.
    """
    ws = np.concatenate([result['ws'] for result in results])
    assert len(ws) > 1, ws.shape
    rng = np.random.RandomState([seed, 64])
    averages = latent.averages(ws, (count + 1) // 2, rng)
    crossed = latent.crossed(ws, count // 2, latent.bands(generator.layers)['fine'], rng)
    mixed = np.concatenate([averages, crossed])
    latent.save(out / 'mixed.npz', mixed)
    rows = _rows(generator.pictures(ws), _COLUMNS) + _rows(generator.pictures(mixed), _COLUMNS)
    images.write_png(out / 'mixed.png', figures.strips(rows), origin)


# --- The self-test.

def _timed(out, targets, generator, projector, origin):
    """Results, and [seconds, CPU seconds] per image searched for; [None, None] if none was."""
    before = {path: path.stat().st_mtime for path in out.glob('*.npz')}
    starts = time.time(), time.process_time()
    results = project(out, targets, generator, projector, origin)
    fresh = sum(1 for name in targets if before.get(out / f'{name}.npz')
                != (out / f'{name}.npz').stat().st_mtime)
    return results, [(now - start) / fresh if fresh else None for now, start in zip(
        (time.time(), time.process_time()), starts)]


def mean_w_distance(projector, seed):
    """The mean Euclidean distance of two random w."""
    rng = np.random.RandomState([seed, 65])
    pairs = projector.samples[rng.randint(len(projector.samples), size=[1000, 2])]
    return float(np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1).mean())


def _figures(results, seconds):
    return {'psnr': [float(result['psnr']) for result in results],
            'distance': [float(result['distance']) for result in results], 'seconds': seconds}


def self_test(out, generator, projector, reals, *, count, seed, origin):
    """Project `count` generated images and the reals -> (all targets, their results, figures).

    reals, targets: {name: uint8 [res, res, 3]}. figures: {'generated': ..., 'real': ...}, each
    with lists psnr (dB) and distance (of features), and seconds per image, wall and CPU;
    generated also has w_distance, in units of the mean distance of two random w.
    """
    w = generator.w(generator.seeded(range(seed, seed + count)))
    pictures = generator.pictures(generator.truncate(w, 1))
    generated = {f'generated-{seed + index}': picture for index, picture in enumerate(pictures)}
    results, seconds = _timed(out, generated, generator, projector, origin)
    unit = mean_w_distance(projector, seed)
    measured = {'generated': dict(_figures(results, seconds), w_distance=[
        float(np.linalg.norm(result['w'][0] - own) / unit) for result, own in zip(results, w)])}
    others, seconds = _timed(out, reals, generator, projector, origin)
    measured['real'] = _figures(others, seconds)
    return dict(generated, **reals), results + others, measured


def _cell(values, form, best=min):
    """Median, worst and best of a column, or a dash."""
    if not values:
        return '-'
    worst = max if best is min else min
    middle, low, high = [format(value, form) for value in (
        np.median(values), worst(values), best(values))]
    return f'{middle} ({low} to {high})'


def self_test_report(figures):
    """The figures of `self_test` as a text table."""
    def line(*cells):
        return '{:10} {:>3}  {:22} {:26} {:24} {}'.format(*cells)
    lines = [line('', 'n', 'PSNR dB', 'feature distance', 'distance in W', 'seconds each')]
    for kind, each in figures.items():
        wall, cpu = each['seconds']
        lines.append(line(
            kind, len(each['psnr']), _cell(each['psnr'], '.1f', max),
            _cell(each['distance'], '.4f'), _cell(each.get('w_distance'), '.2f'),
            '-' if wall is None else f'{wall:.1f} (CPU {cpu:.1f})'))
    return '\n'.join(lines + ['median (worst to best); distance in W: 1 is that of two random w'])
