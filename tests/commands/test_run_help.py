"""What a new user reads: every command is listed, explained, and shown once as it is typed."""

import argparse
import dataclasses
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

import run
from commands import products, training
from dnnlib.files import UserError
from gpt2 import config as gpt2_config
from stylegan import config as stylegan_config

ROOT = pathlib.Path(__file__).parents[2]
TARGETS = re.findall(r'^([a-z0-9-]+):', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.M)


def _commands():
    """Command -> its parser."""
    action, = [action for action in run.command_line()._actions
               if isinstance(action, argparse._SubParsersAction)]
    return action.choices


@pytest.mark.parametrize('name', sorted(_commands()))
def test_help_explains_every_option_and_shows_an_example_that_is_understood(name):
    command = _commands()[name]
    help_ = command.format_help()
    assert help_.rstrip().endswith(f'example: python run.py {name} {run.COMMANDS[name][2]}')
    assert command.description and '\n ' not in command.description
    for action in command._actions:
        assert action.help, action.option_strings
    options = run.command_line(name).parse_args([name] + shlex.split(run.COMMANDS[name][2]))
    assert options.function.__name__ == name.replace('-', '_')


@pytest.mark.parametrize('name', ['train-stylegan', 'train-gpt2'])
def test_help_tells_the_value_that_is_used_with_each_preset(name):
    """Of every training option, by parsing the help and, apart from it, the command."""
    config = {'train-stylegan': stylegan_config, 'train-gpt2': gpt2_config}[name]
    parser = _commands()[name]
    for part, kind in enumerate((config.Network, config.Training)):
        for field in dataclasses.fields(kind):
            action, = [a for a in parser._actions if a.dest == field.name] or [None]
            if field.name in getattr(config, 'NOT_TRAINED', ()):
                assert action is None
                continue
            told = re.search(r'\(default ([^()]*)\)$', action.help).group(1).split('; ')
            values = dict.fromkeys(config.PRESETS, told[0])
            for names, value in [each.split(': ') for each in told[1:]]:
                first, _, last = names.partition(' to ')
                order = list(config.PRESETS)
                some = order[order.index(first):order.index(last) + 1] if last else names.split(
                    ', ')
                values.update(dict.fromkeys(some, value))
            for preset, shown in values.items():
                options = parser.parse_args(['--preset', preset])
                used = getattr(training._from_preset(config, options)[part], field.name)
                typed = parser.parse_args([action.option_strings[0], shown.strip("'")])
                assert getattr(typed, field.name) == used, (field.name, preset)
    assert parser.parse_args([]).preset == 'demo'


@pytest.mark.parametrize('typed, error', [
    ('trian-gpt2', 'no command trian-gpt2; did you mean train-gpt2? see: python run.py --help'),
    ('frobnicate', 'no command frobnicate; see: python run.py --help'),
    ('--stylegan x samples', 'type the command first, then its options; see: python run.py --help'),
    ('samples --stylegn x', 'no option --stylegn; did you mean --stylegan? see: python run.py '
     'samples --help'),
    ('text --temprature=1', 'no option --temprature; did you mean --temperature? see: python '
     'run.py text --help'),
    ('cards -count 5', 'no option -count; did you mean --count? see: python run.py cards --help'),
    ('cards --gpu 0', 'no option --gpu; see: python run.py cards --help'),
    ('cards 5', 'unrecognized arguments: 5; see: python run.py cards --help')])
def test_a_mistyped_command_or_option_is_answered_with_the_nearest(
        monkeypatch, capsys, typed, error):
    monkeypatch.setattr(sys, 'argv', ['run.py'])  # its name is in the message
    assert run.main(typed.split()) == 1
    assert capsys.readouterr().err == f'error: {error}\n'


