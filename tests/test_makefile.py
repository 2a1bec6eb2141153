"""The Makefile on pretended machines: a PATH that holds nothing but what each test puts there."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PINS = {'tf1': ROOT / 'requirements-tf1.txt', 'tf2': ROOT / 'requirements-tf2.txt'}
LOCKS = {'tf1': ROOT / 'requirements-tf1.lock', 'tf2': ROOT / 'requirements-tf2.lock'}
COMMANDS = ['demo', 'download', 'prune', 'train-stylegan', 'train-gpt2', 'train-tagger', 'samples',
            'cards', 'text', 'metrics']
MAKE = shutil.which('make')

pytestmark = pytest.mark.skipif(MAKE is None, reason='there is no make on this machine')

# Every pretended tool notes how it was called; `pip install -r` also notes what it was given.
NOTE = '#!/bin/sh\necho "$(basename "$0") $*" >> {log}\n'
FAILS = NOTE + 'exit 127\n'
RUNS = NOTE
PYTHON = NOTE + '''
case "$*" in
    "-c "*) exec {real} -c "import sys; sys.version_info = ({version}, 0); $2" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo made > "$3/leftover" ;;
    *"-r /dev/stdin") cat >> {log}; test ! -e {broken} ;;
esac
'''
GPUS = NOTE + '''
case "$*" in --query-gpu=*) printf '{answer}'; exit {code} ;; esac
'''


class Machine:
    """A copy of the Makefile and its pins in `folder`, and the tools that a test gives it."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / 'bin'
        self.log = folder / 'log'
        self.broken = folder / 'no-network'
        self.bin.mkdir()
        for path in [ROOT / 'Makefile', ROOT / 'environment.yml', *PINS.values(), *LOCKS.values()]:
            shutil.copy(str(path), str(folder))
        for name in ['awk', 'basename', 'cat', 'cksum', 'cp', 'mkdir', 'rm', 'touch', 'uname']:
            (self.bin / name).symlink_to(shutil.which(name))

    def has(self, name, script=RUNS, **filled):
        text = script.format(**dict(dict(log=self.log, broken=self.broken, real=sys.executable,
                                         version='3, 12'), **filled))
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)
        return self

    def make(self, *args, **env):
        """Runs make with only this machine's tools; returns the finished process."""
        return subprocess.run([MAKE] + list(args), cwd=str(self.folder), check=False,
                              capture_output=True, text=True,
                              env=dict(env, PATH=str(self.bin)))

    def made(self, *args, **env):
        """Runs make, which must succeed; returns what the tools noted meanwhile."""
        self.log.write_text('')
        done = self.make(*args, **env)
        assert done.returncode == 0, done.stderr
        return self.log.read_text()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize('tools, engine, why', [
    ({'conda': RUNS}, 'tf1', 'found conda'),
    ({'mamba': RUNS}, 'tf1', 'found mamba'),
    ({'micromamba': RUNS}, 'tf1', 'found micromamba'),
    ({'python3.7': PYTHON}, 'tf1', 'found python3.7'),
    ({'python3.7': FAILS, 'conda': RUNS}, 'tf1', 'found conda'),
    ({'python3.7': PYTHON, 'conda': FAILS}, 'tf1', 'found python3.7'),
    ({'python3.7': FAILS}, 'tf2', 'no python3.7 that runs'),
    ({'conda': FAILS, 'python3': PYTHON}, 'tf2', 'no python3.7 that runs'),
    ({}, 'tf2', 'no python3.7 that runs'),
])
def test_the_engine_follows_from_what_runs(machine, tools, engine, why):
    for name, script in tools.items():
        machine.has(name, script)
    said = machine.make('engine').stdout
    assert said.startswith('engine: ' + engine + ' (found ') and said.endswith(why + ')\n')
    assert said.count('\n') == 1


@pytest.mark.parametrize('answer, code, engine', [
    ('7.5', 0, 'tf1'), ('6.1\\n3.5', 0, 'tf1'), ('', 9, 'tf1'),
    ('Field "compute_cap" is not a valid field to query.', 2, 'tf1'),
    ('8.0', 0, 'tf2'), ('12.0', 0, 'tf2'), ('7.5\\n8.6', 0, 'tf2')])
def test_a_gpu_too_new_for_cuda_10_gets_tf2(machine, answer, code, engine):
    machine.has('conda').has('nvidia-smi', GPUS, answer=answer, code=code)
    said = machine.make('engine').stdout
    assert said.startswith(f'engine: {engine} (found ') and said.count('\n') == 1
    assert ('too new for the CUDA 10 of tf1' in said) == (engine == 'tf2')


def test_an_older_gpu_without_conda_or_python37_gets_tf2(machine):
    machine.has('python3', PYTHON).has('nvidia-smi', GPUS, answer='7.5', code=0)
    assert machine.make('engine').stdout.startswith('engine: tf2 (found no conda')


