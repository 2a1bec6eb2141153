"""Options that several commands take. Each function adds them to an argparse parser or group."""

import argparse
import os
import pathlib
import re
import typing

from dnnlib import files, knobs
from dnnlib.files import UserError


def path(text):
    """A type for argparse: a path. An empty one, as from an unset shell variable, is refused: it
    would be the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError('the path is empty')
    return pathlib.Path(text)


def folder(text):
    """A type for argparse: the path of a folder, there or not. A file is refused."""
    named = path(text)
    for each in (named, *named.parents):
        if os.path.exists(str(each)) and not os.path.isdir(str(each)):
            raise argparse.ArgumentTypeError(f'{each} is not a folder; name another')
    return named


def file(text):
    """A type for argparse: the path of a file to write, there or not. A folder is refused."""
    named = path(text)
    folder(str(named.parent))
    if os.path.isdir(str(named)):
        raise argparse.ArgumentTypeError(f'{named} is a folder; name a file')
    return named


def data(parser, help):
    """--data: a catalogue."""
    parser.add_argument('--data', type=path, help=help)


def check_records(options):
    """Refuse --data beside --records. Raises UserError."""
    if options.data and options.records:
        raise UserError('--records replaces the images of --data; leave one of them out')


def out(parser, default):
    """--out: the folder of the results, which run.py locks."""
    parser.set_defaults(locks_out=True, default_out=pathlib.Path(default))
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
                        help='how often a text that contradicts its image is written again '
                        f'(default {default})')


class Shard(typing.NamedTuple):
    """Part `number`, counted from 1, of `count` parts of a piece of work."""
    number: int
    count: int

    def range(self, total):
        """(first, last): the items [first, last) of `total` that this part has.

        The first of a part is a multiple of 16 where there are enough: that many images are drawn
        at a time, and then the same ones together as by one process. Raises UserError if a part
        would have none.
        """
        unit = 16 if total >= 16 * self.count else 1
        first, last = [total * part // self.count // unit * unit
                       for part in (self.number - 1, self.number)]
        if total < self.count:
            raise UserError(f'{total} cannot be divided among {self.count} parts; use --shard with '
                            'fewer parts')
        return first, total if self.number == self.count else last

    def whole(self):
        """Whether there is no other part."""
        return self.count == 1


def _shard(text):
    """A type for argparse: '2/8' -> Shard(2, 8)."""
    match = re.match(r'(\d{1,6})/(\d{1,6})$', text)
    if not match or not 1 <= int(match.group(1)) <= int(match.group(2)):
        raise argparse.ArgumentTypeError(f"'{text}' is no part; type 1/8 for the first of eight")
    return Shard(*map(int, match.groups()))


def shard(parser, use=''):
    """--shard; use: what a part does not do."""
    parser.add_argument('--shard', type=_shard, default=Shard(1, 1), metavar='I/N', help='do only '
                        'part I of N, so that N processes share the work. Each needs an output of '
                        f'its own; joined in order, these are the output of one process. {use}')


def check_shard(options):
    """Refuse a part that would write where all other parts do, in the default folder.

    Raises UserError.
    """
    if not options.shard.whole() and options.out == options.default_out:
        raise UserError('each --shard needs a folder of its own; name it with --out')


def check_part(shard, path, seeds):
    """Refuse a part that would overwrite another one, whose results have other seeds.

    path: .jsonl file of the part's results, there or not. seeds: of this part; a part may be run
    again. Raises UserError.
    """
    if shard.whole() or not path.exists():
        return
    try:
        found = {files.parse_json(line)['seed']
                 for line in files.read_text(path, limit=1 << 30).splitlines()}
    except (ValueError, KeyError, TypeError):
        found = {None}
    if not found <= set(seeds):
        raise UserError(f'{path} holds another part or other seeds; each --shard needs an output '
                        'of its own')


def stylegan(parser):
    """--stylegan: the StyleGAN network."""
    parser.add_argument('--stylegan', type=path, help='StyleGAN network: a run folder, a '
                        'snapshot or a released .pkl (default: the newest run, else the '
                        'pretrained one)')


def gpt2(parser):
    """--gpt2: the text model."""
    parser.add_argument('--gpt2', type=path, help='text model: a run or snapshot folder, '
                        'or one in the layout of the release or of transformers (default: the '
                        'newest run, else the pretrained one)')


def writing(parser):
    """--gpt2, and how texts are sampled."""
    from gpt2.config import Sampling
    gpt2(parser)
    knobs.add_flags(parser.add_argument_group('writing'), Sampling)


def tagger(parser):
    """--tagger: the classifier of images."""
    parser.add_argument('--tagger', type=path, metavar='FILE|RUN', help='classifier of '
                        'images: a tagger.npz, or the folder of one (default: the newest run; '
                        'for the pretrained StyleGAN the pretrained one)')


def judge(parser, use):
    """--judge: a second classifier; use: what for."""
    parser.add_argument('--judge', type=path, metavar='FILE', help=f'{use}: a second '
                        'tagger trained on other data (default: the pretrained one)')


def listed(text):
    """'colour, type' -> ('colour', 'type')."""
    return tuple(part.strip() for part in text.split(',') if part.strip())


def seeds(first, count):
    """`count` seeds from `first` on; after the largest, 2^32 - 1, they continue at 0."""
    return [(first + i) % 2 ** 32 for i in range(count)]
