"""The manifest is complete and says the known facts; an item's files come together and are used."""

import hashlib
import io
import pathlib
import re
import tarfile

import pytest
import toy_server
from toy_server import BODY, whole

from dnnlib import files
from dnnlib.fetch import manifest
from dnnlib.files import UserError

DOWNLOADS = manifest.read(pathlib.Path(__file__).parents[3] / 'downloads.json')
GPT2 = {  # name: (bytes, sha256), as several independent projects give them
    'checkpoint': (77, 'dd1b025d2e155283f5e300ce95bf6d5b6bc0f7fe010db73daa6975eb896ab9cb'),
    'encoder.json': (
        1042301, '196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783'),
    'hparams.json': (90, 'd9d56e4121c427164e0c55c6f03c08e1daf9002b9b672825112d19097b680318'),
    'model.ckpt.data-00000-of-00001': (
        497759232, '2060c885360cc0cf41d7a6dbc4d24b5127aae20260c8b5ae521b5a6578407118'),
    'model.ckpt.index': (5215, '71916f763f9746f9b2a06b12d91996cf1084ae008d0424543d39391c5f2dc687'),
    'model.ckpt.meta': (
        471155, '4668c448fa11531fd6700460487f73e82d3272960cea942252f8744bf225c77b'),
    'vocab.bpe': (456318, '1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5')}


# --- The project's manifest.

def test_everything_that_is_promised_is_there():
    assert list(DOWNLOADS) == [
        'gpt2-124M', 'stylegan-ffhq-1024', 'stylegan-celebahq-1024', 'stylegan-bedrooms-256',
        'stylegan-cars-512', 'stylegan-cats-256', 'stylegan-anime-512', 'inception-2015',
        'clothing']


@pytest.mark.parametrize('item', DOWNLOADS.values(), ids=list(DOWNLOADS))
def test_items_are_complete(item):
    assert item.about and item.licence and '--from-file' in item.by_hand and item.files
    assert item.check == ('stylegan' if item.name.startswith('stylegan-') else '')
    assert len(item.files) == 1 or not item.unpack
    for file in item.files:
        assert re.fullmatch(r'\w[\w.-]*', file.name)
        assert file.bytes is None or (type(file.bytes) is int and file.bytes > 0)
        assert file.sha256 is None or re.fullmatch('[0-9a-f]{64}', file.sha256)
        assert all(re.fullmatch(r'https?://\S+', url) for url in file.mirrors)
        assert file.mirrors or 'https://' in item.by_hand


def test_only_one_address_is_not_encrypted_and_it_comes_last():
    plain = [(file, url) for item in DOWNLOADS.values() for file in item.files
             for url in file.mirrors if not url.startswith('https://')]
    assert [url for _, url in plain] == [
        'http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz']
    assert all(url == file.mirrors[-1] != file.mirrors[0] for file, url in plain)


def test_the_hashes_of_gpt2_are_the_known_ones():
    assert {file.name: (file.bytes, file.sha256)
            for file in DOWNLOADS['gpt2-124M'].files} == GPT2


def test_a_small_file_of_gpt2_has_its_hash():
    text = (b'{\n  "n_vocab": 50257,\n  "n_ctx": 1024,\n  "n_embd": 768,\n  "n_head": 12,\n'
            b'  "n_layer": 12\n}\n')
    assert (len(text), hashlib.sha256(text).hexdigest()) == GPT2['hparams.json']


def test_the_table_fits_and_names_every_item():
    lines = manifest.table(DOWNLOADS).split('\n')
    assert max(len(line) for line in lines) <= 100
    assert [line.split()[0] for line in lines if line[0] != ' '] == ['name'] + list(DOWNLOADS)
    assert 'sha256' in lines[1] and '500 MB' in lines[1]
    assert next(line for line in lines if 'by hand' in line).startswith('stylegan-anime-512')


# --- Any manifest.

def test_unknown_names_are_refused_with_the_known_ones():
    assert [item.name for item in manifest.choose(DOWNLOADS, ['clothing'])] == ['clothing']
    for names in (['clothing', 'stylegan'], []):
        with pytest.raises(UserError, match='known are: gpt2-124M, stylegan-ffhq-1024, '):
            manifest.choose(DOWNLOADS, names)


@pytest.mark.parametrize('change', [{'licence': None}, {'mirror': 'x'}, {'files': [{'name': 'a'}]},
                                    {'files': 5}, {'files': [5]}])
