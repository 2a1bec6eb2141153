"""A conversation ends with an empty line, and a mistake does not end it."""

import io

from dnnlib.files import UserError
from gpt2 import write


def _answer(prompt, seed):
    if prompt == 'bad':
        raise UserError('no such thing')
    return '%s %d\n' % (prompt, seed)


def test_every_line_is_answered_until_an_empty_one(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\nbad\n blue \n\nnever\n'))
    write.converse(_answer, 5, 2)
    out, err = capsys.readouterr()
    assert out == 'red 5\nblue 9\n' and err == 'error: no such thing\n'


def test_it_ends_with_the_input(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\n'))
    write.converse(_answer, 0, 1)
    assert capsys.readouterr().out == 'red 0\n'
