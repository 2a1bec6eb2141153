"""Data in: draw the demo catalogue, download, convert released networks, prune photos."""

import pathlib
import shlex

from commands import inputs
from commands import options as common
from dnnlib import knobs, lock
from dnnlib.files import UserError

MANIFEST = pathlib.Path(__file__).parents[1] / 'downloads.json'


def demo_options(parser):
    """What `demo` takes."""
    from catalog.demo.build import Demo
    common.out(parser, inputs.DEMO)
    knobs.add_flags(parser, Demo)


def demo(options):
    """Draw the demo catalogue: garments with descriptions, seeded, without a network."""
    from catalog.demo.build import Demo, summary, write
    print(summary(write(options.out, knobs.from_flags(Demo(), options))))


def download_options(parser):
    """What `download` takes."""
    parser.add_argument('names', nargs='*', metavar='NAME', help='what to download; see --list')
    parser.add_argument('--list', action='store_true', help='print what there is, and its licences')
    parser.add_argument('--from-file', type=common.path, metavar='PATH', help='take the file, or '
                        'the folder of files, that a browser has saved')
    parser.add_argument('--out', type=common.folder, default=pathlib.Path('downloads'),
                        help='folder in which each NAME gets its own (default downloads)')


def download(options):
    """Download released weights and public data, verified; run it again to resume."""
    from dnnlib.fetch import manifest
    from stylegan.released import pickles
    known = manifest.read(MANIFEST)
    if options.list:
        print(manifest.table(known))
        return
    items = manifest.choose(known, options.names)
    if options.from_file and len(items) > 1:
        raise UserError('--from-file takes one download at a time; give one name')
    for item in items:
        check = {'stylegan': pickles.read}.get(item.check)
        folder = options.out / item.name
        with lock.folder(folder):
            for line in manifest.get(item, folder, from_file=options.from_file, check=check):
                print(line)


def convert_options(parser):
    """What `convert` takes."""
    parser.add_argument('pickle', type=common.path, metavar='IN.pkl', help='a released network')
    parser.add_argument('npz', type=common.path, metavar='OUT.npz', help='file to write')


def convert(options):
    """Turn a released StyleGAN pickle into an .npz; nothing in the pickle is run."""
    from stylegan import snapshots
    from stylegan.released import names
    if options.npz.suffix != '.npz':
        raise UserError(f'{options.npz} does not end in .npz; give a file name that does')
    if options.pickle.suffix == '.npz':
        raise UserError(f'{options.pickle} is no pickle; an .npz needs no conversion: give it to '
                        '--stylegan or --start')
    variables, network, made_with = names.convert(options.pickle)
    res, alpha = names.reached(network, made_with['lod'])
    with lock.new(options.npz):
        snapshots.save(options.npz, variables, network, res=res, alpha=alpha, kimg=None,
                       made={'from': options.pickle.name, 'options': made_with})
    print(names.describe(options.pickle, variables, network, made_with))
    print(f'done: now try: python run.py samples --stylegan {shlex.quote(str(options.npz))}')


def prune_options(parser):
    """What `prune` takes."""
    from catalog.prune.rules import Prune
    parser.add_argument('--data', type=common.path, required=True, help='the catalogue')
    parser.add_argument('--out', type=common.folder, help='folder of the decisions '
                        '(default: --data followed by -pruned)')
    common.shard(parser, 'A part is only measured, into scores.jsonl; then prune without --shard')
    knobs.add_flags(parser, Prune)


def prune(options):
    """Mark bad shots by the post's four rules; nothing is deleted or moved."""
    from catalog.prune import decisions, scores
    from catalog.prune.rules import Prune, advice, prune, summary, to_judge
    out = options.out or decisions.default_folder(options.data)
    if not options.shard.whole():
        if not options.out:
            raise UserError('each --shard needs a folder of its own; name it with --out')
        with lock.folder(out):
            products = to_judge(options.data)
            first, last = options.shard.range(len(products))
            scores.of(products[first:last], out / 'scores.jsonl')
        print(f"done: {last - first} images are measured, in {out / 'scores.jsonl'}")
        return
    config = knobs.from_flags(Prune(), options)
    with lock.folder(out):
        counts = prune(options.data, out, config)
    print(summary(counts))
    if advice(counts, config):
        print(advice(counts, config))
    kept = counts.get('good', 0) + counts.get('manual-kept', 0)
    then = (f'then: python run.py train-stylegan --data {shlex.quote(str(out))}' if kept else
            'as it is, there is nothing to train on')
    print(f"done: look through {out / 'sheets'}; where you disagree, change yes and no in the keep "
          f"column of {out / 'prune.csv'}; {then}")


def pack_options(parser):
    """What `pack` takes."""
    common.data(parser, 'a catalogue, pruned or not (default: the demo, drawn on first use)')
    common.out(parser, 'out/pack')
    parser.add_argument('--resolution', type=knobs.number(int, 4), default=512,
                        help='side of the images, a power of two (default 512)')
    common.fit(parser)
    common.shard(parser)


def pack(options):
    """Pack photos once into TFRecords, to train on elsewhere with --records."""
    from stylegan import dataset
    if options.resolution & (options.resolution - 1):
        raise UserError(f'--resolution {options.resolution} is no power of two; try 64')
    common.check_shard(options)
    products, folder = inputs.pictured(options.data), options.out / 'records'
    if folder.exists():
        raise UserError(f'{folder} is there already; choose another --out')
    first, last = options.shard.range(len(products))
    dataset.pack([product.image for product in products[first:last]], folder, options.resolution,
                 options.fit)
    print(f'done: now try: python run.py train-stylegan --records {shlex.quote(str(folder))}')