def test_the_engine_asked_for_is_taken(machine):
    machine.has('conda').has('python3', PYTHON)
    assert machine.make('engine', 'ENGINE=tf2').stdout == 'engine: tf2 (set by ENGINE)\n'
    assert machine.make('engine', ENGINE='tf2').stdout == 'engine: tf2 (set by ENGINE)\n'


@pytest.mark.parametrize('args, named', [
    (['engine', 'ENGINE=tf3'], 'type ENGINE=tf1 or ENGINE=tf2'),
    (['env', 'ENGINE=tf1'], 'micromamba or a python3.7'),
    (['env', 'ENGINE=tf2'], 'Python from 3.10 to 3.13'),
])
def test_what_cannot_be_made_is_said_in_one_line_and_nothing_is_lost(machine, args, named):
    kept = machine.folder / '.env' / 'tf1' / 'kept'
    kept.parent.mkdir(parents=True)
    kept.write_text('')
    done = machine.make(*args)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1 and named in done.stderr
    assert kept.exists()


@pytest.mark.parametrize('version, taken', [
    ('3, 9', False), ('3, 10', True), ('3, 13', True), ('3, 14', False)])
def test_tf2_takes_the_pythons_that_tensorflow_has_wheels_for(machine, version, taken):
    machine.has('python3', PYTHON, version=version)
    assert (machine.make('-n', 'env', 'ENGINE=tf2').returncode == 0) == taken


def test_tf2_takes_the_newest_python_that_runs(machine):
    machine.has('python3.13', FAILS).has('python3.12', PYTHON, version='3, 12')
    machine.has('python3.11', PYTHON, version='3, 11').has('python3', PYTHON, version='3, 12')
    assert 'python3.12 -m venv .env/tf2\n' in machine.made('env', 'ENGINE=tf2')


@pytest.mark.parametrize('engine, python, cpu, cuda', [
    ('tf1', 'python3.7', 'tensorflow', 'tensorflow-gpu'),
    ('tf2', 'python3', 'tensorflow-cpu', 'tensorflow')])
def test_cuda_is_installed_only_where_an_nvidia_gpu_answers(machine, engine, python, cpu, cuda):
    locked = LOCKS[engine].read_text().splitlines()
    (machine.bin / 'uname').unlink()
    machine.has(python, PYTHON).has('uname', NOTE + 'echo x86_64\n')
    for build, other, script in [(cpu, cuda, None), (cpu, cuda, FAILS), (cuda, cpu, RUNS)]:
        if script:
            machine.has('nvidia-smi', script)
        shutil.rmtree(str(machine.folder / '.env'), ignore_errors=True)
        noted = machine.made('env', 'ENGINE=' + engine)
        assert f'\n{build}==' in noted and f'\n{other}==' not in noted
        assert ('\nnvidia-cublas' in noted) == (engine == 'tf2' and build == cuda)
        assert '--require-hashes -r /dev/stdin\n' in noted
        left_out = [line for line in set(locked) - set(noted.splitlines()) if line[0] != ' ']
        assert all(line.startswith((other + '==', 'nvidia-')) for line in left_out), left_out


def test_where_there_is_no_build_for_cpus_alone_the_other_is_taken_without_cuda(machine):
    (machine.bin / 'uname').unlink()
    machine.has('python3', PYTHON).has('uname', NOTE + 'echo aarch64\n')
    noted = machine.made('env', 'ENGINE=tf2')
    assert '\ntensorflow==' in noted and 'tensorflow-cpu' not in noted and 'nvidia-' not in noted


@pytest.mark.parametrize('tool, call', [
    ('conda', 'conda env create'), ('mamba', 'mamba env create'),
    ('micromamba', 'micromamba create')])
def test_conda_is_given_the_environment_file(machine, tool, call):
    # It makes the folder itself, and this one refuses a folder that is there.
    machine.has(tool, NOTE + 'case "$*" in *create*) mkdir .env/tf1 ;; esac\n')
    machine.has('python3.7', PYTHON)
    (machine.folder / '.env' / 'tf1').mkdir(parents=True)
    noted = machine.made('env')
    assert call + ' -p .env/tf1 -f environment.yml\n' in noted
    assert 'venv' not in noted


def test_environments_are_made_once_and_again_only_for_other_pins(machine):
    machine.has('python3', PYTHON)
    pins = machine.folder / LOCKS['tf2'].name
    assert '-m venv' in machine.made('env')
    assert '-m venv' not in machine.made('env')
    os.utime(str(pins))
    assert '-m venv' not in machine.made('env')
    pins.write_text(pins.read_text() + 'another==1.0\n')
    assert 'another==1.0\n' in machine.made('env')
    assert '-m venv' not in machine.made('env')


