"""UTF-8 text files, and the documents in a plain `.txt`.

A `.txt` holds one document a line. One that holds the mark `<|endoftext|>`, as files made for GPT-2
do, is cut at the marks instead, and a document's own line breaks are kept.
"""

import pathlib

from dnnlib.files import UserError

_END_OF_TEXT = '<|endoftext|>'


def _line(data, place):
    """The number of the line, from 1, in which byte `place` of `data` stands."""
    before = data[:place].replace(b'\r\n', b'\n').replace(b'\r', b'\n')
    return before.count(b'\n') + 1


def read(path):
    """The text of a UTF-8 file: line ends as '\\n', no byte order marks.

    Raises UserError, which names file and line, for anything that is not UTF-8 and for a NUL.
    """
    data = pathlib.Path(path).read_bytes()
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError as error:
        raise UserError('%s line %d is not UTF-8 text (byte %d of the file); save it as "UTF-8" or '
                        '"CSV UTF-8"' % (path, _line(data, error.start), error.start))
    if '\0' in text:
        raise UserError('%s line %d holds a NUL, which no text does; save the file as "UTF-8" or '
                        'delete the NUL' % (path, _line(data, data.index(b'\0'))))
    # Files put one behind another have such a mark at each seam.
    return text.replace('\ufeff', '').replace('\r\n', '\n').replace('\r', '\n')


def documents(path):
    """The documents of a `.txt`, without white space around them: a list of str, none empty.

    Raises UserError as `read` does.
    """
    text = read(path)
    parts = text.split(_END_OF_TEXT if _END_OF_TEXT in text else '\n')
    return [part.strip() for part in parts if part.strip()]
