"""How far our networks are from the numbers recorded from the original programs.

    python tests/parity.py OUT.json                     measure with this engine
    python tests/parity.py --table A.json B.json ...    one table of several measurements

`make parity` does both for both engines. The recorded numbers are in tests/data; of the 128 px
images they hold every fourth row, and of gradients and weights after a step a selection.
"""

import functools
import json
import pathlib
import sys
import tempfile

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parent)]

import parity_gpt2
import parity_losses
from parity_row import Row, error, nhwc, ours

from dnnlib import images, tflib
from dnnlib.tflib import tf
from stylegan import dataset, figures, graph, latent, networks, ops, schedule, snapshots
from stylegan.config import Network, Training
from stylegan.generator import Generator
from stylegan.released import names

DATA = pathlib.Path(__file__).parent / 'data'
# Tolerances of a float32 implementation, from the notes that came with the numbers.
MAPPING, IMAGE, SCORE, EXACT = 2e-5, 2e-4, 1e-5, 0


def full(image, res):
    """Images of a smaller level as the original gives them out: doubled to full size."""
    factor = res // image.shape[1]
    return image.repeat(factor, 1).repeat(factor, 2)


def _levels(log2, *lods):
    """(lod, resolution, alpha) as our graphs are told of a level of detail."""
    for lod in lods:
        yield lod, 2 ** (log2 - int(lod)), 1 - lod % 1