@pytest.mark.skipif(shutil.which('flock') is None, reason='there is no flock on this machine')
def test_of_two_makes_at_once_one_makes_the_environment_and_the_other_waits(machine):
    for name in ['flock', 'sleep']:
        (machine.bin / name).symlink_to(shutil.which(name))
    machine.has('python3', PYTHON.replace('mkdir -p', 'sleep 1 && mkdir -p'))
    both = [subprocess.Popen([MAKE, 'env'], cwd=str(machine.folder), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env={'PATH': str(machine.bin)})
            for _ in range(2)]
    said = [process.communicate()[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert machine.log.read_text().count('-m venv .env/tf2') == 1
    assert sum('environment: making' in each for each in said) == 1
    assert sum('waiting for it' in each for each in said) == 1


def test_a_half_made_environment_is_made_again_from_nothing(machine):
    machine.has('python3', PYTHON)
    machine.broken.write_text('')
    assert machine.make('env').returncode != 0
    leftover = machine.folder / '.env' / 'tf2' / 'leftover'
    leftover.write_text('half')
    machine.broken.unlink()
    assert '-m venv' in machine.made('env')
    assert leftover.read_text() == 'made\n'


@pytest.mark.parametrize('command', COMMANDS)
def test_each_command_is_run_py_with_the_arguments_as_they_stand(machine, command):
    machine.has('python3', PYTHON)
    args = '--prompt "a red dress" --seed 7'
    noted = machine.made(command, 'ARGS=' + args)
    assert noted.splitlines()[-1] == 'python run.py ' + command + ' --prompt a red dress --seed 7'


def test_make_test_leaves_out_the_slow_ones_and_test_all_does_not(machine):
    machine.has('python3', PYTHON)
    assert machine.made('test').endswith(' -m not slow tests\n')
    assert machine.made('test', 'ARGS=-k demo').endswith(' -m not slow -k demo\n')
    noted = machine.made('test-all').splitlines()[-1]
    assert noted.startswith('python -m pytest ') and noted.endswith(' tests')
    assert 'slow' not in noted


def test_make_lint_runs_ruff(machine):
    machine.has('python3', PYTHON)
    assert machine.made('lint').endswith('python -m ruff check .\n')


def test_make_alone_lists_every_target(machine):
    done = machine.make()
    assert done.returncode == 0 and not done.stderr
    listed = re.findall(r'^make (\S+) +\S', done.stdout, re.M)
    phony = ' '.join(re.findall(r'^\.PHONY: (.*)$', (ROOT / 'Makefile').read_text(), re.M))
    assert sorted(listed) == sorted(phony.split())
    assert len(done.stdout.splitlines()) == len(listed)
    assert not machine.log.exists() or 'create' not in machine.log.read_text()


def requirements(path):
    """The name and version of each pin in a file; fails on a line that pins nothing exactly."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] != '#']
    pins = [re.match(r'([a-z0-9-]+)(?:\[[a-z-]+\])?==([0-9.]+)$', line) for line in lines]
    assert all(pins), lines
    return [pin.groups() for pin in pins]


@pytest.mark.parametrize('engine', PINS)
def test_the_lock_has_the_pins_and_a_hash_for_every_package(engine):
    text = LOCKS[engine].read_text()
    blocks = re.split(r'\n(?=\S)', text.strip())
    locked = dict(re.match(r'([a-z0-9-]+)==([^ ]+) ', block).groups() for block in blocks)
    assert all(re.search(r' --hash=sha256:[0-9a-f]{64}', block) for block in blocks)
    assert '://' not in text and '--index' not in text
    for name, version in requirements(PINS[engine]):
        assert locked[name] == version, f'{name}: type make lock'


def test_the_running_environment_is_what_the_pins_say():
    engine = 'tf1' if sys.version_info < (3, 8) else 'tf2'
    listed = subprocess.check_output([sys.executable, '-m', 'pip', '--disable-pip-version-check',
                                      'list', '--format=json'], stderr=subprocess.DEVNULL)
    installed = {each['name'].lower().replace('_', '-'): each['version']
                 for each in json.loads(listed.decode())}
    for name, version in requirements(PINS[engine]):
        builds = ['tensorflow', 'tensorflow-cpu', 'tensorflow-gpu']
        names = builds if name in builds else [name]
        assert version in [installed.get(each) for each in names], name


def test_environment_yml_takes_its_pip_pins_from_the_one_file():
    yaml = pytest.importorskip('yaml', reason='this engine brings no YAML reader')
    environment = yaml.safe_load((ROOT / 'environment.yml').read_text())
    pip = environment['dependencies'].pop()['pip']
    assert pip == ['-r ' + PINS['tf1'].name]
    wanted = dict(each.split('=') for each in environment['dependencies'] if '=' in each)
    assert wanted == {'python': '3.7', 'cudatoolkit': '10.0', 'cudnn': '7.6'}
