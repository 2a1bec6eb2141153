"""All rows of the benchmark by name."""

from bench import machine, pictures

ROWS = dict(machine.ROWS, **pictures.ROWS)
