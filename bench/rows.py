"""All rows of the benchmark by name."""

from bench import machine, pictures, texts

ROWS = dict(machine.ROWS, **pictures.ROWS, **texts.ROWS)
