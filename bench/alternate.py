"""Measure rows: variants in turn, A B A B, so that a busy machine slows all of them alike.

Every figure is a median, with its range. Two figures are compared by the median of the ratios of
runs that follow each other; single timings on a shared machine are not worth comparing.
"""

import contextlib
import functools
import json
import platform
import statistics
import time

from bench import machine
from bench.rows import ROWS
from bench.worker import Worker
from dnnlib.files import UserError

_OTHER = 'other checkout'


@functools.lru_cache(maxsize=None)
def rates(threads):
    """The machine's best of five: (floating-point operations per second, bytes per second)."""
    found = []
    for name in machine.ROWS:
        with Worker(name, '', threads) as worker:
            found.append(worker.facts['amount'] * 1e9 / min(
                worker.run()['seconds'] for _ in range(5)))
    return found


def _spread(values):
    return {'median': statistics.median(values), 'min': min(values), 'max': max(values)}


def _workers(stack, name, threads, other):
    """The variants of a row that can run here: name -> (threads, Worker)."""
    started = {}
    for variant, arguments in ROWS[name].variants.items():
        count, checkouts = arguments.get('threads', threads), {variant: ()}
        if other:  # it may be too old for some variants
            checkouts[f'{variant} {_OTHER}'.strip()] = [other]
        for label, root in checkouts.items():
            try:
                started[label] = count, stack.enter_context(Worker(name, variant, count, *root))
            except UserError as error:
                print(f'{name} {label}: left out: {error}')
    return started


def measure(name, *, runs, threads=0, other=None):
    """Measure one row -> a list of dicts, one for each variant.

    threads: 0 takes all. other: another checkout of this project, which is timed beside this one.
    """
    row, (processor, units) = ROWS[name], machine.processor()
    with contextlib.ExitStack() as stack:
        workers = _workers(stack, name, threads, other)
        answers = {variant: [] for variant in workers}
        for _ in range(runs):
            for variant, (_, worker) in workers.items():
                answers[variant].append(worker.run())
    per_unit = {variant: [answer['seconds'] / workers[variant][1].facts['amount']
                          for answer in answers[variant]] for variant in workers}
    found, first = [], next(iter(workers), None)
    for variant, (count, worker) in workers.items():
        facts = worker.facts
        figures = [row.figure(1, seconds) for seconds in per_unit[variant]]
        line = {'name': name, 'variant': variant, 'value': statistics.median(figures),
                'unit': row.unit, 'runs': runs}
        line.update(_spread(figures))
        if facts['flops']:
            flops, memory = rates(count)
            limit = row.figure(facts['amount'], max(facts['flops'] / flops,
                                                    facts['traffic'] / memory))
            line.update(floor=limit, floor_gflop=facts['flops'] / 1e9,
                        matrix_gflops=flops / 1e9, memory_gbs=memory / 1e9)
        if variant != first:  # how many times as fast the first one is
            line['ratio'] = _spread([theirs / ours for ours, theirs in
                                     zip(per_unit[first], per_unit[variant])])
        if 'processor' in answers[variant][-1]:  # an earlier checkout does not measure it
            # Hardly depends on what else the machine does, so it tells most on a busy one.
            line['processor_seconds'] = statistics.median(
                answer['processor'] / facts['amount'] for answer in answers[variant])
        line.update(memory_mib=answers[variant][-1]['memory'], threads=count or machine.cores(),
                    processor=processor, vector_units=units, python=platform.python_version(),
                    time=time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime()))
        found.append(dict(line, **facts['versions']))
    return found


def text(line):
    """One measured dict as a line to print."""
    shown = (f"{line['name']:24} {line['variant']:16} {line['value']:9.4g} {line['unit']:9}"
             f" {line['min']:.4g} to {line['max']:.4g}")
    if 'processor_seconds' in line:
        shown += f"; {line['processor_seconds']:.3g} s of processor time each"
    if 'floor' in line:
        slower, faster = [value if line['unit'].endswith('/s') else 1 / value
                          for value in (line['value'], line['floor'])]
        shown += f"; at the floor {line['floor']:.4g}, {slower / faster:.2f} of it"
    if 'ratio' in line:
        ratio = line['ratio']
        shown += (f"; the first is {ratio['median']:.2f} times as fast"
                  f" ({ratio['min']:.2f} to {ratio['max']:.2f})")
    return shown


def append(path, lines):
    """Append measured dicts to a file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(str(path), 'a', encoding='utf-8') as stream:
        for line in lines:
            stream.write(json.dumps(line) + '\n')
