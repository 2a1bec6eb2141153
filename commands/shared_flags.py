"""What may be typed behind commands of several rooms, and behind `run.py download`.

A file of this name in each room holds what its own commands take. A function there is a group of
options: it adds them to an argparse parser. Options that are knobs are generated, see `knobs`.
"""

import pathlib

from dnnlib import knobs
from dnnlib.model_lookup import RUNS

DOWNLOADS = pathlib.Path('downloads')


def out(parser, place):
    """--out: a folder, by default `place`."""
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path(place),
                        help=f'folder of the results (default {place})')


def threads(parser):
    """--threads."""
    parser.add_argument('--threads', type=knobs.number(int, 0), default=0,
                        help='CPU threads; 0 takes all (default 0)')


def psi(parser):
    """--psi."""
    parser.add_argument('--psi', type=knobs.number(float), default=0.7,
                        help='truncation: 1 = most varied, 0 = the average product (default 0.7)')


def fit(parser):
    """--fit."""
    parser.add_argument('--fit', choices=['pad', 'crop'], default='pad',
                        help='make photos square by white borders or by cutting (default pad)')


def training(parser, run):
    """--data and --run of a training, whose folder is RUNS/`run` by default."""
    parser.add_argument('--data', type=pathlib.Path, help='a catalogue, pruned or not '
                        '(default: the demo, drawn on first use)')
    parser.add_argument('--run', type=pathlib.Path, default=RUNS / run,
                        help=f'folder of this training (default {RUNS / run})')


def preset(parser, config, skip=()):
    """--preset and the knobs that it sets.

    config: a module with PRESETS, Network and Training; skip: knobs of Network to leave out.
    """
    parser.add_argument('--preset', choices=sorted(config.PRESETS), default='demo',
                        help='defaults of the options below (default demo)')
    knobs.add_flags(parser.add_argument_group('network'), config.Network, skip)
    knobs.add_flags(parser.add_argument_group('training'), config.Training)


def download(parser):
    """What `run.py download` takes."""
    parser.add_argument('names', nargs='*', metavar='NAME', help='what to download; see --list')
    parser.add_argument('--list', action='store_true', help='print what there is, and its licences')
    parser.add_argument('--from-file', type=pathlib.Path, metavar='PATH', help='take the file, or '
                        'the folder of files, that a browser has saved')
    parser.add_argument('--out', type=pathlib.Path, default=DOWNLOADS, help='folder in which each '
                        'NAME gets its own (default %s)' % DOWNLOADS)
