"""What may be typed behind the commands of this room; see `dnnlib.flags`.

Each function imports what it needs, so that nothing is loaded for the commands not asked for.
"""

import pathlib

from commands import shared_flags
from dnnlib import knobs


def convert(parser):
    """What `run.py convert` takes."""
    parser.add_argument('pickle', type=pathlib.Path, metavar='IN.pkl', help='a released network')
    parser.add_argument('npz', type=pathlib.Path, metavar='OUT.npz', help='file to write')


def train(parser):
    """What `run.py train-stylegan` takes."""
    from stylegan import config
    shared_flags.fit(parser)
    parser.add_argument('--records', type=pathlib.Path,
                        help='a multi-resolution TFRecord set to train on instead of the photos')
    parser.add_argument('--start', type=pathlib.Path, help='networks to start from, at full size '
                        'at once: a run folder, a released .pkl or a converted .npz')
    parser.add_argument('--dry-run', action='store_true', help='take one real step at full size, '
                        'say what a whole run would take, and stop')
    shared_flags.training(parser, 'stylegan')
    shared_flags.preset(parser, config, config.NOT_TRAINED)


def model(parser):
    """--stylegan: who draws."""
    parser.add_argument('--stylegan', type=pathlib.Path, help='picture model: a run folder, a '
                        'snapshot or a released .pkl (default: the newest run, else the '
                        'pretrained one)')


def rare(parser):
    """What `run.py rare` takes besides."""
    from rare.region import Rare
    parser.add_argument('--category', default='', help='what to make, such as jumpsuit: a category '
                        'or a value of any attribute')
    parser.add_argument('--where', default='', help='what to make, in more detail: '
                        '"category=jumpsuit,colour=black,sleeve=short sleeves"')
    shared_flags.out(parser, 'out/rare')
    parser.add_argument('--judge', type=pathlib.Path, metavar='FILE', help='a second tagger, which '
                        'learnt from other data, for the report (default: the pretrained one)')
    parser.add_argument('--seeds-from', type=pathlib.Path, metavar='W.npz', help='more codes of '
                        'the class, such as projected photos: run.py project')
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue that the generator learnt '
                        'from, for the report (default: the demo, for the pretrained one)')
    parser.add_argument('--tries', type=knobs.number(int, 0), default=5,
                        help='how often a text that contradicts its picture is written again '
                        '(default 5)')
    knobs.add_flags(parser, Rare, skip=('seed', 'threads'))


def metrics(parser):
    """What `run.py metrics` takes besides."""
    from stylegan.metrics.measure import Metrics
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue to measure against '
                        '(default: what the run was trained on, else the demo)')
    parser.add_argument('--records', type=pathlib.Path,
                        help='a multi-resolution TFRecord set to measure against instead')
    shared_flags.fit(parser)
    parser.add_argument('--inception', type=pathlib.Path, help='frozen graph for --features '
                        'inception: classify_image_graph_def.pb')
    shared_flags.out(parser, 'out/metrics')
    knobs.add_flags(parser, Metrics)


def directions(parser):
    """What `run.py directions` takes besides."""
    from steering.discover import Discovery
    shared_flags.out(parser, 'out/directions')
    parser.add_argument('--labels', type=pathlib.Path, metavar='labels.csv', help='hand labels as '
                        'well: seed and a column of yes and no, as the page of run.py label saves')
    knobs.add_flags(parser, Discovery)


def label(parser):
    """What `run.py label` takes besides."""
    _drawing(parser)
    shared_flags.out(parser, 'out/label')
    parser.add_argument('--name', required=True, help='what the pictures are asked for')
    parser.add_argument('--count', type=knobs.number(int, 1), default=200,
                        help='pictures (default 200)')
    parser.add_argument('--seed', type=knobs.number(int, 0), default=0,
                        help='the first of their seeds (default 0)')


