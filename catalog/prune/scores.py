"""The scores of every image of a catalogue, measured once and cached in a file.

`scores.jsonl` has one line per image. A stopped run is resumed from it, and a rerun measures only
images that are new or have changed.
"""

import base64
import json
import os

import numpy as np

from catalog.prune import measure
from dnnlib import images, progress

_VERSION = 4        # of the scores; images with another version are measured again
_KEYS = {'image', 'stamp', 'width', 'height', 'scores', 'error', 'thumbnail'}
_DRAFT = 192        # px: JPEGs are decoded at a reduced size of at least this


def _measured(path):
    """The record of an image file, without name and stamp, see `of`."""
    try:
        picture, (width, height) = images.open_sized(path, draft=_DRAFT)
    except images.Unreadable as error:
        return {'width': 0, 'height': 0, 'scores': {}, 'thumbnail': '', 'error': error.reason}
    pixels = base64.b64encode(measure.thumbnail(picture).tobytes()).decode('ascii')
    return {'width': width, 'height': height, 'scores': measure.measure(picture), 'error': '',
            'thumbnail': pixels}


def _stamp(path):
    """Identifies the state of an image file: [version of the scores, bytes, modification time]."""
    try:
        stat = os.stat(str(path))
    except OSError:  # a link without a target
        return [_VERSION, 0, 0]
    return [_VERSION, stat.st_size, stat.st_mtime_ns]


def _cached(path):
    """The records of earlier runs by image; damaged lines are ignored."""
    text = path.read_text(encoding='utf-8', errors='replace') if path.is_file() else ''
    records = {}
    for line in text.split('\n'):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and set(record) == _KEYS:
            records[record['image']] = record
    return records


def thumbnails(records):
    """The thumbnails of readable records: uint8 [n, h, w, 3]."""
    data = b''.join(base64.b64decode(record['thumbnail']) for record in records)
    return np.frombuffer(data, np.uint8).reshape((-1,) + measure.THUMBNAIL_SHAPE)


def of(products, path):
    """A record (dict) of each product, in order; cached in the file at `path`.

    Its keys: image, the product's name; width and height in px, upright, 0 if unreadable; scores,
    of `measure.measure`, {} if unreadable; error, why it is unreadable, otherwise ''.
    """
    known = _cached(path)
    stamps = {product.name: _stamp(product.image) for product in products}
    todo = {product.name: product.image for product in products
            if known.get(product.name, {}).get('stamp') != stamps[product.name]}
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whether a killed process left the last line incomplete.
    incomplete = path.is_file() and path.read_bytes()[-1:] not in (b'', b'\n')
    with progress.parallel(_measured, todo.values(), what='measuring', unit='image') as results, \
            open(str(path), 'a', encoding='utf-8') as cache:
        cache.write('\n' * incomplete)
        for result, name in zip(results, todo):  # results first, so that their progress bar ends
            known[name] = dict(image=name, stamp=stamps[name], **result)
            cache.write(json.dumps(known[name]) + '\n')
    return [known[product.name] for product in products]
