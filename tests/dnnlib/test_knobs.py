"""A knob is one line: its flag, type, help and place in a preset follow from it."""

import argparse
import dataclasses
import re

import pytest

from dnnlib import knobs
from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Oven:
    grid_rows: int = knob(4, 'rows of buns')
    heat: float = knob(180, 'how hot, 100 % is too much', 'degrees')
    fan: bool = knob(True, 'blow')
    label: str = knob('', 'what to call it')


def _parse(*typed, skip=()):
    parser = argparse.ArgumentParser()
    knobs.add_flags(parser, Oven, skip=skip)
    return parser.parse_args(typed)


def test_the_nearest_word_is_suggested():
    assert knobs.did_you_mean('--sede', ['--seed', '--psi']) == 'did you mean --seed? '
    assert knobs.did_you_mean('jean', ('jeans', 'shirts')) == 'did you mean jeans? '
    assert knobs.did_you_mean('hat', ('sheath', '')) == ''


def test_nothing_typed_leaves_the_preset():
    preset = Oven(grid_rows=7, fan=False)
    assert knobs.from_flags(preset, _parse()) == preset


def test_typed_wins_over_preset_and_default():
    typed = _parse('--grid-rows', '2', '--heat', '99.5', '--fan', 'no', '--label', 'x')
    assert knobs.from_flags(Oven(heat=10, label='y'), typed) == Oven(2, 99.5, False, 'x')


def test_zero_and_empty_count_as_typed():
    typed = _parse('--grid-rows', '0', '--label', '')
    assert knobs.from_flags(Oven(label='y'), typed) == Oven(grid_rows=0, label='')


@pytest.mark.parametrize('text, value', [
    ('yes', True), ('TRUE', True), ('1', True), ('on', True),
    ('no', False), ('False', False), ('0', False), ('off', False)])
def test_yes_and_no(text, value):
    assert _parse('--fan', text).fan is value


@pytest.mark.parametrize('typed', [('--fan', 'perhaps'), ('--grid-rows', '2.5'), ('--heat', 'hot')])
def test_wrong_kinds_are_refused(typed, capsys):
    with pytest.raises(SystemExit):
        _parse(*typed)
    assert typed[0] in capsys.readouterr().err


@pytest.mark.parametrize('text', ['nan', 'inf'])
def test_numbers_are_finite(text, capsys):
    with pytest.raises(SystemExit):
        _parse('--heat', text)
    assert f"invalid float value: '{text}'" in capsys.readouterr().err


def test_numbers_have_a_least():
    assert knobs.number(int, 1)('1') == 1 and knobs.number(float, 0)('0.5') == 0.5
    assert knobs.number(int)('-3') == -3
    with pytest.raises(argparse.ArgumentTypeError, match='0 is too small; the least is 1'):
        knobs.number(int, 1)('0')


def test_skipped_knobs_have_no_flag():
    assert not hasattr(_parse(skip=['heat']), 'heat')
    assert knobs.from_flags(Oven(heat=3), _parse(skip=['heat'])).heat == 3


def test_help_tells_meaning_unit_and_default():
    parser = argparse.ArgumentParser(prog='oven')
    knobs.add_flags(parser, Oven)
    text = ' '.join(parser.format_help().split())
    assert 'how hot, 100 % is too much [degrees] (default 180)' in text
    assert 'blow (default yes)' in text and "what to call it (default '')" in text
    assert '--heat FLOAT' in text and '--fan yes|no' in text


def test_from_dict_reads_back_and_refuses_strangers():
    oven = Oven(3, 1.5, False, 'z')
    assert knobs.from_dict(Oven, dataclasses.asdict(oven)) == oven
    with pytest.raises(UserError, match='unknown options gas, wood; known are: grid_rows, heat'):
        knobs.from_dict(Oven, {'heat': 1, 'wood': 2, 'gas': 3})


@dataclasses.dataclass(frozen=True)
class Bounded:
    share: float = knob(0.5, 'a share', least=0, most=1)
    rate: float = knob(0.1, 'a rate', above=0)
    count: int = knob(3, 'a count', least=1)
    part: float = knob(0.2, 'a part', below=1)
    kind: str = knob('round', 'a kind', choices=('round', 'square', ''))
    seed: int = knobs.seed_knob()

    def __post_init__(self):
        knobs.check(self)


@pytest.mark.parametrize('wrong, words', [
    ({'share': 1.5}, '--share 1.5 is too large; the most is 1'),
    ({'share': -0.1}, '--share -0.1 is too small; the least is 0'),
    ({'share': float('nan')}, '--share nan is not a finite number'),
    ({'rate': 0}, '--rate 0 is too small; it must be above 0'),
    ({'count': 0}, '--count 0 is too small; the least is 1'),
    ({'count': 2.5}, '--count 2.5 is no int'), ({'count': True}, '--count True is no int'),
    ({'count': '3'}, "--count '3' is no int"),
    ({'part': 1.0}, '--part 1.0 is too large; it must be below 1'),
    ({'kind': 'flat'}, "--kind 'flat' is unknown; choose from round, square, ''"),
    ({'seed': -1}, '--seed -1 is too small; the least is 0'),
    ({'seed': 2 ** 32}, '--seed 4294967296 is too large; the most is 4294967295')])
def test_what_is_out_of_bounds_is_refused_wherever_it_comes_from(wrong, words):
    with pytest.raises(UserError, match='^' + re.escape(words) + '$'):
        Bounded(**wrong)
    with pytest.raises(UserError, match=re.escape(words)):
        knobs.from_dict(Bounded, wrong)


@pytest.mark.parametrize('typed, words', [
    (('--share', '1.5'), 'the most is 1'), (('--rate', '0'), 'above 0'),
    (('--kind', 'flat'), 'invalid choice'), (('--seed', '-1'), 'the least is 0')])
def test_flags_have_the_same_bounds(typed, words, capsys):
    parser = argparse.ArgumentParser()
    knobs.add_flags(parser, Bounded)
    with pytest.raises(SystemExit):
        parser.parse_args(typed)
    assert words in capsys.readouterr().err
    assert parser.parse_args(['--kind', '']).kind == ''


def test_help_tells_the_value_of_every_preset():
    parser = argparse.ArgumentParser(prog='oven')
    knobs.add_flags(parser, Oven, presets={
        'small': Oven(grid_rows=2, heat=99.5), 'large': Oven(grid_rows=9, fan=False),
        'wide': Oven(grid_rows=9), 'huge': Oven(grid_rows=9, label='!')})
    text = ' '.join(parser.format_help().split())
    assert 'rows of buns (default 2; large to huge: 9)' in text
    assert '[degrees] (default 99.5; large to huge: 180)' in text
    assert 'blow (default yes; large: no)' in text and "(default ''; huge: !)" in text
