"""A figure over the length of a training, drawn as a plain line chart."""

from dnnlib.chart import COLOURS, Chart, LEFT, ticks
from dnnlib.files import UserError

_MOST = 2  # figures on one chart


def plot(points, names=('swd',)):
    """Figures of a training by its length, as uint8 [400, 800, 3].

    points: list of dicts as in progress.jsonl, with 'kimg' and the figures, numbers; those that
            lack a figure are passed over, and at a change of 'resolution' its line is broken.
    names:  one or two figures, drawn on a common axis that begins at 0 or below.
    Raises UserError if none of the points has any of the figures.
    """
    assert 0 < len(names) <= _MOST, names
    series = [[point for point in points if name in point] for name in names]
    values = [point[name] for name, known in zip(names, series) for point in known]
    if not values:
        raise UserError(f"no point of this training has {' or '.join(names)}")
    chart = Chart(ticks(0, max(point['kimg'] for known in series for point in known)),
                  ticks(min(0, min(values)), max(values)), 'thousand real pictures shown')
    for place, (name, known, colour) in enumerate(zip(names, series, COLOURS)):
        spots = [(point['kimg'], point[name]) for point in known]
        for spot, nxt, one, two in zip(spots, spots[1:], known, known[1:]):
            if one.get('resolution') == two.get('resolution'):
                chart.line([spot, nxt], colour)
        chart.dots(spots, colour)
        chart.text((LEFT + 150 * place, 10), name, 0, colour)
    return chart.picture()