@pytest.mark.parametrize('typed', ['prune --help', 'samples'])
def test_a_python_without_the_packages_is_told_where_they_are(typed):
    ended = subprocess.run([sys.executable, '-S', str(ROOT / 'run.py'), *typed.split()], text=True,
                           capture_output=True, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"error: .* lacks the package \w+; create an environment with 'make env', "
                        r'then use .env/tf2/bin/python or .env/tf1/bin/python\n', ended.stderr)


def test_the_list_of_commands_has_a_line_for_each():
    listed = run.command_line().format_help()
    for name, command in _commands().items():
        assert f'\n    {name} ' in listed or f'\n    {name}\n' in listed
        assert ' '.join(command.description.split('\n')[0].split()) in ' '.join(listed.split())


@pytest.mark.parametrize('typed, again', [
    ('cards', ''), ('samples --seed 3 --count=5 --out x --frames 2', ''),
    ('samples --frames=2 --psi 1 --seed=4', ' --psi 1'),
    ('cards --psi=1 --stylegan "my runs/a.npz"', " --psi=1 --stylegan 'my runs/a.npz'")])
def test_a_product_can_be_made_again(typed, again):
    command = products.again(shlex.split(typed)[1:])
    assert command == 'python run.py cards --seed {} --count 1' + again
    run.command_line().parse_args(shlex.split(command.format(7))[2:])


def _typed(path):
    """The calls of run.py and make in a page of the documentation, as they would be typed."""
    text = path.read_text(encoding='utf-8').replace('\\\n', ' ')
    for line in re.findall(r'^    ((?:python run\.py|make) .*)$', text, re.M):
        yield line.split(' #')[0].strip()
    for line in re.findall(r'`((?:run\.py|python run\.py|make) [^`]*)`', text):
        yield line


def _mistake(call):
    """What is wrong with a call, '' if nothing is. Of make, a target must exist."""
    words = [word for word in shlex.split(call) if not word.startswith('ENGINE=')]
    if words[0] == 'make':
        arguments = [part for word in words[1:] for part in shlex.split(
            word[len('ARGS='):] if word.startswith('ARGS=') else word)]
        unknown = set(arguments[:1]) - set(TARGETS)
        if unknown or not set(arguments[:1]) & set(_commands()):
            return ' '.join(unknown)
        several = all(word in TARGETS for word in arguments)
        calls = [[word] for word in arguments] if several else [arguments]
    else:
        calls = [words[words.index('run.py' if 'run.py' in words else 'python') + 1:]]
    for arguments in calls:
        try:
            if not {'--help', '--list'} & set(arguments):
                run.command_line(arguments[0]).parse_args(arguments)
        except UserError as error:
            return str(error)
    return ''


@pytest.mark.parametrize('call, wrong', [
    ('python run.py samples --seed 7', ''), ('run.py samples --seeds 7', '--seeds'),
    ('make test', ''), ('make tests', 'tests'), ('make train-gpt2 samples', ''),
    ("make samples ARGS='--seed 7' ENGINE=tf2", ''), ("make samples ARGS='--sed 7'", '--sed'),
    ('make samples ARGS=--help', ''), ('python run.py prune', '--data')])
def test_mistakes_in_the_documentation_would_be_found(call, wrong):
    found = _mistake(call)
    assert wrong in found and bool(found) == bool(wrong)


@pytest.mark.parametrize('path', [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md',
                                  *sorted((ROOT / 'docs').glob('*.md'))],
                         ids=lambda path: path.name)
def test_what_the_documentation_types_is_understood(path):
    calls = list(_typed(path))
    assert calls
    for call in calls:
        assert not _mistake(call), call


@pytest.mark.parametrize('typed, not_loaded', [
    ("''", {'tensorflow', 'numpy', 'PIL', 'tqdm', 'tokenizers', 'difflib'}),
    ('None', {'tensorflow'})])
def test_help_loads_nothing_that_takes_long(typed, not_loaded):
    """Of the program without a command, and of every command."""
    code = (f'import sys, run; run.command_line({typed}).format_help(); '
            f'sys.exit(", ".join({not_loaded} & set(sys.modules)) or 0)')
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True)
