"""Measures a running explorer: how fast it answers, and what 20 clients at once do to it.

    python run.py explore
    python tests/load_explorer.py --process PID --seconds 60

Prints medians and 95th percentiles in milliseconds, and the processor time that the server spends
on each request, which other work on the machine hardly changes.
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

EDITS = [('sleeve', 'long sleeves'), ('colour', 'red'), ('length', 'maxi'), ('pattern', 'striped')]


class Client:
    """Asks as the page does."""

    def __init__(self, address):
        self._address, self._session = address, requests.Session()
        self._session.headers['Origin'] = address

    def get(self, path, **parameters):
        answer = self._session.get(self._address + path, params=parameters)
        assert answer.status_code in (200, 204), answer.text
        return answer

    def events(self, path, **body):
        """(seconds since the request, kind, facts) of each event."""
        began = time.time()
        answer = self._session.post(self._address + path, json=body, stream=True)
        assert answer.status_code == 200, answer.text
        for event in answer.iter_lines(chunk_size=1, delimiter=b'\n\n'):
            if event:
                kind, data = event.decode('utf-8').split('\n')
                assert kind != 'event: error', data
                yield time.time() - began, kind[len('event: '):], json.loads(data[len('data: '):])

    def item(self, seed):
        return self.get('/wall', first=seed, count=1, psi=0.7).json()['items'][0]['item']


class Meter:
    """Prints a row for each kind of work. process: id of the server."""

    def __init__(self, process):
        self._process = process
        print('{:34} {:>8} {:>8} {:>8} {:>10} {:>5}'.format(
            'milliseconds', 'median', '95 %', 'limit', 'processor', 'n'))

    def processor(self):
        """Processor time that the server has spent, in milliseconds."""
        fields = pathlib.Path(f'/proc/{self._process}/stat').read_text().rpartition(')')[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self):
        """Resident memory of the server in MB."""
        lines = pathlib.Path(f'/proc/{self._process}/status').read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith('VmRSS')) / 1024

    def times(self, name, work, count, limit):
        """Time `count` calls of a function of a number -> what they return."""
        spent, values, results = self.processor(), [], []
        for number in range(count):
            began = time.time()
            results.append(work(number))
            values.append(1000 * (time.time() - began))
        self.row(name, values, limit, (self.processor() - spent) / count)
        return results

    def row(self, name, values, limit, processor=None):
        spent = '' if processor is None else f'{processor:.0f}'
        print(f'{name:34} {np.median(values):8.0f} {np.percentile(values, 95):8.0f} {limit:>8} '
              f'{spent:>10} {len(values):5}', flush=True)


def measure(address, meter):
    """Print how fast each kind of request is answered, one at a time."""
    client = Client(address)
    item = client.item(3)
    meter.times('the page', lambda n: client.get('/'), 20, 3000)
    meter.times('a wall of 24', lambda n: client.get(
        '/wall', first=1000 * n + 5, count=24, psi=0.7), 20, 1000)
    meter.times("a slider's image", lambda n: client.get(
        f'/moved/{item}.png', moves=json.dumps({'pca0': n % 80 / 20}), client='1'), 200, 100)
    meter.times('neighbours in the catalogue', lambda n: client.get(
        f'/neighbours/{item}', category='', colour=0.5, count=24), 50, 50)
    edits = [(client.item(seed), *each) for seed in (3, 11, 20) for each in EDITS]
    meter.times('an edit', lambda n: list(client.events(
        '/edited', item=edits[n][0], head=edits[n][1], value=edits[n][2])), len(edits), 5000)
    texts = meter.times('a whole text', lambda n: list(client.events(
        '/described', item=item, words='', attempt=n)), 20, '')
    meter.row('the first words of it', [1000 * next(
        seconds for seconds, kind, _ in text if kind == 'words') for text in texts], 300)
    found = meter.times('a projection', lambda n: list(client.events(
        '/projected', product=n)), 5, 20000)
    gaps = []
    for events in found:
        shown = [0] + [seconds for seconds, _, facts in events if facts.get('item')]
        gaps += list(1000 * np.diff(shown))
    meter.row('between two images of it', gaps, 1000)


def search(count):
    """Print how long the search among `count` made-up products takes here, and its memory."""
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
    Meter(os.getpid()).times(f'neighbours among {count:,}', lambda n: own.nearest(
        picture, Tagger, '', 0.5, 24), 50, 50)
    print(f'its matrix: {rows.nbytes / 1e6:.0f} MB')


def use(address, number, end, times):
    """What one of many clients does until the time `end`: a bit of everything."""
    client, rng = Client(address), np.random.RandomState(number)
    item = client.item(number)
    while time.time() < end:
        step = rng.randint(40)
        if step == 0:
            client.get('/wall', first=int(rng.randint(1 << 30)), count=24, psi=0.7)
        elif step == 1:
            list(client.events('/described', item=item, words='', attempt=int(rng.randint(9))))
        elif step == 2:
            client.get(f'/neighbours/{item}', category='', colour=0.5, count=24)
        elif step == 3 and number % 5 == 0:  # goes away in the middle of it
            next(iter(client.events('/projected', product=number)))
            client = Client(address)
        else:
            began = time.time()
            client.get(f'/moved/{item}.png', client=str(number),
                       moves=json.dumps({'pca0': float(rng.rand())}))
            times.append(1000 * (time.time() - began))


def load(address, meter, clients, seconds):
    """Let many clients do everything at once; print errors, latencies and the server's memory."""
    end, errors, times = time.time() + seconds, [], []

    def one(number):
        try:
            use(address, number, end, times)
        except (AssertionError, requests.RequestException, ValueError) as error:
            errors.append(f'{number}: {error}')
    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    resident = []
    while time.time() < end:
        time.sleep(seconds / 12)
        resident.append(f'{meter.memory():.0f}')
    for thread in threads:
        thread.join()
    if times:
        meter.row(f'a slider beside {clients - 1} clients', times, '')
    print(f'memory in MB, {len(resident)} times: {" ".join(resident)}')
    print('errors:', len(errors), *errors[:5])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--address', default='http://localhost:8017')
    parser.add_argument('--process', type=int, required=True, help='id of the server')
    parser.add_argument('--clients', type=int, default=20)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--products', type=int, default=100000)
    options = parser.parse_args()
    print(f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before')
    meter = Meter(options.process)
    measure(options.address, meter)
    search(options.products)
    load(options.address, meter, options.clients, options.seconds)


if __name__ == '__main__':
    main()
