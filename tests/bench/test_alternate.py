"""Variants are timed in turn, and each is compared with the first, run by run."""

import json

import pytest
from process import run, succeed

from bench import alternate, row, rows

SECONDS = {'ours': [1, 2, 4], 'theirs': [2, 6, 8]}


class _Worker:
    """A worker that takes the seconds above for two units of work."""

    order = ()

    def __init__(self, name, variant, threads, root=None):
        if variant == 'missing':
            raise alternate.UserError('it is not installed')
        self.facts = {'amount': 2, 'flops': 3e9, 'traffic': 1e9, 'versions': {'numpy': '1'}}
        self._variant, self._seconds = variant, iter(SECONDS[variant])

    def run(self):
        type(self).order += (self._variant,)
        return {'seconds': next(self._seconds), 'processor': 6, 'memory': 7}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_figures_ratios_and_floor(monkeypatch, capsys):
    toy = row.Row(None, 'images/s', {name: {} for name in ('ours', 'theirs', 'missing')})
    monkeypatch.setitem(rows.ROWS, 'toy', toy)
    monkeypatch.setattr(alternate, 'Worker', _Worker)
    monkeypatch.setattr(alternate, 'rates', lambda threads: (1e10, 1e10))
    ours, theirs = alternate.measure('toy', runs=3, threads=2)
    assert _Worker.order == ('ours', 'theirs') * 3
    assert 'missing: left out: it is not installed' in capsys.readouterr().out
    assert [ours[name] for name in ('value', 'min', 'max')] == [1, 0.5, 2]
    assert ours['processor_seconds'] == 3
    assert ours['floor'] == pytest.approx(2 / 0.3) and 'ratio' not in ours
    assert theirs['ratio'] == {'median': 2, 'min': 2, 'max': 3}
    assert '0.15 of it' in alternate.text(ours)
    assert 'the first is 2.00 times as fast (2.00 to 3.00)' in alternate.text(theirs)


def test_an_earlier_checkout_tells_no_processor_time(monkeypatch):
    class Earlier(_Worker):
        def run(self):
            return {name: value for name, value in super().run().items() if name != 'processor'}
    monkeypatch.setitem(rows.ROWS, 'toy', row.Row(None, 'images/s', {'ours': {}}))
    monkeypatch.setattr(alternate, 'rates', lambda threads: (1e10, 1e10))
    monkeypatch.setattr(alternate, 'Worker', lambda *given: (Earlier if given[3:] else _Worker)(
        *given))
    ours, earlier = alternate.measure('toy', runs=2, other='elsewhere')
    assert earlier['variant'] == 'ours other checkout' and earlier['ratio']['median'] == 1
    assert 'processor_seconds' in ours and 'processor time' in alternate.text(ours)
    assert 'processor_seconds' not in earlier and 'processor time' not in alternate.text(earlier)


def test_a_variant_that_an_earlier_checkout_lacks_is_left_out_there(monkeypatch, capsys):
    def worker(name, variant, threads, *other):
        return _Worker(name, 'missing' if other and variant == 'theirs' else variant, threads)
    monkeypatch.setitem(rows.ROWS, 'toy', row.Row(None, 'images/s', {'ours': {}, 'theirs': {}}))
    monkeypatch.setattr(alternate, 'rates', lambda threads: (1e10, 1e10))
    monkeypatch.setattr(alternate, 'Worker', worker)
    assert [line['variant'] for line in alternate.measure('toy', runs=1, other='elsewhere')] == [
        'ours', 'ours other checkout', 'theirs']
    assert 'theirs other checkout: left out: it is not' in capsys.readouterr().out


def test_seconds_are_better_the_fewer():
    toy = row.Row(None, 's')
    assert toy.figure(4, 2) == 0.5
    line = {'name': 'a', 'variant': '', 'value': 4, 'unit': 's', 'min': 3, 'max': 5, 'floor': 1,
            'processor_seconds': 2}
    assert '0.25 of it' in alternate.text(line)


@pytest.mark.slow
def test_the_command_measures_in_processes_and_appends(tmp_path):
    code, _, err = run('bench', 'no-such-row', cwd=tmp_path)
    assert code == 1 and 'bench has no row no-such-row; see: python run.py bench --list' in err
    assert set(succeed('bench', '--list', cwd=tmp_path).split()) == set(rows.ROWS)
    for _ in range(2):
        succeed('bench', 'matrix', '--runs', '1', '--threads', '1', cwd=tmp_path)
    lines = (tmp_path / 'out' / 'bench' / 'bench.jsonl').read_text().split('\n')
    first, second = [json.loads(line) for line in lines if line]
    assert first['name'] == second['name'] == 'matrix' and first['threads'] == 1
    assert first['value'] > 0 and first['tensorflow'] and first['processor']