def test_a_mistake_in_a_manifest_names_the_item(tmp_path, change):
    item = dict({'about': 'a', 'licence': 'b', 'by_hand': 'c', 'files': []}, **change)
    item = {name: value for name, value in item.items() if value is not None}
    files.write_json(tmp_path / 'a.json', {'thing': item})
    with pytest.raises(UserError, match=r'a.json: the item thing is incomplete or wrong'):
        manifest.read(tmp_path / 'a.json')


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    with toy_server.running() as running:
        yield running


def _item(files, **more):
    return manifest.Item('thing', 'a thing', 'CC0', 'write to its author', tuple(files), **more)


def _file(name, *mirrors, body=BODY, known=True):
    return manifest.File(name, len(body) if known else None,
                         hashlib.sha256(body).hexdigest() if known else None, mirrors)


def _get(item, folder, **more):
    return list(manifest.get(item, folder, pause=0, **more))


def test_all_files_of_an_item_are_downloaded(server, tmp_path):
    item = _item([_file('a', server.route('/a', whole())),
                  _file('b', server.route('/b', whole(b'bb')), body=b'bb', known=False)],
                 next='python run.py use {folder}')
    folder = tmp_path / 'thing'
    lines = _get(item, folder)
    assert lines[0] == f"{folder / 'a'}: downloaded, verified"
    assert 'b: downloaded, verified as the first copy' in lines[1]
    assert lines[2] == 'thing: a thing; licence: CC0'
    assert lines[3] == f'now try: python run.py use {folder}'
    assert (folder / 'a').read_bytes() == BODY and (folder / 'b').read_bytes() == b'bb'
    assert ['already there, verified' in line for line in _get(item, folder)[:2]] == [True] * 2
    assert len(server.asked) == 2


def test_what_no_mirror_gives_is_explained(server, tmp_path):
    for mirrors in ([], [server.route('/a', whole(b'', 404))]):
        with pytest.raises(UserError, match=r'a (has no address|.*404).*; by hand: write to its'):
            _get(_item([_file('a', *mirrors)]), tmp_path)


def test_one_file_is_brought_by_its_path_or_folder(tmp_path):
    (tmp_path / 'uc').write_bytes(BODY)
    (tmp_path / 'a').write_bytes(BODY)
    for out, given in (('one', tmp_path / 'uc'), ('two', tmp_path)):
        lines = _get(_item([_file('a')]), tmp_path / out, from_file=given)
        assert lines[0].endswith('a: copied, verified')
        assert (tmp_path / out / 'a').read_bytes() == BODY


def test_several_files_are_brought_by_their_folder(tmp_path):
    item = _item([_file('a'), _file('b', body=b'bb')])
    (tmp_path / 'a').write_bytes(BODY)
    with pytest.raises(UserError, match=r'one file and thing has 2; put .* one folder.*: a, b'):
        _get(item, tmp_path / 'out', from_file=tmp_path / 'a')
    with pytest.raises(UserError, match='b does not exist'):
        _get(item, tmp_path / 'out', from_file=tmp_path)
    (tmp_path / 'b').write_bytes(b'bb')
    lines = _get(item, tmp_path / 'out', from_file=tmp_path)
    assert 'already there' in lines[0] and 'copied' in lines[1]


def test_the_check_sees_the_file(tmp_path):
    def check(path):
        if path.read_bytes() == b'bad':
            raise UserError('no network')
    (tmp_path / 'bad').write_bytes(b'bad')
    (tmp_path / 'good').write_bytes(b'good')
    item = _item([_file('a', known=False)])
    with pytest.raises(UserError, match='no network'):
        _get(item, tmp_path / 'out', from_file=tmp_path / 'bad', check=check)
    assert _get(item, tmp_path / 'out', from_file=tmp_path / 'good', check=check)


def _archive():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w:gz') as archive:
        member = tarfile.TarInfo('set-master/train/dress/a.jpg')
        member.size = 3
        archive.addfile(member, io.BytesIO(b'abc'))
    return data.getvalue()


def test_an_archive_is_unpacked_once(server, tmp_path):
    archive = _archive()
    item = _item([_file('a.tar.gz', server.route('/a', whole(archive)), known=False)],
                 unpack='photos')
    assert _get(item, tmp_path)[1] == f"{tmp_path / 'photos'}: unpacked"
    assert (tmp_path / 'photos/set-master/train/dress/a.jpg').read_bytes() == b'abc'
    assert 'unpacked already' in _get(item, tmp_path)[1]


def test_a_damaged_archive_never_takes_its_name(server, tmp_path):
    url = server.route('/a', whole(_archive()[:-30]))
    with pytest.raises(UserError, match='no tar archive, or damaged'):
        _get(_item([_file('a.tar.gz', url, known=False)], unpack='photos'), tmp_path)
    assert not list(tmp_path.iterdir())
