"""Odd photos and tables, nearly a hundred: each is read or is a line of the report, never the end.

Photos lie in one folder with good ones and are pruned together; each table is read by itself.
"""

import csv
import io
import os
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from catalog import source
from catalog.prune import decisions, rules
from dnnlib import images
from dnnlib.files import UserError

POSTSCRIPT = (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n'
              b'(started) print showpage\n%%EOF\n')


def picture(mode='RGB', size=(48, 64)):
    """A small photo of many colours."""
    y, x = np.mgrid[:size[1], :size[0]]
    rgb = np.stack([3 * x % 256, 2 * y % 256, (x + y) % 256], -1).astype(np.uint8)
    if mode == 'I;16':
        return Image.fromarray(rgb[..., 0].astype(np.uint16) * 257)
    if mode == 'F':
        return Image.fromarray(rgb[..., 0].astype(np.float32))
    return Image.fromarray(rgb).convert(mode)


def encoded(kind='JPEG', mode='RGB', size=(48, 64), **more):
    stream = io.BytesIO()
    picture(mode, size).save(stream, format=kind, **more)
    return stream.getvalue()


def png(width, height, *chunks):
    """A PNG file of given header and further chunks (name, data), with valid checksums."""
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
        for name, data in ((b'IHDR', header),) + chunks)


