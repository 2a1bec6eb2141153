"""A variant of a row in a process of its own, which does a run whenever the benchmark asks.

TensorFlow fixes its number of threads once per process, and another checkout of this project needs
its own modules. Over the pipes each message is one line of JSON.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from dnnlib.files import UserError

ROOT = pathlib.Path(__file__).parents[1]


class Worker:
    """A started process; use it in a `with` block.

    root: the checkout to run. Attribute: facts, {'amount', 'flops', 'traffic', 'versions'}.
    Raises UserError if the variant cannot run.
    """

    def __init__(self, name, variant, threads, root=ROOT):
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'bench.worker', name, variant, str(threads)], cwd=str(root),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            universal_newlines=True)
        self.facts = self._answer()
        if 'error' in self.facts:
            self.__exit__()
            raise UserError(self.facts['error'])

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self.__exit__()
            self._log.seek(0)
            raise UserError('a measuring process failed: '
                            + self._log.read().decode('utf-8', 'replace').strip()[-400:])
        return json.loads(line)

    def run(self):
        """Do the work once -> {'seconds', 'processor', 'memory'}: seconds of a clock and of all
        cores together, and the peak of memory so far in MiB."""
        self._process.stdin.write('run\n')
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def _serve(name, variant, threads):
    """The other end: prepare the work, warm up, then do a run for each line on stdin."""
    from bench.rows import ROWS
    pipe = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what the work prints goes to the log

    def answer(**facts):
        pipe.write(json.dumps(facts) + '\n')
        pipe.flush()
    try:
        row = ROWS[name]
        work = row.build(**dict(dict(threads=threads), **row.variants[variant]))
        work.run()
    except UserError as error:
        return answer(error=str(error))
    versions = {module: sys.modules[module].__version__ for module in
                ('tensorflow', 'numpy', 'torch', 'transformers', 'PIL') if module in sys.modules}
    answer(amount=work.amount, flops=work.flops, traffic=work.traffic, versions=versions)
    for _ in sys.stdin:
        before, used = time.perf_counter(), sum(os.times()[:4])
        work.run()
        seconds, used = time.perf_counter() - before, sum(os.times()[:4]) - used
        peak = max(resource.getrusage(who).ru_maxrss
                   for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        answer(seconds=seconds, processor=used, memory=peak / 1024)
    return None


if __name__ == '__main__':
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
