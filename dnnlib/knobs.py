"""A knob is defined once: a line in a frozen dataclass has its name, type, default, help, bounds.

    @dataclasses.dataclass(frozen=True)
    class Training:
        kimg: float = knob(25000, 'how long to train', unit='thousand images', above=0)

        def __post_init__(self):
            check(self)

`add_flags` turns each line into a `--kimg` option; `from_flags` lays what was typed over a preset,
which is a record itself. The order of precedence is default < preset < flag. `check` refuses what
is out of bounds, wherever the record comes from: a flag, a file, or Python.
"""

import argparse
import dataclasses
import math

from dnnlib import files
from dnnlib.files import UserError

LARGEST_SEED = 2 ** 32 - 1  # of numpy's RandomState
_LARGEST = 2 ** 31 - 1  # of any other int


def knob(default, help, unit='', *, least=None, most=None, above=None, below=None, choices=None):
    """A dataclass field with its meaning; `help` and `unit` become the flag's help text.

    least, most: bounds of a number that it may reach; above, below: bounds that it may not.
    choices: all values that there are.
    """
    return dataclasses.field(default=default, metadata={
        'help': help, 'unit': unit, 'choices': choices,
        'bounds': {'least': least, 'most': most, 'above': above, 'below': below}})


def did_you_mean(typed, known):
    """'did you mean X? ' with the most similar of the known words, '' if none is similar."""
    import difflib  # here, so that --help need not load it
    names = {name.lstrip('-'): name for name in known}
    near = difflib.get_close_matches(typed.lstrip('-'), names, n=1, cutoff=0.7)
    return f'did you mean {files.printable(names[near[0]])}? ' if near else ''


def seed_knob(help='first seed'):
    """The knob of a random seed: 0 by default, at most LARGEST_SEED."""
    return knob(0, help, least=0, most=LARGEST_SEED)


def out_of_bounds(value, least=None, most=None, above=None, below=None):
    """What is wrong with a number: '' if nothing is."""
    if isinstance(value, float) and not math.isfinite(value):
        return 'is not a finite number'
    if isinstance(value, int) and most is None:
        most = _LARGEST
    if least is not None and value < least:
        return f'is too small; the least is {least}'
    if above is not None and value <= above:
        return f'is too small; it must be above {above}'
    if most is not None and value > most:
        return f'is too large; the most is {most}'
    if below is not None and value >= below:
        return f'is too large; it must be below {below}'
    return ''


def number(kind, least=None, most=None, **bounds):
    """A type for argparse: an int or float that is finite and within the bounds of a `knob`."""
    def parse(text):
        value = kind(text)
        if kind is float and not math.isfinite(value):
            raise ValueError
        wrong = out_of_bounds(value, least, most, **bounds)
        if wrong:
            raise argparse.ArgumentTypeError(f'{text:.40} {wrong}')
        return value
    parse.__name__ = kind.__name__  # argparse calls what it cannot parse an invalid int value
    return parse


seed = number(int, 0, LARGEST_SEED)  # the type of every --seed that is no knob


def _fits(value, kind):
    """Whether a value is of a knob's type; an int may stand for a float, a bool for no number."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def check(record):
    """Raise UserError if a knob of the record is out of its bounds or none of its choices."""
    for field in dataclasses.fields(record):
        value, data = getattr(record, field.name), field.metadata
        flag = '--' + field.name.replace('_', '-')
        if not data:  # no knob
            continue
        if not _fits(value, field.type):
            raise UserError(f'{flag} {value!r:.40} is no {field.type.__name__}')
        if field.type in (int, float):
            wrong = out_of_bounds(value, **data['bounds'])
            if wrong:
                raise UserError(f'{flag} {value!r:.40} {wrong}')
        if data['choices'] is not None and value not in data['choices']:
            raise UserError(f"{flag} '{value:.40}' is unknown; choose from "
                            + ', '.join(choice or "''" for choice in data['choices']))


def _boolean(text):
    if text.lower() in ('yes', 'true', '1', 'on'):
        return True
    if text.lower() in ('no', 'false', '0', 'off'):
        return False
    raise argparse.ArgumentTypeError(f"'{text}' is neither yes nor no")


def _shown(value):
    """A value as it is typed."""
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, float) and value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return "''" if value == '' else str(value)


def _joined(names, known):
    """Some of the known names as text: 'b to e' where they stand side by side, else 'b, d'."""
    first = known.index(names[0])
    if len(names) > 2 and names == known[first:first + len(names)]:
        return f'{names[0]} to {names[-1]}'
    return ', '.join(names)


def _default(field, presets):
    """'default 120; dress 25000': what is used where the flag is not typed."""
    if not presets:
        return 'default ' + _shown(field.default)
    values = {name: getattr(preset, field.name) for name, preset in presets.items()}
    first = next(iter(values.values()))
    others = {}
    for name, value in values.items():
        if value != first:
            others.setdefault(_shown(value), []).append(name)
    return '; '.join(['default ' + _shown(first)] + [
        f'{_joined(names, list(values))}: {value}' for value, names in others.items()])


def add_flags(parser, config, skip=(), presets=None):
    """Add one option per knob of the dataclass `config` to an argparse parser or group.

    presets: {name: record}, the one that is taken by default first; the help tells their values.
    The options' own default is None, which means "not typed": a preset may still fill it in.
    """
    for field in dataclasses.fields(config):
        if field.name in skip:
            continue
        kind, data = field.type, field.metadata  # a default of 25000 may stand for a float
        unit = f" [{data['unit']}]" if data['unit'] else ''
        parse = _boolean if kind is bool else kind if kind is str else number(
            kind, **data['bounds'])
        metavar = ('yes|no' if kind is bool else '|'.join(choice or "''" for choice in
                   data['choices']) if data['choices'] else kind.__name__.upper())
        parser.add_argument(
            '--' + field.name.replace('_', '-'), dest=field.name, default=None, type=parse,
            choices=data['choices'], metavar=metavar,
            help=f"{data['help']}{unit} ({_default(field, presets)})".replace('%', '%%'))


def from_flags(preset, args):
    """The record `preset` with the knobs that were typed put in their place."""
    typed = {field.name: getattr(args, field.name, None) for field in dataclasses.fields(preset)}
    return dataclasses.replace(
        preset, **{name: value for name, value in typed.items() if value is not None})


def from_dict(config, values):
    """A `config` record from a dict read from a file. Unknown keys are refused by name."""
    names = [field.name for field in dataclasses.fields(config)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        plural = 's' if len(unknown) > 1 else ''
        raise UserError(f"unknown option{plural} {', '.join(unknown)}; known are: "
                        + ', '.join(names))
    return config(**values)