def readable():
    """File name -> bytes of photos that must be read."""
    jpeg, exif = encoded(), Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    frames = {'save_all': True, 'append_images': [picture('L').convert('RGB')]}
    found = dict.fromkeys((
        'good.jpg', 'b.jpeg', 'b.jpe', 'b.jfif', 'B.JPG', 'no suffix', 'b.photo', 'a b.jpg',
        "quote'd\".jpg", 'new\nline.jpg', '\x1b[31mred.jpg', 'dress-👗.jpg', '-rf.jpg',
        'x' * 200 + '.jpg', '100%.jpg', 'b,c;d.jpg', '=1+1.jpg'), jpeg)
    found.update({f'mode-{mode}.png'.replace(';', ''): encoded('PNG', mode)
                  for mode in ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16')})
    found.update({f'mode-{mode}.tif'.replace(';', ''): encoded('TIFF', mode)
                  for mode in ('L', 'RGB', 'RGBA', 'CMYK', 'I;16', 'F')})
    found.update({
        'grey.jpg': encoded(mode='L'), 'cmyk.jpg': encoded(mode='CMYK'),
        'progressive.jpg': encoded(progressive=True), 'turned.jpg': encoded(exif=exif.tobytes()),
        'broken-exif.jpg': encoded(exif=b'Exif\0\0II*\0\xff\xff\xff\xff'),
        'srgb.jpg': encoded(icc_profile=profile), 'cut-icc.jpg': encoded(icc_profile=profile[:200]),
        'junk-icc.png': encoded('PNG', icc_profile=b'junk' * 50),
        'rgb-icc.jpg': encoded(mode='L', icc_profile=profile),
        'png.jpg': encoded('PNG'), 'jpg.png': jpeg, 'webp.jpg': encoded('WEBP'),
        'a.gif': encoded('GIF', 'P'), 'a.bmp': encoded('BMP'), 'a.webp': encoded('WEBP'),
        'moving.gif': encoded('GIF', **frames), 'moving.webp': encoded('WEBP', **frames),
        'pages.tif': encoded('TIFF', **frames), 'lzw.tif': encoded('TIFF', compression='tiff_lzw'),
        'two.mpo.jpg': encoded('MPO', **frames), 'trailing.jpg': jpeg + b'<html>' * 9,
        'pixel.png': encoded('PNG', size=(1, 1)), 'strip.png': encoded('PNG', size=(1, 900))})
    if 'AVIF' in images.FORMATS:
        found.update({'a.avif': encoded('AVIF'), 'avif.jpg': encoded('AVIF')})
    return found


def unreadable():
    """File name -> bytes of files that are meant as photos, but cannot be read."""
    jpeg, whole = encoded(), encoded('PNG')
    return {
        'empty.jpg': b'', 'page.jpg': b'<!DOCTYPE html><title>404</title>', 'text.png': b'photo\n',
        'nul.jpg': bytes(1000), 'noise.jpg': np.random.RandomState(1).bytes(3000),
        'cut.jpg': jpeg[:len(jpeg) // 2], 'head.jpg': jpeg[:4], 'cut.png': whole[:len(whole) // 2],
        'cut.webp': encoded('WEBP')[:60], 'cut.gif': encoded('GIF', 'P')[:20],
        'cut.tif': encoded('TIFF')[:50], 'cut.bmp': encoded('BMP')[:60],
        'checksum.png': whole[:20] + b'\xff' + whole[21:],
        'bomb.png': png(100000, 100000, (b'IDAT', zlib.compress(bytes(1000)))),
        'large.png': png(11000, 11000, (b'IDAT', zlib.compress(bytes(1000)))),
        'wide.gif': b'GIF89a\xff\xff\xff\xff\x80\0\0' + bytes(6) + b',\0\0\0\0\xff\xff\xff\xff\0',
        'no-pixels.png': png(9, 9, (b'IEND', b'')), 'zero.png': png(0, 9),
        'loop.tif': b'II*\0\x08\0\0\0\0\0\x08\0\0\0',
        'script.jpg': POSTSCRIPT, 'script.png': b'\xc5\xd0\xd3\xc6' + bytes(28) + POSTSCRIPT,
        'paper.jpg': b'%PDF-1.4\n', 'vector.png': b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        'archive.jpg': b'PK\3\4' + bytes(40), 'icon.png': encoded('ICO', size=(16, 16)),
        'old.ppm': encoded('PPM'), 'ppm.jpg': encoded('PPM'), 'apple.heic': b'\0\0\0\x18ftypheic',
        'phone.dng': b'II*\0', 'j2k.jpg': b'\0\0\0\x0cjP  \r\n\x87\n'}


def special(folder):
    """Make what is no regular file under the names of photos -> these names."""
    os.mkfifo(str(folder / 'fifo.jpg'))
    os.symlink('/nowhere/object', str(folder / 'dangling.jpg'))
    os.symlink('circle.jpg', str(folder / 'circle.jpg'))
    os.symlink('/dev/zero', str(folder / 'device.jpg'))
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(str(folder))  # the name of a socket is short
    try:
        listener.bind('socket.jpg')
    finally:
        os.chdir(here)
        listener.close()
    return ['fifo.jpg', 'dangling.jpg', 'circle.jpg', 'device.jpg', 'socket.jpg']


def test_one_bad_photo_never_ends_a_run(tmp_path, monkeypatch, capsys):
    folder, tools = tmp_path / 'photos', tmp_path / 'tools'
    folder.mkdir()
    tools.mkdir()
    (tools / 'gs').write_text(f'#!/bin/sh\ntouch {tmp_path}/started\n')
    (tools / 'gs').chmod(0o755)
    monkeypatch.setenv('PATH', str(tools), prepend=os.pathsep)
    good, bad = readable(), unreadable()
    for name, data in dict(good, **bad).items():
        (folder / name).write_bytes(data)
    with open(os.fsencode(str(folder)) + b'/robe-\xe9t\xe9.jpg', 'wb') as stream:
        stream.write(encoded())
    bad.update(dict.fromkeys(special(folder)))
    (folder / 'folder.jpg').mkdir()
    (folder / 'notes.txt').write_text('no photo')
    counts = rules.prune(folder, tmp_path / 'out', rules.Prune(min_side=1))
    with open(str(tmp_path / 'out' / 'prune.csv'), newline='', encoding='utf-8') as stream:
        rows = {row['image']: row for row in csv.DictReader(stream)}
    for name in ('=1+1.jpg', '-rf.jpg'):  # formulas to a spreadsheet
        rows[name] = rows.pop('./' + name)
    assert {name for name, row in rows.items() if row['rule'] == 'unreadable'} == set(bad)
    assert all(row['error'] for row in rows.values() if row['rule'] == 'unreadable')
    names = {name.replace('\n', '\\n').replace('\x1b', '\\x1b') for name in good}
    assert set(rows) - set(bad) == names | {'robe-\\udce9t\\udce9.jpg'}
    assert not any(rows[name]['error'] for name in names)
    assert sum(counts.values()) == len(rows) and counts['unreadable'] == len(bad)
    printed, = capsys.readouterr().out.splitlines()
    assert printed.startswith(f'{len(bad)} of {len(rows)} images cannot be read, the first: ')
    assert not (tmp_path / 'started').exists()  # no program was run
    assert set(decisions.kept(tmp_path / 'out')) == set(rows)


def test_special_files_end_no_training_set(tmp_path, capsys):
    (tmp_path / 'good.jpg').write_bytes(encoded())
    names = ['good.jpg'] + special(tmp_path)
    found = list(images.readable([tmp_path / name for name in names]))
    assert [index for index, _ in found] == [0]
    assert '5 of 6 images cannot be read and are left out, the first: ' in capsys.readouterr().out


TABLES = {
    'comma.csv': b'description,colour\nA.,red\nB.,blue\n',
    'semicolon.csv': b'description;colour\r\nA.;red\r\nB.;blue\r\n',
    'tab.csv': b'description\tcolour\nA.\tred\nB.\tblue\n',
    'sep.csv': b'sep=;\r\ndescription;colour\r\nA.;red\r\nB.;blue\r\n',
    'quoted-sep.csv': b'"sep=,"\ndescription,colour\nA.,red\nB.,blue\n',
    'mark.csv': '\ufeffdescription,colour\nA.,red\nB.,blue\n'.encode('utf-8'),
    'utf16.csv': 'description\tcolour\r\nA.\tred\r\nB.\tblue\r\n'.encode('utf-16'),
    'utf16-be.csv': b'\xfe\xff' + 'description,colour\nA.,red\nB.,blue\n'.encode('utf-16-be'),
    'blank-first.csv': b'\n\r\n  \ndescription,colour\nA.,red\nB.,blue\n',
    'blank-between.csv': b'description,colour\n\nA.,red\n,\n\nB.,blue\n\n',
    'quoted.csv': b'"description","colour, in English; or not"\n"A.","red"\n"B.","blue"\n',
    'spaces.csv': b' description , colour \n A. , red \nB.,blue\n',
    'mac.csv': b'description,colour\rA.,red\rB.,blue\r',
    'short-rows.csv': b'description,colour,hem\nA.\nB.,blue\n',
    'empty-cells.csv': b'description,colour\nA.,red,,,\nB.,blue,\n',
    'no-end.csv': b'description,colour\nA.,red\nB.,blue',
    'missing.csv': b'description,colour\nA.,red\nnan,x\nNaN,x\nNULL,x\nNone,x\nN/A,x\n<NA>,\nB.,\n',
    'wide.csv': b'description,' + b','.join(b'c%d' % i for i in range(1500)) + b'\nA.\nB.\n',
    'plain.jsonl': b'{"description": "A."}\n{"description": "B."}\n',
    'missing.jsonl': b'{"description": NaN}\n{"description": "A."}\n{"description": null}\n'
                     b'{"description": Infinity}\n{}\n{"description": "B.", "size": -Infinity}\n',
    'digits.jsonl': b'{"description": "A.", "size": %s}\n{"description": "B."}\n' % (b'9' * 99999),
    'exponent.jsonl': b'{"description": "A.", "size": 1e999}\n{"description": "B."}\n',
    'utf16.jsonl': '{"description": "A."}\n{"description": "B."}\n'.encode('utf-16'),
    'lines.txt': b'A.\n\nNaN\nB.\n', 'marked.txt': b'A.<|endoftext|>B.<|endoftext|>'}

REFUSED = {
    'latin.csv': (b'description\nA.\nd\xe9t\xe9\n', 'line 3 is not UTF-8'),
    'utf16-cut.csv': (b'\xff\xfed\0e', 'line 1 is not UTF-16'),
    'utf16-bare.csv': ('description\nA.\n'.encode('utf-16-le'), 'line 1 has a NUL'),
    'nul.csv': (b'description\nA.\nB\0\n', 'line 3 has a NUL'),
    'more.csv': (b'description,colour\nA.,red\n"B\nB",blue,x\n', 'line 3 has more cells'),
    'sep-more.csv': (b'sep=;\n\ndescription;colour\nA.;red\nB.;blue;x\n', 'line 5 has more cells'),
    'quote.csv': (b'description,colour\nA.,red\nB.,blue\n"x" y,green\n', 'line 4 is not CSV'),
    'open.csv': (b'description\nA.\n"B\nC\n', 'line 3 is not CSV'),
    'twice.csv': (b'description,description\nA.,B.\n', "two columns 'description'"),
    'column.csv': (b'text\nA.\n', "no column 'description'; .*; its columns are: text"),
    'empty.csv': (b'', 'its columns are: none'),
    'only-missing.csv': (b'description\nnan\nNULL\n', 'no descriptions'),
    'columns.csv': (b'description' + b',' * 10 ** 5 + b'\n', '100001 columns'),
    'cells.csv': (b'description,' + b','.join(b'c%d' % i for i in range(1999)) + b'\nA' * 30000,
                  'more than 25000 rows of 2000 columns'),
    'deep.jsonl': (b'{"description": ' + b'[' * 10 ** 5, 'line 1 is not JSON'),
    'deep-object.jsonl': (b'{"a":' * 10 ** 5, 'line 1 is not JSON'),
    'list.jsonl': (b'["A."]\n', 'line 1 is not an object'),
    'array.jsonl': (b'[{"description": "A."}]\n', 'line 1 is not an object'),
    'pretty.jsonl': (b'{\n  "description": "A."\n}\n', 'line 1 is not JSON'),
    'cell.jsonl': (b'{"description": {"de": "A."}}\n', 'line 1'),
    'nul.jsonl': (b'{"description": "A."}\n{"description": "\0"}\n', 'line 2 has a NUL'),
    'long.jsonl': (b'{"description": "A.", "x": "' + b'y' * 2 ** 24 + b'"}\n', 'line 1 has 1'),
    'blank.txt': (b'\n\n', 'no product')}


def descriptions(path):
    return [product.description for product in source.with_texts(source.read(path), path)]


@pytest.mark.parametrize('name', sorted(TABLES))
def test_odd_tables_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(TABLES[name])
    assert descriptions(tmp_path / name) == ['A.', 'B.']


@pytest.mark.parametrize('name', sorted(REFUSED))
def test_other_tables_are_refused_by_file_and_line(tmp_path, name):
    data, words = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        descriptions(tmp_path / name)
    assert name in str(caught.value) and '\n' not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_there_are_many():
    assert len(readable()) + len(unreadable()) + len(TABLES) + len(REFUSED) >= 120
