"""The scores of every picture of a catalogue, measured once and remembered in a file.

`scores.jsonl` has one line a picture. A run that was stopped continues there, and a rerun with
other thresholds measures only what is new or has changed.
"""

import base64
import json
from multiprocessing.pool import ThreadPool

import numpy as np
from PIL import Image

from catalog.prune import measure
from dnnlib import images, progress

_VERSION = 2        # of the measures; lines of another one are measured again
_DRAFT = 192        # px: a JPEG need not be decoded finer to be measured
_THREADS = 2        # decoding and numpy leave the interpreter free for the other


def _measured(path):
    """width, height, scores and thumbnail of a picture file; width 0 if it cannot be read."""
    try:
        picture = images.open_rgb(path, draft=_DRAFT)
    except images.Unreadable:
        return {'width': 0, 'height': 0, 'scores': {}, 'twin': ''}
    with Image.open(str(path)) as header:  # the size before the draft
        width, height = header.size
    if (picture.width > picture.height) != (width > height):  # its EXIF orientation lays it over
        width, height = height, width
    pixels = base64.b64encode(measure.twin(picture).tobytes()).decode('ascii')
    return {'width': width, 'height': height, 'scores': measure.measure(picture), 'twin': pixels}


def _stamp(path):
    """What tells one state of a picture file from another."""
    stat = path.stat()
    return [_VERSION, stat.st_size, stat.st_mtime_ns]


def _remembered(path):
    """The records of earlier runs by image; a line that a kill cut off does not count."""
    records = {}
    for line in path.read_text(encoding='utf-8').split('\n') if path.is_file() else []:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        records[record['image']] = record
    return records


def thumbnails(records):
    """The thumbnails of some readable records, for finding duplicates: uint8 [n, h, w, 3]."""
    data = b''.join(base64.b64decode(record['twin']) for record in records)
    return np.frombuffer(data, np.uint8).reshape((-1,) + measure.TWIN_SHAPE)


def of(products, path):
    """One record (dict) for each product, in order; remembered in the file at `path`.

    Its keys: image, the product's name; width and height in px, upright, 0 if the picture is
    unreadable; scores, a dict as `measure.measure` returns it, empty if unreadable.
    """
    known = _remembered(path)
    stamps = {product.name: _stamp(product.image) for product in products}
    todo = {product.name: product.image for product in products
            if known.get(product.name, {}).get('stamp') != stamps[product.name]}
    path.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPool(_THREADS) as pool, open(str(path), 'a', encoding='utf-8') as memory:
        memory.write('\n')  # ends a line that a kill cut off
        results = pool.imap(_measured, todo.values())
        results = progress.bar(results, what='measuring', total=len(todo), unit='picture')
        for name, result in zip(todo, results):
            known[name] = dict(image=name, stamp=stamps[name], **result)
            memory.write(json.dumps(known[name]) + '\n')
    return [known[product.name] for product in products]
