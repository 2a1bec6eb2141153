"""A knob is defined once: a line in a frozen dataclass names it, its type, default, unit and help.

    @dataclasses.dataclass(frozen=True)
    class Training:
        kimg: float = knob(25000, 'how long to train', unit='thousand images')

`add_flags` turns each line into a `--kimg` option; `from_flags` lays what was typed over a preset,
which is a record itself. The order of precedence is default < preset < flag.
"""

import argparse
import dataclasses
import math

from dnnlib.files import UserError


def knob(default, help, unit=''):
    """A dataclass field with its meaning; `help` and `unit` become the flag's help text."""
    return dataclasses.field(default=default, metadata={'help': help, 'unit': unit})


def number(kind, least=None):
    """A type for argparse: an int or float that is finite and not less than `least`."""
    def parse(text):
        value = kind(text)
        if kind is float and not math.isfinite(value):
            raise ValueError
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f'{text} is too small; the least is {least}')
        return value
    parse.__name__ = kind.__name__  # argparse calls what it cannot parse an invalid int value
    return parse


def _boolean(text):
    if text.lower() in ('yes', 'true', '1', 'on'):
        return True
    if text.lower() in ('no', 'false', '0', 'off'):
        return False
    raise argparse.ArgumentTypeError(f"'{text}' is neither yes nor no")


def add_flags(parser, config, skip=()):
    """Add one option per knob of the dataclass `config` to an argparse parser or group.

    The options' own default is None, which means "not typed": a preset may still fill it in.
    """
    for field in dataclasses.fields(config):
        if field.name in skip:
            continue
        kind = field.type  # the annotation: a default of 25000 may stand for a float
        unit = f" [{field.metadata['unit']}]" if field.metadata['unit'] else ''
        parse = {bool: _boolean, int: number(int), float: number(float)}.get(kind, kind)
        shown = {True: 'yes', False: 'no'}[field.default] if kind is bool else field.default
        shown = "''" if shown == '' else shown
        parser.add_argument(
            '--' + field.name.replace('_', '-'), dest=field.name, default=None,
            type=parse,
            metavar='yes|no' if kind is bool else kind.__name__.upper(),
            help=f"{field.metadata['help']}{unit} (default {shown})".replace('%', '%%'))


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
        raise UserError('unknown option%s %s; known are: %s' % (
            's' if len(unknown) > 1 else '', ', '.join(unknown), ', '.join(names)))
    return config(**values)