def _evaluate(build, values, feeds, scope=''):
    """build(*tensors) of arrays, with the graph's variables set."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        with tf.variable_scope(scope):
            result = build(*[tf.constant(feed) for feed in feeds])
        tflib.assign(sess, {v.op.name: values[v.op.name] for v in tf.global_variables()})
        return sess.run(result)


def _network(res, **more):
    """The recorded networks of 32 and 128 pixels."""
    return Network(**dict({
        32: dict(latent_size=32, mapping_fmaps=48, w_size=40, fmap_base=256, fmap_max=32),
        128: dict(latent_size=32, fmap_base=512, fmap_max=16)}[res], resolution=res, **more))


# --- Networks.

def mapping(recorded, res):
    values = ours(recorded, 'w/', names.generator(_network(res)), 'Gs/')
    for key, normalised in (('map/w', True), ('map/w_nonorm', False)):
        network = _network(res, normalize_latents=normalised)
        w = _evaluate(lambda z: networks.mapping(z, network), values, [recorded['in/z']], 'Gs')
        yield Row(f'{res} px {key}', error(w, recorded[key]), MAPPING)


def whole(recorded, res):
    """z to images through a snapshot, with every recorded truncation."""
    network = _network(res)
    values = ours(recorded, 'w/', names.generator(network), 'Gs/')
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'network-snapshot-000000.npz'
        snapshots.save(path, values, network, res=res, alpha=1.0, kimg=0, made={})
        gan = Generator(path, threads=1)
    w = gan.w(recorded['in/z'])
    cases = [(f'psi{psi}_cut{cutoff}', psi, cutoff)
             for psi, cutoff in ((0.7, 8), (0.5, 4), (1, 8), (-0.5, 2))]
    for key, psi, cutoff in cases + [('is_validation', 1, 8)]:
        ws = gan.truncate(w, psi, cutoff)
        if 'map/trunc_' + key in recorded:
            yield Row(f'{res} px truncated w, {key}',
                      error(ws, recorded['map/trunc_' + key]), MAPPING)
        if 'full/img/' + key in recorded:
            expected = nhwc(recorded['full/img/' + key])
            yield Row(f'{res} px image, {key}',
                      error(gan.images(ws[:len(expected)]), expected), IMAGE)


def synthesis(recorded, res):
    kinds = [('linear', 'auto'), ('linear_fused', 'yes'), ('recursive', 'auto'), ('fixed', 'auto'),
             ('fused_auto', 'auto'), ('fused_True', 'yes'), ('fused_False', 'no')]
    log2 = res.bit_length() - 1
    for kind, fused in kinds:
        network = _network(res, fused_scale=fused)
        values = ours(recorded, 'w/', names.generator(network), 'Gs/')
        for lod, size, alpha in _levels(log2, 0, 0.4, 1, 1.7, log2 - 2.5, log2 - 2):
            key = f'syn/{kind}/lod{lod:g}'
            if key not in recorded:
                continue
            ws = recorded['in/dlatents_mixed'][:len(recorded[key]), :networks.layers(size)]
            rgb = _evaluate(lambda ws: networks.synthesis(
                ws, network, res=size, alpha=alpha, planes=networks.stored_noise), values, [ws],
                'Gs')
            expected = nhwc(recorded[key])
            rows = full(rgb, res)[:, ::res // expected.shape[1]]
            yield Row(f'{res} px {key}', error(rows, expected), IMAGE)


def _scores(pictures, network, values, *, lod, labels=()):
    """Scores of full-size images at a level of detail, which the original shrinks by itself."""
    (_, size, alpha), = _levels(network.log2, lod)
    pictures = nhwc(pictures).reshape(len(pictures), size, network.resolution // size, size, -1, 3)
    return _evaluate(lambda image, *labels: networks.discriminator(
        image, network, res=size, alpha=alpha, labels=labels[0] if labels else None),
        values, [pictures.mean((2, 4), dtype=np.float32)] + list(labels))


def discriminator(recorded, res):
    images = recorded['in/images_q127'] / np.float32(127)
    for key in sorted(recorded):
        if not key.startswith('score/'):
            continue
        parts = key.split('/')  # score, batch, structure or mbstd_group, fused, level
        group = int(parts[2][-1]) if parts[2].startswith('mbstd_group') else 4
        network = _network(res, mbstd_group=group)
        values = ours(recorded, 'w/', names.discriminator(network), 'D/')
        scores = _scores(images[:int(parts[1][1:])], network, values, lod=float(parts[-1][3:]))
        yield Row(f'{res} px {key}', error(scores, recorded[key]), SCORE)


def labels(recorded):
    wg = {key[len('wG/'):]: recorded[key] for key in recorded if key.startswith('wG/')}
    network = Network(resolution=32, latent_size=32, label_size=3,
                      fmap_base=wg['G_synthesis/32x32/Conv1/bias'].size * 16,
                      fmap_max=wg['G_synthesis/4x4/Conv/bias'].size)
    values = ours(recorded, 'wG/', names.generator(network), 'Gs/')
    w = _evaluate(lambda z, y: networks.mapping(z, network, y), values,
                  [recorded['in/z'], recorded['in/labels']], 'Gs')
    yield Row('labels: w', error(w, recorded['map/w']), MAPPING)
    average = values['Gs/dlatent_avg']
    ws = np.repeat((average + (w - average) * np.float32(0.7))[:, np.newaxis], 8, 1)
    rgb = _evaluate(lambda ws: networks.synthesis(
        ws, network, res=32, alpha=1.0, planes=networks.stored_noise), values, [ws], 'Gs')
    yield Row('labels: image', error(rgb, nhwc(recorded['img/psi0.7'])), IMAGE)
    scored = ours(recorded, 'wD/', names.discriminator(network), 'D/')
    for key, y in (('score', recorded['in/labels']),
                   ('score_zero_labels', np.zeros([4, 3], np.float32))):
        scores = _scores(recorded['img/psi0.7'], network, scored, lod=0, labels=[y])
        yield Row('labels: ' + key, error(scores, recorded[key]), SCORE)


# --- What surrounds the networks.

def averages(recorded):
    """The moving average, on what the original averages: it copies the variables not trained."""
    for minibatch, beta in recorded['beta_for_mb']:
        yield Row(f'average: beta of minibatch {int(minibatch)}',
                  error(graph.decay(minibatch, 10), beta), 1e-7)
    for name, trained in zip(recorded['names'], recorded['trainable']):
        if not trained:
            continue
        after = _evaluate(lambda new, old: ops.mix(new, old, graph.decay(64, 10)), {},
                          [recorded['src/' + name], recorded['before/' + name]])
        yield Row('average: ' + name, error(after, recorded['after_mb64/' + name]),
                  2e-7 * np.abs(recorded['after_mb64/' + name]).max())


def conversions(recorded):
    for key in sorted(recorded):
        if key.startswith('process_reals/') and key.endswith('/in'):
            lod = float(key.split('/')[1][3:])
            reals = _evaluate(lambda x: graph.process_reals(x, 1 - lod % 1), {},
                              [nhwc(recorded[key])])
            yield Row(key[:-3], error(full(reals, 32), nhwc(recorded[key[:-2] + 'out'])), 1e-6)
    image = nhwc(recorded['to_uint8/in'])
    small = image.reshape(2, 4, 2, 4, 2, 3).mean((2, 4))
    yield Row('uint8', error(images.to_rgb(image), recorded['to_uint8/shrink1']), EXACT)
    yield Row('uint8, shrunk by 2', error(images.to_rgb(small), recorded['to_uint8/shrink2']),
              EXACT)
    yield Row('uint8, edges', error(images.to_rgb(recorded['to_uint8/edge_in']),
                                    recorded['to_uint8/edge_out']), EXACT)
    yield Row('uint8, to file', error(images.to_rgb(image[0]), recorded['pil/drange-1_1']), EXACT)
    a, b = [recorded['slerp/' + key] / np.linalg.norm(recorded['slerp/' + key], axis=1,
                                                      keepdims=True) for key in 'ab']
    yield Row('slerp', error(latent.slerp(a, b, recorded['slerp/t']), recorded['slerp/out']), 1e-6)


def schedules(recorded):
    """The largest error of any column, over all rows."""
    cases = [('res512_gpu1', 512, 1, {}), ('res256_gpu1', 256, 1, {}),
             ('res1024_gpu1', 1024, 1, {}), ('res1024_gpu8', 1024, 8, {}),
             ('res512_gpu2', 512, 2, {}), ('res512_gpu4', 512, 4, {}),
             ('res512_gpu1_rampup100', 512, 1, dict(rampup_kimg=100)),
             ('res512_nogrow', 512, 1, dict(initial=512, minibatch=16)),
             ('res512_gpu3_rounding', 512, 3, dict(initial=4, minibatch=16, lrate=0.001))]
    for name, resolution, gpus, training in cases:
        found = [schedule.position(round(row[0] * 1000), Network(resolution=resolution),
                                   Training(**training), gpus) for row in recorded[name]]
        found = [[at.lod, at.resolution, at.minibatch, at.lrate, at.lrate, at.tick_kimg]
                 for at in found]
        yield Row('schedule ' + name, error(found, [row[1:] for row in recorded[name]]), EXACT)


def grid_sizes(recorded):
    for screen in ('4k', '1080p'):
        sizes = {key: size for key, size in recorded['sizes'].items()
                 if key.startswith(screen + '/')}
        found = [figures.fitting(int(key.split('/')[1]), screen) for key in sizes]
        yield Row('grid sizes ' + screen, error(found, list(sizes.values())), EXACT)


def mixing(recorded):
    """Cutoffs of style mixing: the largest difference of a count, in standard deviations."""
    network, draws = Network(resolution=64, latent_size=4, mapping_layers=1), 1500
    for lod, counts in recorded['hist'].items():
        layers = 10 - 2 * int(float(lod[3:]))
        with tf.Graph().as_default(), tflib.session(1) as sess:
            nimg = tf.placeholder(tf.int64, [])
            with tf.variable_scope('', reuse=tf.AUTO_REUSE):
                ws, _ = graph.mixed_styles(graph.Draws(3, 0, nimg), network, count=1,
                                           res=2 ** (layers // 2 + 1), mixing=0.9)
            sess.run(tf.global_variables_initializer())
            ws = np.stack([sess.run(ws, {nimg: step})[0] for step in range(draws)])
        cutoffs = (ws == ws[:, :1]).all(2).sum(1)  # the layers that have the first style
        found = np.bincount(cutoffs, minlength=layers + 1)[1:]
        expected = np.array([counts.get(str(cutoff), 0) for cutoff in range(1, layers + 1)])
        sigmas = np.abs(found - expected) / np.sqrt(np.maximum(found + expected, 1))
        yield Row(f'mixing cutoffs (in sigmas), {lod}', float(sigmas.max()), 4)


def pickle(recorded):
    """The released pickle through our reader, and what its averaged generator draws."""
    gan = Generator(DATA / 'stylegan' / 'original_small_clean.pkl', threads=1)
    w = gan.w(recorded['z'])
    yield Row('pickle: w', error(np.repeat(w[:, np.newaxis], 8, 1), recorded['Gs_w']), MAPPING)
    ws = gan.truncate(w, 0.7)
    yield Row('pickle: image', error(gan.images(ws), nhwc(recorded['Gs_img_default_psi'])), IMAGE)
    different = gan.pictures(ws).astype(int) - recorded['Gs_img_uint8']
    yield Row('pickle: uint8, levels', float(np.abs(different).max()), 1)
    yield Row('pickle: uint8, share that differs', float((different != 0).mean()), 0.001)


def records(recorded):
    """The recorded TFRecord set as we read it, and one that we wrote from the same images."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / f'{index}.png' for index in recorded['shuffled_order']]
        for index, path in zip(recorded['shuffled_order'], paths):
            images.write_png(path, recorded['source_images'][index].transpose(1, 2, 0))
        dataset.pack(paths, pathlib.Path(folder) / 'set', 32)
        for kind, place in (('read', DATA / 'stylegan' / 'tiny32'),
                            ('written', pathlib.Path(folder) / 'set')):
            found = dataset.Records(place)
            for lod in range(4):
                level = np.stack([found.picture(32 >> lod, index) for index in range(8)])
                yield Row(f'TFRecords {kind}, lod{lod}',
                          error(level, nhwc(recorded[f'read/lod{lod}/images'])), EXACT)


