"""What may be typed behind the commands of this room; see `dnnlib.flags`.

Each function imports what it needs, so that nothing is loaded for the commands not asked for.
"""

import pathlib

from commands import shared_flags
from dnnlib import knobs


def train(parser):
    """What `run.py train-gpt2` takes."""
    from gpt2 import config
    parser.add_argument('--text-column', default='description', help='column of the texts in '
                        'a .csv or .jsonl file')
    parser.add_argument('--tag-columns', default='', help='columns that go in front of a text as '
                        'tags, comma-separated')
    parser.add_argument('--key-column', default='', help='column that tells products apart: its '
                        'equals are held out together')
    parser.add_argument('--start', type=pathlib.Path, help='folder of a model to start from')
    parser.add_argument('--vocabulary', type=pathlib.Path, metavar='FOLDER', help='take the '
                        'vocabulary of this folder, encoder.json and vocab.bpe, and start from '
                        'fresh weights (default: a vocabulary is learnt from the texts)')
    shared_flags.training(parser, 'gpt2')
    shared_flags.preset(parser, config)


def model(parser):
    """--gpt2: who writes."""
    parser.add_argument('--gpt2', type=pathlib.Path, help='text model: a run or snapshot folder, '
                        'or one in the layout of the release or of transformers (default: the '
                        'newest run, else the pretrained one)')


def writing(parser):
    """--gpt2, and how it writes."""
    from gpt2.config import Sampling
    model(parser)
    knobs.add_flags(parser.add_argument_group('writing'), Sampling)


def text(parser):
    """What `run.py text` takes besides."""
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument('--prompt', '--context', default='', help='attributes in plain words, '
                       'category last; or the first words, for a model trained without tags')
    asked.add_argument('--prompts', type=pathlib.Path, metavar='FILE', help='prompts, one a line; '
                       'or a .csv with --tag-columns, one a row')
    asked.add_argument('--interactive', action='store_true', help='ask for prompt after prompt; '
                       'an empty line ends it')
    parser.add_argument('--tag-columns', default='', help='columns of --prompts that make a '
                        'prompt, comma-separated, category last')
    parser.add_argument('--count', type=knobs.number(int, 1), default=4,
                        help='how many texts a prompt (default 4)')
    parser.add_argument('--json', type=pathlib.Path, metavar='OUT.jsonl', help='also write prompt, '
                        'text, seed, finish, tokens and log-probability, one sample a line')
    parser.add_argument('--keep-prompt', action='store_true', help='print the prompt as well')


def export(parser):
    """What `run.py export` takes besides."""
    parser.add_argument('--to', choices=['released', 'transformers'], required=True,
                        help='for which programs')
    parser.add_argument('--out', type=pathlib.Path, required=True, help='new folder to write')


def check_text(parser):
    """What `run.py check-text` takes besides."""
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue it was trained on')
    parser.add_argument('--count', type=knobs.number(int, 1), default=200,
                        help='texts per test (default 200)')
