"""What projection leaves: an `.npz`, a picture and a video for each target, and `all.npz` of all.

NAME.npz holds w [1, w] (the mean over layers where they differ), ws [1, layers, w], drawn
[h, w, 3], psnr, distance, losses [steps], the noise planes found, and `about`, a JSON text that
tells what it was made of: by it a later run knows what is done. all.npz holds w [n, w],
ws [n, layers, w] and names [n].
"""

import dataclasses
import pathlib
import zlib

import numpy as np

from dnnlib import archive, images, progress, runs, video
from dnnlib.files import UserError
from stylegan import figures, latent, latent_files

_FPS = 15  # frames per second of the videos; the last one stays for a second
_COLUMNS = 8  # of the sheets
_FREE = ('batch', 'threads', 'frames')  # what changes no result


def psnr(a, b):
    """Peak signal-to-noise ratio in dB of uint8 [n, h, w, 3] -> [n]; equal pictures: 99."""
    error = np.square((np.float64(a) - b) / 255).mean((1, 2, 3))
    return np.minimum(99.0, -10 * np.log10(np.maximum(error, 1e-12)))


def names(paths):
    """A file name for each path, without suffix; where they clash, with a number behind."""
    found, taken = [], set()
    for path in paths:
        name = stem = pathlib.Path(path).stem
        number = 2
        while name in taken or name in ('all', 'mixed'):
            name, number = '%s-%d' % (stem, number), number + 1
        taken.add(name)
        found.append(name)
    return found


def _about(name, picture, generator, how):
    """What decides a result, JSON-able."""
    decided = {key: value for key, value in dataclasses.asdict(how).items() if key not in _FREE}
    return {'target': name, 'picture': zlib.crc32(np.ascontiguousarray(picture).tobytes()),
            'mean': zlib.crc32(generator.w_avg.tobytes()), 'how': decided}


def _read(path):
    """A result as a dict of arrays with `about` as a dict, or None where there is none."""
    if not path.exists():
        return None
    with archive.reading(path, 'result of projection', 'delete it, or give another '
                         '--out') as found:
        return dict(found, about=archive.about(found))


def _rows(pictures, columns):
    """Pictures in rows of so many; the last row is filled up with white."""
    blank = np.full_like(pictures[0], 255)
    filled = list(pictures) + [blank] * (-len(pictures) % columns)
    return [filled[i:i + columns] for i in range(0, len(filled), columns)]


def _frames(projector, target, path, planes):
    """Frames of a search: the target beside what the generator draws."""
    pictures = images.to_rgb(projector.images(path, planes))
    for picture in np.concatenate([pictures, pictures[-1:].repeat(_FPS, 0)]):
        yield figures.strips([[target, picture]])


def _write(out, name, projector, found, index, target, about, origin):
    planes = [plane[index:index + 1] for plane in found.planes]
    ws = found.ws[index:index + 1]
    drawn = images.to_rgb(projector.images(ws, planes))
    origin = dict(origin, target=name)
    images.write_png(out / (name + '.png'), figures.strips([[target, drawn[0]]]), origin)
    if found.path:
        path = np.stack([ws[index] for ws in found.path])
        video.write_mp4(out / (name + '.mp4'), _frames(projector, target, path, planes), fps=_FPS,
                        origin=origin)
    pair = projector.features(np.stack([target, drawn[0]]))
    arrays = {'w': ws.mean(1), 'ws': ws, 'drawn': drawn[0], 'losses': found.losses[:, index],
              'psnr': psnr(target[np.newaxis], drawn)[0],
              'distance': np.linalg.norm(pair[0] - pair[1])}
    arrays.update(('noise%d' % layer, plane) for layer, plane in enumerate(planes))
    archive.write(out / (name + '.npz'), arrays, about)  # last: it says that all is there


def project(out, named, generator, projector, origin):
    """Search for every picture that has no result in the folder `out` yet -> list of results.

    named: {name: uint8 [res, res, 3]}. A result is a dict of what its `.npz` holds. origin: facts
    that travel in pictures. Raises runs.Interrupted on Ctrl-C; what is finished stays.
    """
    how = projector.how
    about = {name: _about(name, picture, generator, how) for name, picture in named.items()}

    def done(name):
        found = _read(out / (name + '.npz'))
        return found if found and found['about'] == about[name] else None
    todo = [name for name in named if not done(name)]
    try:
        with progress.bar(total=len(todo) * (how.steps + how.newton * (how.space == 'w')),
                          what='project', unit='step', disable=not todo) as bar:
            for i in range(0, len(todo), how.batch):
                batch = todo[i:i + how.batch]
                targets = np.stack([named[name] for name in batch])
                found = projector.search(
                    targets, projector.starts(projector.features(targets)), bar.update)
                for index, name in enumerate(batch):
                    _write(out, name, projector, found, index, named[name], about[name], origin)
    except KeyboardInterrupt:
        raise runs.Interrupted('%d of %d pictures are done; run the same command again to go on' % (
            sum(1 for name in named if done(name)), len(named)))
    return [done(name) for name in named]


def write_all(out, named, results, origin):
    """all.npz, which other commands take for seeds, and all.png: targets above, what was found."""
    archive.write(out / 'all.npz', {
        'w': np.concatenate([result['w'] for result in results]),
        'ws': np.concatenate([result['ws'] for result in results]), 'names': list(named)})
    columns = min(_COLUMNS, len(results))
    pairs = zip(_rows(list(named.values()), columns),
                _rows([result['drawn'] for result in results], columns))
    rows = [row for pair in pairs for row in pair]
    images.write_png(out / 'all.png', figures.strips(rows), origin)


def report(named, results):
    """A line per picture: its name, PSNR and feature distance."""
    lines = ['%-24s %8s %9s' % ('picture', 'PSNR dB', 'distance')]
    lines += [f"{name:24} {result['psnr']:8.1f} {result['distance']:9.4f}"
              for name, result in zip(named, results)]
    return '\n'.join(lines)


def write_mixed(out, generator, results, count, seed, origin):
    """mixed.npz and mixed.png: the pictures found in the first rows, new ones from them below.

    Half of the new ones are averages of two to four, half have the coarse and middle styles of one
    and the fine ones of another.
    """
    ws = np.concatenate([result['ws'] for result in results])
    if len(ws) < 2:
        raise UserError('--mix needs two pictures at least; give more, or leave it out')
    rng = np.random.RandomState([seed, 64])
    averages = latent.averages(ws, (count + 1) // 2, rng)
    crossed = latent.crossed(ws, count // 2, latent.bands(generator.layers)['fine'], rng)
    mixed = np.concatenate([averages, crossed])
    latent_files.save(out / 'mixed.npz', mixed)
    rows = _rows(generator.pictures(ws), _COLUMNS) + _rows(generator.pictures(mixed), _COLUMNS)
    images.write_png(out / 'mixed.png', figures.strips(rows), origin)