# --- The measuring.

# (what, the recorded file in tests/data, function of that file's content)
COMPARISONS = [
    ('schedule', 'stylegan/schedule.json', schedules),
    ('grids', 'stylegan/grid_sizes.json', grid_sizes),
    ('mixing', 'stylegan/mixing_cutoff_hist.json', mixing),
    ('misc', 'stylegan/misc.npz', conversions),
    ('labels', 'stylegan/lab32.npz', labels),
    ('pickle', 'stylegan/original_small_outputs.npz', pickle),
    ('records', 'stylegan/tfrecords_tiny32_expected.npz', records),
    ('average', 'stylegan/ema.npz', averages),
    ('mapping', 'stylegan/g32.npz', functools.partial(mapping, res=32)),
    ('whole', 'stylegan/g32.npz', functools.partial(whole, res=32)),
    ('synthesis32', 'stylegan/g32.npz', functools.partial(synthesis, res=32)),
    ('synthesis128', 'stylegan/g128.npz', functools.partial(synthesis, res=128)),
    ('scores32', 'stylegan/d32.npz', functools.partial(discriminator, res=32)),
    ('scores128', 'stylegan/d128.npz', functools.partial(discriminator, res=128)),
    ('losses', 'stylegan/loss_fixed.npz', parity_losses.fixed),
    ('mixed', 'stylegan/loss_mix.npz', parity_losses.mixed)] + parity_gpt2.COMPARISONS


