"""Prompt after prompt at a terminal."""

import sys

from dnnlib.files import UserError


def converse(answer, seed, step):
    """Print an answer to every line of the standard input, until an empty one or its end.

    answer: function (prompt, seed) -> text; the seed begins at `seed` and moves on by `step`.
    A UserError is shown, and the next prompt may do better.
    """
    while True:
        try:
            prompt = input('prompt> ' if sys.stdin.isatty() else '').strip()
        except EOFError:
            return
        if not prompt:
            return
        try:
            print(answer(prompt, seed), end='', flush=True)
        except UserError as error:
            print(f'error: {error}', file=sys.stderr)
        seed += step
