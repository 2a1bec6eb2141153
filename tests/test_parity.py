"""Our networks against the numbers recorded from the originals, within the notes' tolerances."""

import parity
import pytest

SLOW = {'synthesis128', 'scores128', 'losses', 'mixed'}  # large images, training steps


@pytest.mark.parametrize('file, compare', [
    pytest.param(*each, id=what, marks=[pytest.mark.slow] if what in SLOW else [])
    for what, *each in parity.COMPARISONS])
def test_recorded_numbers(file, compare):
    rows = parity.measure(file, compare)
    assert rows
    for row in rows:
        assert row.error <= row.tolerance, row


def test_every_recorded_file_is_compared_or_read_by_a_test():
    """What is in tests/data costs every clone its size."""
    compared = {file for _, file, _ in parity.COMPARISONS}
    sources = ''.join(path.read_text(encoding='utf-8')
                      for path in parity.DATA.parent.glob('**/*.py'))
    unused = [path.name for path in parity.DATA.glob('*/*')
              if path.relative_to(parity.DATA).as_posix() not in compared
              and path.name not in sources]
    assert not unused
    size = sum(path.stat().st_size for path in parity.DATA.glob('**/*') if path.is_file())
    assert size <= 8e6


def test_the_table_says_what_is_too_far():
    rows = [['a', 1e-6, 1e-5], ['b', 0.5, 0.1]]
    text = parity.table({'tf1': rows, 'tf2': [['a', 2e-6, 1e-5], ['b', 0.05, 0.1]]}).split('\n')
    assert text[0].split() == ['quantity', 'tolerance', 'tf1', 'tf2']
    assert text[1].split() == ['a', '1e-05', '1e-06', '2e-06']
    assert text[2].split() == ['b', '0.1', '0.5', '0.05', 'TOO', 'FAR']
