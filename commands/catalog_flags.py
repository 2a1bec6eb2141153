"""What may be typed behind the commands of this room; see `dnnlib.flags`.

Each function imports what it needs, so that nothing is loaded for the commands not asked for.
"""

import pathlib

from commands import shared_flags
from dnnlib import knobs


def demo(parser):
    """What `run.py demo` takes."""
    from catalog import demo_default
    from catalog.demo.build import Demo
    parser.add_argument('--out', type=pathlib.Path, default=demo_default.FOLDER,
                        help='folder to draw it in')
    knobs.add_flags(parser, Demo)


def prune(parser):
    """What `run.py prune` takes."""
    from catalog.prune.rules import Prune
    parser.add_argument('--data', type=pathlib.Path, required=True, help='the catalogue')
    parser.add_argument('--out', type=pathlib.Path, help='folder of the decisions '
                        '(default: that of the catalogue with -pruned behind it)')
    knobs.add_flags(parser, Prune)


def train_tagger(parser):
    """What `run.py train-tagger` takes."""
    from tagger.config import Config, Split
    shared_flags.training(parser, 'tagger')
    parser.add_argument('--test', type=pathlib.Path, help='another catalogue to report on '
                        '(default: products held out of this one)')
    parser.add_argument('--key-column', default='', help='column that tells products apart: its '
                        'equals are held out together')
    shared_flags.fit(parser)
    knobs.add_flags(parser, Split)
    knobs.add_flags(parser, Config)


def tagger(parser):
    """--tagger: who looks at pictures."""
    parser.add_argument('--tagger', type=pathlib.Path, metavar='FILE|RUN', help='what reads tags '
                        'off pictures: a tagger.npz, or the folder of one (default: the newest '
                        'run; for the pretrained picture model the pretrained one)')


def cards(parser, place='out/cards'):
    """What `run.py cards` takes."""
    shared_flags.out(parser, place)
    shared_flags.psi(parser)
    parser.add_argument('--noise', type=knobs.number(float), default=1.0,
                        help='strength of the noise inputs of networks that have any: 1 as '
                        'trained, 0 smooth (default 1)')
    parser.add_argument('--count', type=knobs.number(int, 1), default=12,
                        help='products to make (default 12)')
    parser.add_argument('--tries', type=knobs.number(int, 0), default=10,
                        help='how often a text that contradicts its picture is written again '
                        '(default 10)')
    parser.add_argument('--neighbours', type=knobs.number(int, 0), default=3,
                        help='training pictures to show beside each product, the nearest; 0: '
                        'none (default 3)')


def samples(parser):
    """What `run.py samples` takes."""
    cards(parser, 'out/samples')
    parser.add_argument('--frames', type=knobs.number(int, 1), default=40, help='frames of the '
                        'films from one picture to the next (default 40)')


def evaluate(parser):
    """What `run.py evaluate` takes."""
    from rare.contest import Evaluate
    parser.add_argument('--category', required=True, help='the rare class, such as jumpsuit')
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue to train on, the one that '
                        'the generator learnt from (default: the demo, drawn on first use)')
    parser.add_argument('--test-data', type=pathlib.Path, help='a catalogue to test on, of other '
                        'products, new to the generator (default: a part of --data)')
    parser.add_argument('--key-column', default='', help='column that tells products apart: its '
                        'equals are tested on together')
    shared_flags.out(parser, 'out/evaluate')
    shared_flags.fit(parser)
    knobs.add_flags(parser, Evaluate)
