"""Options that several commands take. Each function adds them to an argparse parser or group."""

import argparse
import os
import pathlib

from dnnlib import knobs


def folder(text):
    """A type for argparse: the path of a folder, there or not. A file is refused."""
    path = pathlib.Path(text)
    for each in (path, *path.parents):
        if os.path.exists(str(each)) and not os.path.isdir(str(each)):
            raise argparse.ArgumentTypeError(f'{each} is not a folder; name another')
    return path


def data(parser, help):
    """--data: a catalogue."""
    parser.add_argument('--data', type=pathlib.Path, help=help)


def out(parser, default):
    """--out: the folder of the results, which run.py locks."""
    parser.set_defaults(locks_out=True)
    parser.add_argument('--out', type=folder, default=pathlib.Path(default),
                        help=f'folder of the results (default {default})')


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


def key_column(parser, use):
    """--key-column; use: what is done with products of one key."""
    parser.add_argument('--key-column', default='',
                        help='column that identifies a product: rows with equal values are '
                        f'{use} together')


def tries(parser, default):
    """--tries."""
    parser.add_argument('--tries', type=knobs.number(int, 0), default=default,
                        help='how often a text that contradicts its picture is written again '
                        f'(default {default})')


def stylegan(parser):
    """--stylegan: the picture model."""
    parser.add_argument('--stylegan', type=pathlib.Path, help='picture model: a run folder, a '
                        'snapshot or a released .pkl (default: the newest run, else the '
                        'pretrained one)')


def gpt2(parser):
    """--gpt2: the text model."""
    parser.add_argument('--gpt2', type=pathlib.Path, help='text model: a run or snapshot folder, '
                        'or one in the layout of the release or of transformers (default: the '
                        'newest run, else the pretrained one)')


def writing(parser):
    """--gpt2, and how texts are sampled."""
    from gpt2.config import Sampling
    gpt2(parser)
    knobs.add_flags(parser.add_argument_group('writing'), Sampling)


def tagger(parser):
    """--tagger: the classifier of pictures."""
    parser.add_argument('--tagger', type=pathlib.Path, metavar='FILE|RUN', help='classifier of '
                        'pictures: a tagger.npz, or the folder of one (default: the newest run; '
                        'for the pretrained picture model the pretrained one)')


def judge(parser, use):
    """--judge: a second classifier; use: what for."""
    parser.add_argument('--judge', type=pathlib.Path, metavar='FILE', help=f'{use}: a second '
                        'tagger trained on other data (default: the pretrained one)')


def listed(text):
    """'colour, type' -> ('colour', 'type')."""
    return tuple(part.strip() for part in text.split(',') if part.strip())


def seeds(first, count):
    """`count` seeds from `first` on; after the largest, 2^32 - 1, they continue at 0."""
    return [(first + i) % 2 ** 32 for i in range(count)]
