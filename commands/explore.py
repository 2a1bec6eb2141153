"""The explorer: a page on which products are made, changed, described, found and kept."""

import argparse
import contextlib
import errno
import multiprocessing
import os
import pathlib
import signal
import socket
import sys
import threading

from commands import inputs, steering
from commands import options as common
from dnnlib import files, knobs, lock
from dnnlib.files import UserError

_THREADS = 64  # of the web server: a client with long work holds one


def explore_options(parser):
    """What `explore` takes."""
    common.stylegan(parser)
    common.gpt2(parser)
    common.tagger(parser)
    common.data(parser, 'the catalogue to find similar products in (default: the demo)')
    parser.add_argument('--directions', type=common.folder, default=pathlib.Path('out/directions'),
                        help='folder of run.py directions, which is run where this is missing '
                        '(default out/directions)')
    parser.add_argument('--out', type=common.folder, default=pathlib.Path('out/explore'),
                        help='folder in which each saved tray gets one (default out/explore)')
    parser.add_argument('--port', type=knobs.number(int, 1, 65535), default=8017,
                        help='port of the page (default 8017)')
    parser.add_argument('--host', default='127.0.0.1', help='address to bind to; 0.0.0.0 lets '
                        'everyone in who can reach this machine (default 127.0.0.1)')
    common.threads(parser)


def explore(options):
    """Open the explorer: make, change, describe, find and keep products on a page.

    Everything runs on this machine and nothing leaves it.
    """
    listening = _listen(options.host, options.port)
    import waitress

    from explore.server import LARGEST_UPLOAD, Server, is_local
    from explore.studio import Studio
    from explore.worker import Worker
    if options.data:
        inputs.pictured(options.data)  # what is wrong with it is told before anything is loaded
    worker = Worker()
    studio = Studio(inputs.stylegan(options), inputs.gpt2(options), inputs.tagger(options),
                    options.threads, worker.between)
    server = Server(studio, worker, bound=options.host, out=options.out, facts=[
        ('stylegan', str(studio.gan.path)), ('gpt2', str(studio.writer.path)),
        ('tagger', str(studio.taggers.path)), ('catalogue', str(options.data or inputs.DEMO))])
    processes = []
    for work in (_prepare_editing, _prepare_catalogue):
        threading.Thread(target=work, args=(options, server, studio, worker, processes),
                         daemon=True).start()
    if not is_local(options.host):
        print(f'everyone who can reach this machine at {options.host} can use the page')
    shown = 'localhost' if is_local(options.host) else options.host
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))  # ends as Ctrl-C does
    print(f'open http://{shown}:{options.port}/ in a browser; Ctrl-C stops', flush=True)
    try:
        waitress.create_server(
            server.app, sockets=[listening], threads=_THREADS, clear_untrusted_proxy_headers=True,
            max_request_body_size=2 * LARGEST_UPLOAD).run()
    finally:
        for process in processes:
            if process.is_alive():
                os.kill(process.pid, signal.SIGINT)  # it ends its own processes
                process.join()
        worker.close()
    print('stopped.')


def _listen(host, port):
    """A socket bound to the address. Raises UserError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except socket.gaierror:
        raise UserError(f'{files.printable(host)} is no address of this machine; type --host '
                        '127.0.0.1')
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise UserError(f'{host} is no address of this machine; type --host 127.0.0.1')
        raise UserError(f'{host}:{port} cannot be used ({error.strerror.lower()}); type: python '
                        f'run.py explore --port {port % 65535 + 1}')
    return listening


# --- What takes minutes when it is done for the first time, while the page can be used.

def _apart(processes, work, *arguments):
    """Run a function in a process of its own, whose TensorFlow does not wait for the page's.

    Raises UserError if it fails, after it has said why.
    """
    process = multiprocessing.get_context('spawn').Process(target=_reporting, args=(
        work, *arguments))
    process.start()
    processes.append(process)
    process.join()
    if process.exitcode:
        raise UserError('this could not be prepared; the terminal says why')


def _reporting(work, *arguments):
    """Call a function; a mistake of the user is one line and exit code 1."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has set it off
    try:
        work(*arguments)
    except UserError as error:
        raise SystemExit(f'error: {files.printable(error)}')
    except KeyboardInterrupt:
        raise SystemExit(130)


def _find_directions(stylegan, tagger, threads, folder):
    """`run.py directions` for the files of the explorer's models, into a folder."""
    parser = argparse.ArgumentParser()
    steering.directions_options(parser)
    # Its table is kept in directions.txt; the terminal belongs to the server.
    with lock.folder(folder), open(os.devnull, 'w', encoding='utf-8') as nowhere, \
            contextlib.redirect_stdout(nowhere):
        steering.directions(parser.parse_args([
            '--stylegan', str(stylegan), '--tagger', str(tagger), '--out', str(folder),
            '--threads', str(threads)]))


def _prepare_editing(options, server, studio, worker, processes):
    """Read the directions that edits and sliders need; find them where there are none.

    If --directions has those of other models, a folder beside it is used.
    """
    models = steering.fingerprints(studio.gan, studio.taggers.images)
    server.preparing['editing'] = 'Finding the sliders, once for this network: this takes minutes.'
    try:
        folder = options.directions
        try:
            worker.do(lambda: studio.learn(folder, models))
        except UserError:
            if (folder / 'directions.npz').exists():
                folder = folder.with_name(
                    f'{folder.name}-{inputs.fingerprint(sorted(models.items()))}')
            if not (folder / 'directions.npz').exists():
                _apart(processes, _find_directions, studio.gan.path, studio.taggers.path,
                       options.threads, folder)
            worker.do(lambda: studio.learn(folder, models))
        del server.preparing['editing']
    except (UserError, OSError) as error:
        server.preparing['editing'] = f'There are no sliders and edits: {error}'


def _prepare_catalogue(options, server, studio, worker, processes):
    """Read the catalogue to find products in; draw the demo if there is none yet."""
    from explore import library
    server.preparing['catalogue'] = 'Reading the catalogue.'
    try:
        if not options.data and not inputs.demo_is_there():
            server.preparing['catalogue'] = 'Drawing the demo catalogue, once: this takes a minute.'
            _apart(processes, inputs.demo_pruned)
        products = inputs.pictured(options.data)
        cache = (options.data or inputs.demo_pruned()) / '.explore.npz'
        studio.catalogue = worker.submit(lambda job: library.read(
            products, studio.taggers.images, cache, worker.between), long=True).result()
        del server.preparing['catalogue']
    except (UserError, OSError) as error:
        server.preparing['catalogue'] = f'Products cannot be searched: {error}'
