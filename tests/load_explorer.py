"""Measures a running explorer: how fast it answers, and what 20 clients at once do to it.

    python run.py explore
    python tests/load_explorer.py --seconds 60

Prints medians and 95th percentiles, in milliseconds, and the server's memory.
"""

import argparse
import json
import os
import pathlib
import sys
import threading
import time

import numpy as np
import requests

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from explore import library


class Client:
    """Asks as the page does."""

    def __init__(self, address):
        self._address, self._session = address, requests.Session()
        self._session.headers['Origin'] = address

    def get(self, path, **parameters):
        answer = self._session.get(self._address + path, params=parameters)
        assert answer.status_code in (200, 204), answer.text
        return answer

    def events(self, path, body):
        """(seconds since the request, kind, facts) of each event."""
        began = time.time()
        answer = self._session.post(self._address + path, json=body, stream=True)
        assert answer.status_code == 200, answer.text
        for event in answer.iter_lines(chunk_size=1, delimiter=b'\n\n'):
            if event:
                kind, data = event.decode('utf-8').split('\n')
                yield time.time() - began, kind[len('event: '):], json.loads(data[len('data: '):])

    def item(self, seed):
        return self.get('/wall', first=seed, count=1, psi=0.7).json()['items'][0]['item']


def _timed(work, count):
    """Milliseconds of each of `count` calls with a number."""
    result = []
    for number in range(count):
        began = time.time()
        work(number)
        result.append(1000 * (time.time() - began))
    return result


def _row(name, values, limit):
    median, late = np.median(values), np.percentile(values, 95)
    print(f'{name:34} {median:8.0f} {late:8.0f} {limit:8} {len(values):6}', flush=True)


def measure(address):
    """Print how fast each kind of request is answered, one at a time."""
    client = Client(address)
    item = client.item(3)
    print(f"{'milliseconds':34} {'median':>8} {'95 %':>8} {'limit':>8} {'n':>6}")
    _row('the page', _timed(lambda n: client.get('/'), 20), 3000)
    _row('a wall of 24', _timed(
        lambda n: client.get('/wall', first=1000 * n + 5, count=24, psi=0.7), 20), 1000)
    _row("a slider's picture", _timed(lambda n: client.get(
        f'/moved/{item}.png', moves=json.dumps({'pca0': n % 80 / 20}), client='1'), 200), 100)
    _row('neighbours', _timed(lambda n: client.get(
        f'/neighbours/{item}', category='', colour=0.5, count=24), 50), 50)
    values = [('sleeve', 'long sleeves'), ('colour', 'red'), ('length', 'maxi'),
              ('neckline', 'v-neck'), ('pattern', 'striped'), ('sleeve', 'short sleeves')]
    _row('an edit', [1000 * max(seconds for seconds, _, _ in client.events('/edited', {
        'item': client.item(seed), 'head': head, 'value': value}))
        for seed in (3, 11, 20) for head, value in values], 5000)
    texts = [list(client.events('/described', {
        'item': client.item(seed), 'words': '', 'attempt': 0})) for seed in range(100, 120)]
    _row('the first words of a text', [1000 * min(
        seconds for seconds, kind, _ in text if kind == 'words') for text in texts], 300)
    _row('a whole text', [1000 * text[-1][0] for text in texts], '')
    found = [list(client.events('/projected', {'product': n})) for n in range(5)]
    _row('a projection', [1000 * events[-1][0] for events in found], 20000)
    gaps = []
    for events in found:
        shown = [0] + [seconds for seconds, _, facts in events if facts.get('item')]
        gaps += list(1000 * np.diff(shown))
    _row('between two pictures of it', gaps, 1000)


def search(count):
    """Print how long the search among `count` made-up products takes, and its memory."""
    rng = np.random.RandomState(0)
    rows = rng.rand(count, 96 + 64).astype(np.float32)

    class Product:
        category = 'dress'

    class Tagger:
        @staticmethod
        def features(pictures):
            return rng.rand(len(pictures), 96).astype(np.float32)
    own = library.Library([Product] * count, rows)
    picture = np.zeros([1, 64, 64, 3], np.uint8)
    _row(f'neighbours among {count:,}', _timed(
        lambda n: own.nearest(picture, Tagger, '', 0.5, 24), 50), 50)
    print(f'its matrix: {rows.nbytes / 1e6:.0f} MB')


def _memory(process):
    """Resident memory of a process in MB."""
    with open(f'/proc/{process}/status', encoding='ascii') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith('VmRSS')) / 1024


def load(address, process, clients, seconds):
    """Let many clients do everything at once; print errors, latencies and the server's memory."""
    end, errors, times = time.time() + seconds, [], []

    def use(number):
        client, rng = Client(address), np.random.RandomState(number)
        try:
            item = client.item(number)
            while time.time() < end:
                step = rng.randint(20)
                if step == 0:
                    client.get('/wall', first=int(rng.randint(1 << 30)), count=24, psi=0.7)
                elif step == 1:
                    list(client.events('/described', {
                        'item': item, 'words': '', 'attempt': int(rng.randint(9))}))
                elif step == 2:
                    client.get(f'/neighbours/{item}', category='', colour=0.5, count=24)
                elif step == 3 and number % 5 == 0:  # goes away in the middle of it
                    next(iter(client.events('/projected', {'product': number})))
                    client = Client(address)
                else:
                    began = time.time()
                    client.get(f'/moved/{item}.png', client=str(number),
                               moves=json.dumps({'pca0': float(rng.rand())}))
                    times.append(1000 * (time.time() - began))
        except (AssertionError, requests.RequestException, ValueError) as error:
            errors.append(f'{number}: {error}')
    threads = [threading.Thread(target=use, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    resident = []
    while time.time() < end:
        time.sleep(min(5, seconds / 4))
        resident.append(f'{_memory(process):.0f}')
    for thread in threads:
        thread.join()
    _row(f'a slider beside {clients - 1} clients', times, '')
    print(f'memory every 5 seconds, MB: {" ".join(resident)}')
    print('errors:', len(errors), *errors[:5])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--address', default='http://localhost:8017')
    parser.add_argument('--process', type=int, help='id of the server, for its memory')
    parser.add_argument('--clients', type=int, default=20)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--products', type=int, default=100000)
    options = parser.parse_args()
    print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before')
    measure(options.address)
    search(options.products)
    if options.process:
        load(options.address, options.process, options.clients, options.seconds)


if __name__ == '__main__':
    main()
