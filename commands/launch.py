"""Data-parallel training on this machine: start a worker for each GPU, watch them, end all at once.

On several machines each worker is started on its own, with TF_CONFIG: see docs/scale.md.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from dnnlib import knobs
from dnnlib.files import UserError

TRAININGS = ('train-stylegan', 'train-gpt2')
_PROGRAM = pathlib.Path(__file__).parents[1] / 'run.py'
_GRACE = 15  # seconds in which the other workers notice that one has ended, and say so
_LOST = 75  # exit code of these, see dnnlib/parallel.py
_errors = {}  # line that tells an error -> rank of the first worker that printed it


def launch_options(parser):
    """What `launch` takes."""
    parser.add_argument('--workers', type=knobs.number(int, 1), help='processes to start (default: '
                        'one for each visible GPU)')
    parser.add_argument('training', nargs=argparse.REMAINDER, metavar='COMMAND',
                        help=f"{' or '.join(TRAININGS)}, and its options")


def launch(options):
    """Train with several processes on this machine, one for each GPU."""
    if options.training[:1] not in [[name] for name in TRAININGS]:
        raise UserError(f"launch starts {' or '.join(TRAININGS)}; type its name after the "
                        "options of launch, and its own options after that")
    gpus = _visible_gpus()
    count = options.workers or len(gpus)
    if not count:
        raise UserError('no NVIDIA GPU is visible here; to train on CPUs give --workers')
    if gpus and count > len(gpus):
        raise UserError(f'{len(gpus)} GPUs are visible, too few for {count} workers; use --workers '
                        f'{len(gpus)}')
    workers, addresses = [], _free_addresses(count)
    asked = _pass_on_signals(workers)
    try:
        for rank in range(count):
            if not asked:
                workers.append(_start(options.training, rank, addresses, gpus))
    except OSError:  # no process can be started: the others would wait for this one
        for worker in workers:
            worker.kill()
        raise
    codes = _end_together(workers)
    bad = [rank for rank, code in enumerate(codes) if code]
    if 130 in codes or (asked and bad):
        raise KeyboardInterrupt('the same command continues the training')
    if bad:
        first = next((rank for rank in bad if codes[rank] != _LOST), bad[0])
        raise UserError(f'worker {first} ended with exit code {codes[first]}, so all have ended; '
                        'what they said is above; once that is corrected, the same command starts '
                        'or continues the training')


def _visible_gpus():
    """What CUDA_VISIBLE_DEVICES calls the GPUs that may be used."""
    if 'CUDA_VISIBLE_DEVICES' in os.environ:
        return [name for name in os.environ['CUDA_VISIBLE_DEVICES'].split(',')
                if name.strip() not in ('', '-1')]
    try:
        listed = subprocess.check_output(['nvidia-smi', '-L'], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number in range(len(re.findall(rb'^GPU ', listed, re.M)))]


def _free_addresses(count):
    """So many addresses of this machine with ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(('localhost', 0))
    addresses = [f'localhost:{each.getsockname()[1]}' for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def _start(training, rank, addresses, gpus):
    """Start a worker, whose output is printed line by line behind its number."""
    environment = dict(os.environ, PYTHONUNBUFFERED='1', TF_CONFIG=json.dumps({
        'cluster': {'worker': addresses}, 'task': {'type': 'worker', 'index': rank}}))
    if gpus:
        environment['CUDA_VISIBLE_DEVICES'] = gpus[rank]
    # In a session of its own, so that Ctrl-C reaches it once, from here.
    worker = subprocess.Popen([sys.executable, str(_PROGRAM)] + training, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              start_new_session=True)
    worker.threads = [threading.Thread(target=_print_lines, args=(rank, source, target))
                      for source, target in ((worker.stdout, sys.stdout),
                                             (worker.stderr, sys.stderr))]
    for thread in worker.threads:
        thread.start()
    return worker


def _print_lines(rank, source, target):
    """Print what a worker prints; an error that all workers tell is printed once."""
    left = b''
    for block in iter(lambda: source.read1(1 << 16), b''):
        *lines, left = re.split(rb'[\r\n]+', left + block)
        _print(rank, lines, target)
    _print(rank, [left], target)


def _print(rank, lines, target):
    for line in filter(None, map(bytes.strip, lines)):
        if not line.startswith(b'error: ') or _errors.setdefault(line, rank) == rank:
            print(f"[{rank}] {line.decode('utf-8', 'replace')}", file=target, flush=True)


def _pass_on_signals(workers):
    """Ctrl-C and SIGTERM ask the workers to save and stop; the second one ends them at once.

    workers: a list to which more may be added. Returns the list of the signals that have come.
    """
    asked = []

    def pass_on(number, frame):
        for worker in workers:
            if worker.poll() is None:
                os.kill(worker.pid, signal.SIGKILL if asked else number)
        asked.append(number)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    return asked


def _end_together(workers):
    """Wait for the end of all workers; soon after one fails, end the others -> exit codes."""
    failed = None
    while any(worker.poll() is None for worker in workers):
        if failed is None and any(worker.poll() for worker in workers):
            failed = time.time()
        if failed is not None and time.time() - failed > _GRACE:
            for worker in workers:
                worker.kill()
        time.sleep(0.1)
    for worker in workers:
        for thread in worker.threads:
            thread.join()
    return [worker.returncode for worker in workers]
