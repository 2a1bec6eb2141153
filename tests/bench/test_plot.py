"""The chart of growth has a panel for each kind of row that was measured."""

import json

import pytest

from bench import plot
from dnnlib import chart
from dnnlib.files import UserError


def _write(path, *lines):
    path.write_text(''.join(json.dumps(dict(zip(('name', 'variant', 'value', 'memory_mib'), line)))
                            + '\n' for line in lines))
    return path


def test_the_last_measurement_counts(tmp_path):
    path = _write(tmp_path / 'bench.jsonl', ('text-8', '', 1, 1), ('text-8', '', 2, 1))
    assert plot.latest(path)['text-8', '']['value'] == 2


@pytest.mark.parametrize('lines, panels', [
    ([('growth-64', 'batch 1', 20, 500), ('growth-256', 'batch 1', 2, 900),
      ('growth-64', 'batch 16', 30, 800)], 2),
    ([('text-1', '', 20, 500), ('text-64', '', 200, 900)], 1),
    ([('growth-128', 'batch 4', 20, 500), ('text-8', '', 20, 500)], 3)])
def test_a_panel_for_each_kind_of_row(tmp_path, lines, panels):
    drawn = plot.draw(plot.latest(_write(tmp_path / 'bench.jsonl', *lines)))
    assert drawn.shape == (panels * chart.HEIGHT, chart.WIDTH, 3)
    for panel in drawn.reshape(panels, -1, 3):  # each has a line, or a dot at least
        assert any((panel == colour).all(-1).any() for colour in chart.COLOURS[:3])


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(UserError, match='is missing; measure rows first'):
        plot.latest(tmp_path / 'bench.jsonl')
    with pytest.raises(UserError, match=r'no row named growth-\.\.\. or text-\.\.\.'):
        plot.draw(plot.latest(_write(tmp_path / 'bench.jsonl', ('step-64', '', 1, 1))))