def edit(parser):
    """What `run.py edit` takes besides."""
    from steering.edit import Search
    shared_flags.out(parser, 'out/edit')
    parser.add_argument('--seed', default='0', metavar='SEEDS|FILE', help='what to edit: 7, 1,5,9 '
                        'or 0-7, or an .npz with w or ws, as run.py project writes it (default 0)')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        help='a value that the picture is to show; may be given several times')
    parser.add_argument('--direction', action='append', default=[], metavar='NAME=STRENGTH',
                        help='a direction to go along, such as pca3=+2; may be repeated')
    parser.add_argument('--layers', default='', help='for --direction: coarse, middle, fine, all '
                        'or numbers such as 0-3 (default: those of each direction)')
    parser.add_argument('--directions', type=pathlib.Path, default=pathlib.Path('out/directions'),
                        help='folder that run.py directions has written (default out/directions)')
    parser.add_argument('--judge', type=pathlib.Path, metavar='FILE', help='for --measure, a '
                        'second tagger that learnt from other data (default: the pretrained one)')
    parser.add_argument('--measure', type=knobs.number(int, 0), default=0, metavar='N',
                        help='instead, try N edits, random seeds and plausible values, and print '
                        'what came of them')
    knobs.add_flags(parser, Search)


def project(parser):
    """What `run.py project` takes besides."""
    from projection.config import Projection
    parser.add_argument('images', nargs='*', type=pathlib.Path, metavar='IMAGE',
                        help='pictures to find (default: some of --data)')
    shared_flags.out(parser, 'out/project')
    parser.add_argument('--data', type=pathlib.Path, help='a catalogue to take pictures from '
                        '(default: the demo)')
    parser.add_argument('--category', default='', help='only those of this category, or with this '
                        'value of any attribute')
    parser.add_argument('--where', default='', metavar='HEAD=VALUE,...',
                        help='only those that are all of this')
    parser.add_argument('--count', type=knobs.number(int, 1), default=12,
                        help='how many of the catalogue, the first ones (default 12)')
    shared_flags.fit(parser)
    parser.add_argument('--vgg', type=pathlib.Path, metavar='FILE.npz', help='compare by the '
                        'features of this VGG16, arrays conv1_1_W, conv1_1_b, ... (default: by '
                        'pixels and edges at several sizes)')
    parser.add_argument('--mix', type=knobs.number(int, 0), default=0, metavar='N',
                        help='make N new ones out of what was found, mixed.png (default 0)')
    parser.add_argument('--self-test', type=knobs.number(int, 0), default=0, metavar='N',
                        help='project N generated pictures, whose styles are known, and N real '
                        'ones of --data; print how near both come')
    knobs.add_flags(parser.add_argument_group('search'), Projection)


def mix(parser):
    """What `run.py mix` takes besides."""
    _drawing(parser)
    shared_flags.out(parser, 'out/mix')
    parser.add_argument('--from', dest='source', required=True, metavar='SEEDS|FILE',
                        help='whose styles to take: 7, 1,5,9 or 0-7, or an .npz with w or ws')
    parser.add_argument('--onto', required=True, metavar='SEEDS|FILE', help='what to lay them on')
    parser.add_argument('--layers', default='middle', help='which of them: coarse, middle, fine, '
                        'all, or numbers such as 0-3 (default middle)')
    parser.add_argument('--frames', type=knobs.number(int, 1), default=60,
                        help='frames per stop (default 60)')


def walk(parser):
    """What `run.py walk` takes besides."""
    from steering.walks import Walk
    shared_flags.out(parser, 'out/walk')
    shared_flags.threads(parser)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument('--seeds', default='0-5', help='where to stop: 1,5,9 or 0-5 (default 0-5)')
    asked.add_argument('--keys', type=pathlib.Path, metavar='FILE.npz', help='stops with w or ws '
                       'instead, as run.py project writes them')
    knobs.add_flags(parser, Walk)


def _drawing(parser):
    shared_flags.threads(parser)
    shared_flags.psi(parser)
