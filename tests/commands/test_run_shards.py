"""The parts of `--shard` concatenate to the bytes that one process writes."""

import argparse

import process
import pytest
import toy_stylegan

import run as program
from commands.options import Shard, _shard, check_part
from dnnlib.files import UserError

OPTIONS = ['--threads', '1', '--max-tokens', '8']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a drawn demo and a random StyleGAN; taggers and GPT-2 are pretrained."""
    folder = tmp_path_factory.mktemp('shards')
    process.succeed('demo', '--out', 'toy', '--count', '24', cwd=folder)
    toy_stylegan.snapshot(folder / 'toy.npz')
    return folder


@pytest.fixture
def main(place, monkeypatch, capsys):
    """Runs a command in the place -> its stdout."""
    monkeypatch.chdir(place)

    def call(*arguments):
        capsys.readouterr()
        assert program.main(list(arguments)) == 0, capsys.readouterr().err
        return capsys.readouterr().out
    return call


def _compare(place, main, arguments, name, files, parts=3):
    """Run a command once and in parts; compare the files below --out."""
    whole = main(*arguments, '--out', f'{name}-all')
    outputs = [main(*arguments, '--out', f'{name}-{part}', '--shard', f'{part}/{parts}')
               for part in range(1, parts + 1)]
    for file in files:
        pieces = [(place / f'{name}-{part}' / file).read_bytes() for part in range(1, parts + 1)]
        assert b''.join(pieces) == (place / f'{name}-all' / file).read_bytes(), file
        assert all(pieces), file
    return whole, outputs


def test_a_shard_is_a_part_of_a_whole():
    for total in (1, 7, 48, 1000, 1000003):
        for count in (1, 2, 3, 7, 64):
            if total < count:
                with pytest.raises(UserError, match=f'{total} cannot be divided among {count} pa'):
                    Shard(1, count).range(total)
                continue
            ranges = [Shard(number, count).range(total) for number in range(1, count + 1)]
            assert ranges[0][0] == 0 and ranges[-1][1] == total
            assert all(one[1] == two[0] for one, two in zip(ranges, ranges[1:]))
            if total >= 16 * count:
                assert all(first % 16 == 0 and first < last for first, last in ranges)
    assert _shard('2/8') == Shard(2, 8)
    for wrong in ('0/3', '4/3', '3', 'a/b', '1/0', '-1/3'):
        with pytest.raises(argparse.ArgumentTypeError, match='type 1/8 for the first of eight'):
            _shard(wrong)


def test_parts_of_a_catalogue_are_measured_and_then_pruned(place, main):
    arguments = ['prune', '--data', 'toy']
    _compare(place, main, arguments, 'prune', ['scores.jsonl'])
    assert not (place / 'prune-1' / 'prune.csv').exists()
    (place / 'joined').mkdir()
    (place / 'joined' / 'scores.jsonl').write_bytes(b''.join(
        (place / f'prune-{part}' / 'scores.jsonl').read_bytes() for part in (1, 2, 3)))
    main(*arguments, '--out', 'joined')
    for file in ('prune.csv', 'scores.jsonl'):  # nothing was measured again
        assert (place / 'joined' / file).read_bytes() == (place / 'prune-all' / file).read_bytes()


def test_parts_of_a_catalogue_are_packed(place, main):
    levels = [f'records/photos-r{level:02d}.tfrecords' for level in range(2, 6)]
    _compare(place, main, ['pack', '--data', 'toy', '--resolution', '32'], 'pack', levels)


def test_parts_of_texts(place, main, capsys):
    (place / 'prompts.txt').write_text('red dress\nplain blue top\nskirt\n')
    arguments = ['text', '--prompts', 'prompts.txt', '--count', '3', '--seed', '5', *OPTIONS]
    whole = main(*arguments, '--json', 'all.jsonl')
    parts = [main(*arguments, '--shard', f'{part}/2', '--json', f'{part}.jsonl')
             for part in (1, 2)]
    assert ''.join(parts) == whole and all(parts)
    assert b''.join((place / f'{part}.jsonl').read_bytes() for part in (1, 2)) == (
        place / 'all.jsonl').read_bytes()
    assert program.main([*arguments, '--shard', '2/2', '--json', '1.jsonl']) == 1
    assert 'error: 1.jsonl holds another part or other seeds' in capsys.readouterr().err


def test_a_part_does_not_overwrite_another_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'part' / 'products.jsonl'
    path.parent.mkdir()
    for content in ('{"seed": 3}\n', '{"seed": 2}\n{"seed": 3}\n', 'damaged\n'):
        path.write_text(content)
        for name, arguments in (('samples', []), ('cards', []), ('rare', ['--category', 'dress'])):
            assert program.main([name, *arguments, '--count', '6', '--shard', '1/2', '--out',
                                 'part']) == 1
            assert 'products.jsonl holds another part or other seeds' in capsys.readouterr().err
            assert path.read_text() == content
    assert program.main(['cards', '--count', '2', '--shard', '1/3', '--out', 'part']) == 1
    assert 'error: 2 cannot be divided among 3 parts; use --shard' in capsys.readouterr().err
    path.write_text('{"seed": 1}\n{"seed": 2}\n')
    check_part(Shard(1, 2), path, [0, 1, 2])  # one that failed is run again


@pytest.mark.slow
def test_parts_of_products(place, main):
    arguments = ['samples', '--stylegan', 'toy.npz', '--count', '33', '--frames', '1', '--tries',
                 '1', '--neighbours', '0', '--seed', '3', *OPTIONS]
    _compare(place, main, arguments, 'samples', ['products.jsonl', 'descriptions.txt'], parts=2)
    pictures = {path.name: path.read_bytes() for path in place.glob('samples-[12]/products/*.png')}
    assert len(pictures) == 33
    for path in (place / 'samples-all' / 'products').iterdir():
        assert pictures[path.name] == path.read_bytes()
    assert not list(place.glob('samples-[12]/*.html')) + list(place.glob('samples-[12]/*.mp4'))


@pytest.mark.slow
def test_parts_of_a_rare_class(place, main):
    arguments = ['rare', '--stylegan', 'toy.npz', '--data', 'toy', '--category', 'dress', '--count',
                 '6', '--search', '100', '--sure', '0.05', '--few', '5', '--tries', '0', *OPTIONS]
    _compare(place, main, arguments, 'rare', ['products.jsonl', 'products.csv'], parts=2)
