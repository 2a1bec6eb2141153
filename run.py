#!/usr/bin/env python3
"""Generate products that do not exist: StyleGAN for the photos, GPT-2 for the descriptions.

    photos -> prune -> train-stylegan -+
                                       +-> samples: images, videos, texts and a page of them
    descriptions ----> train-gpt2 -----+

Exit codes: 0 success, 1 error (explained in one line), 75 another worker of the same training was
lost, 130 interrupted (progress is saved).
"""

import argparse
import contextlib
import inspect
import os
import pathlib
import sys

from commands import data, explore, launch, measure, products, rare, steering, texts, training
from dnnlib import files, knobs, lock, progress
from dnnlib.files import UserError

# Each command: the function that adds its options, the function that runs it, and an example.
# Both functions are next to each other in commands/; read on there.
COMMANDS = {
    'demo': (data.demo_options, data.demo, '--count 300 --seed 1 --out data/small'),
    'download': (data.download_options, data.download, 'gpt2-124M'),
    'convert': (data.convert_options, data.convert, 'saved.pkl anime.npz'),
    'prune': (data.prune_options, data.prune, '--data photos'),
    'pack': (data.pack_options, data.pack, '--data photos-pruned --out out/photos --shard 1/8'),
    'train-stylegan': (training.train_stylegan_options, training.train_stylegan,
                       '--data photos-pruned --run runs/photos'),
    'train-gpt2': (training.train_gpt2_options, training.train_gpt2,
                   '--data texts.csv --text-column story --tag-columns colour,type '
                   '--run runs/texts'),
    'train-tagger': (training.train_tagger_options, training.train_tagger,
                     '--data photos-pruned --run runs/photos-tagger'),
    'launch': (launch.launch_options, launch.launch,
               '--workers 2 train-gpt2 --data texts.csv --run runs/texts'),
    'samples': (products.samples_options, products.samples, '--seed 7 --psi 1 --out out/mine'),
    'cards': (products.cards_options, products.cards, '--count 500 --seed 1000'),
    'explore': (explore.explore_options, explore.explore, '--data photos-pruned --port 8080'),
    'text': (texts.text_options, texts.text,
             '--context "sleeveless red asymmetric dress" --count 4'),
    'export': (texts.export_options, texts.export, '--to transformers --out out/gpt2'),
    'check-text': (texts.check_text_options, texts.check_text, '--gpt2 runs/gpt2 --count 200'),
    'rare': (rare.rare_options, rare.rare, '--category jumpsuit --count 200'),
    'evaluate': (rare.evaluate_options, rare.evaluate,
                 '--category jumpsuit --test-data data/another-demo'),
    'metrics': (measure.metrics_options, measure.metrics, '--stylegan runs/photos --count 2000'),
    'bench': (measure.bench_options, measure.bench, 'step-64 synthesis-512 --runs 9'),
    'directions': (steering.directions_options, steering.directions,
                   '--count 4000 --out out/directions'),
    'label': (steering.label_options, steering.label, '--name "sleeve=long sleeves" --count 200'),
    'edit': (steering.edit_options, steering.edit,
             '--seed 7 --set "sleeve=long sleeves" --set colour=red'),
    'mix': (steering.mix_options, steering.mix, '--from 1,2,3 --onto 4,5 --layers fine'),
    'walk': (steering.walk_options, steering.walk, '--seeds 1,5,9 --spline yes --gif yes'),
    'project': (steering.project_options, steering.project,
                '--category jumpsuit --count 12 --mix 16'),
}


class Parser(argparse.ArgumentParser):
    """Mistyped commands and options are reported like every other mistake."""

    def error(self, message):
        """Raises UserError."""
        raise UserError(f'{message}; see: python {self.prog} --help')

    def parse_known_args(self, args=None, namespace=None):
        """The parser of a command itself reports what it does not know, with its own --help."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].split('=')[0]
            if name[:1] == '-':
                _refuse('option', name, self._option_string_actions, self.prog)
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown


def _refuse(kind, typed, known, prog):
    """Raise UserError: there is no such command or option; the nearest of the known ones."""
    raise UserError(f'no {kind} {typed}; {knobs.did_you_mean(typed, known)}see: python {prog} '
                    '--help')


def command_line(typed=None):
    """The parser of all commands.

    typed: the command in use. Only that one gets its options then, so that nothing is loaded for
    the others. Raises UserError if there is no such command.
    """
    parser = Parser(description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    if typed and typed not in (*COMMANDS, '-h', '--help'):
        if typed[0] == '-':
            parser.error('type the command first, then its options')
        _refuse('command', typed, COMMANDS, parser.prog)
    commands = parser.add_subparsers(metavar='COMMAND', dest='command')
    commands.required = True
    for name, (add_options, function, example) in COMMANDS.items():
        about = inspect.getdoc(function)
        command = commands.add_parser(
            name, help=about.split('\n')[0], description=about, allow_abbrev=False,
            epilog=f'example: python run.py {name} {example}',
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.set_defaults(function=function)
        if typed in (None, name):
            add_options(command)
    return parser


def main(arguments):
    """Run one command -> the exit code."""
    try:
        options = command_line(arguments[0] if arguments else '').parse_args(arguments)
        with lock.folder(options.out) if 'locks_out' in options else contextlib.nullcontext():
            options.function(options)
    except UserError as error:
        progress.end()
        print(f'error: {files.printable(error)}', file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        package = error.name.split('.')[0]
        if pathlib.Path(__file__).with_name(package).exists():  # one of ours
            raise
        print(f'error: {sys.executable} lacks the package {package}; create an environment with '
              "'make env', then use .env/tf2/bin/python or .env/tf1/bin/python", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, no rights, a file where a folder is to be
        if not error.strerror:
            raise
        progress.end()
        name = error.filename2 or error.filename  # of a rename: the file that was to be written
        where = f'{name}: ' if name else ''
        print(f'error: {files.printable(where + error.strerror.lower())}', file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        progress.end()
        print(f'\nstopped. {stop}', file=sys.stderr)
        return 130
    return 0


def _open_standard_streams():
    """Open the standard streams that the caller has closed, as in `2>&-`, on /dev/null: otherwise
    a file of ours gets the descriptor, and TensorFlow's messages with it. What the terminal's
    encoding lacks is read as U+FFFD and written as an escape."""
    for name, mode, errors in (('stdin', 'r', 'replace'), ('stdout', 'w', 'backslashreplace'),
                               ('stderr', 'w', 'backslashreplace')):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        getattr(sys, name).reconfigure(errors=errors)


if __name__ == '__main__':
    _open_standard_streams()
    sys.exit(main(sys.argv[1:]))