def measure(file, compare):
    """The rows of one comparison."""
    path = DATA / file
    if path.suffix == '.json':
        return list(compare(json.loads(path.read_text())))
    recorded = _arrays(path)
    if path.name == 'loss_mix.npz':  # the same weights and real images as the other
        start = _arrays(path.with_name('loss_fixed.npz'))
        recorded.update({name: start[name] for name in start if name.startswith(('w', 'in/'))})
    return list(compare(recorded))


def _arrays(path):
    with np.load(str(path)) as archive:
        return {name: archive[name] for name in archive.files}


def table(measured):
    """Rows of several engines side by side. measured: engine -> [quantity, error, tolerance]s."""
    engines = sorted(measured)
    lines = [f"{'quantity':52} {'tolerance':10}" + ''.join(f'{e:>12}' for e in engines)]
    for rows in zip(*[measured[engine] for engine in engines]):
        (quantity, _, tolerance), errors = rows[0], [row[1] for row in rows]
        lines.append(f'{quantity:52} {tolerance:-10.2g}'
                     + ''.join(f'{value:12.2g}' for value in errors)
                     + ('' if max(errors) <= tolerance else '   TOO FAR'))
    return '\n'.join(lines)


def main(arguments):
    if arguments[0] == '--table':
        measured = {pathlib.Path(name).stem: json.loads(pathlib.Path(name).read_text())
                    for name in arguments[1:]}
        text = table(measured)
        print(text)
        print(f'compared: {", ".join(what for what, _, _ in COMPARISONS)}')
        return 'TOO FAR' in text
    out, = arguments
    rows = [row for _, file, compare in COMPARISONS for row in measure(file, compare)]
    pathlib.Path(out).write_text(json.dumps([(row.quantity, float(row.error), float(row.tolerance))
                                             for row in rows]))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
