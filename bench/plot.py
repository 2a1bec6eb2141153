"""How cost grows with resolution and batch size, drawn from measured rows."""

import json

import numpy as np

from dnnlib.chart import COLOURS, Chart, ticks
from dnnlib.files import UserError

_BATCHES, _TEXTS = (1, 4, 16), (1, 2, 4, 8, 16, 32, 64)


def latest(path):
    """The last measurement of each row and variant in a file of JSON lines.

    -> {(name, variant): dict}. Raises UserError if the file is missing.
    """
    if not path.exists():
        raise UserError(f'{path} is missing; measure rows first, such as: python run.py bench '
                        'growth-64 growth-128')
    lines = map(json.loads, path.read_text(encoding='utf-8').splitlines())
    return {(line['name'], line['variant']): line for line in lines}


def _chart(title, x_title, lines):
    """lines: name -> [(x, y)], x a power of two. -> uint8 [h, w, 3], or None without points."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return None
    powers = list(range(*np.log2([min(points)[0], 2 * max(points)[0]]).astype(int)))
    powers = powers if len(powers) > 1 else powers + [powers[0] + 1]
    chart = Chart(powers, ticks(0, max(y for _, y in points)), x_title,
                  names=[str(2 ** power) for power in powers])
    chart.text((70, 8), title)
    for index, (name, line) in enumerate(lines.items()):
        colour, line = COLOURS[index], [(np.log2(x), y) for x, y in line]
        chart.line(line, colour)
        chart.dots(line, colour)
        if len(lines) > 1:
            chart.text((500 + 90 * index, 8), name, fill=colour)
    return chart.picture()


def draw(measured):
    """Charts of what `latest` returned, one below the other -> uint8 [h, 800, 3].

    Raises UserError if no row of them has been measured.
    """
    def images(value):
        return {f'batch {batch}': [
            (res, value(line)) for res in (64, 128, 256, 512, 1024)
            for line in [measured.get((f'growth-{res}', f'batch {batch}'))] if line]
            for batch in _BATCHES}
    texts = {variant or 'fp32': [(count, measured[f'text-{count}', variant]['value'])
                                 for count in _TEXTS if (f'text-{count}', variant) in measured]
             for variant in ('', 'int8')}
    charts = [
        _chart('Images drawn: seconds for each', 'resolution, pixels',
               images(lambda line: 1 / line['value'])),
        _chart('Memory of drawing, GiB', 'resolution, pixels',
               images(lambda line: line['memory_mib'] / 1024)),
        _chart('Texts: tokens per second', 'texts sampled at a time', texts)]
    charts = [chart for chart in charts if chart is not None]
    if not charts:
        raise UserError('no row named growth-... or text-... has been measured here')
    return np.concatenate(charts)
