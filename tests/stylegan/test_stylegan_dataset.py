"""Any photos become a TFRecord set of the released layout, and a set becomes batches."""

import pathlib
import struct
import tempfile

import numpy as np
import pytest
from PIL import Image

from dnnlib import files, images, lock
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import dataset

RECORDED = pathlib.Path(__file__).parents[1] / 'data' / 'stylegan'
RED, WHITE = (200, 0, 0), (255, 255, 255)


def _rgb(count, size, seed=0):
    return np.random.RandomState([seed, size]).randint(0, 256, [count, size, size, 3]).astype(
        np.uint8)


def _packed(tmp_path, pictures, **more):
    """Write images as PNG files and pack them -> folder of the set."""
    paths = [tmp_path / f'{index:02d}.png' for index in range(len(pictures))]
    for path, rgb in zip(paths, pictures):
        images.write_png(path, rgb)
    dataset.pack(paths, tmp_path / 'set', pictures[0].shape[0], **more)
    return tmp_path / 'set'


def _epoch(records, res=None):
    return records.batch(0, records.count, res or records.resolution)


def _sorted(batch):
    return sorted(rgb.tobytes() for rgb in batch)


def test_what_is_packed_reads_back(tmp_path):
    pictures = _rgb(5, 16)
    records = dataset.Records(_packed(tmp_path, pictures))
    assert (records.count, records.resolution) == (5, 16)
    batch = _epoch(records)
    assert batch.shape == (5, 16, 16, 3) and batch.dtype == np.uint8
    assert _sorted(batch) == _sorted(pictures)
    assert sorted(path.name for path in (tmp_path / 'set').iterdir()) == [
        'photos-r02.tfrecords', 'photos-r03.tfrecords', 'photos-r04.tfrecords']


def test_levels_are_means_rounded_only_when_given_out(tmp_path):
    records = dataset.Records(_packed(tmp_path, _rgb(3, 16)))
    exact = _epoch(records).astype(np.float64)
    for res in (8, 4):
        exact = exact.reshape(3, res, 2, res, 2, 3).mean((2, 4))
        assert np.array_equal(_epoch(records, res), np.rint(exact))


def test_ties_round_to_even(tmp_path):
    block = np.zeros([8, 8, 3], np.uint8)
    block[0::2, 0::2] = [2, 6, 255]  # means 0.5, 1.5, 63.75
    assert np.unique(_epoch(dataset.Records(_packed(tmp_path, [block])), 4)[0], axis=0).tolist(
        ) == [[[0, 2, 64]] * 4]


@pytest.mark.parametrize('fit', ['pad', 'crop'])
def test_images_of_all_kinds_and_sizes(tmp_path, fit):
    wide = Image.new('RGB', (60, 30), RED)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        'wide.png': wide, 'small.bmp': wide.resize((6, 3)), 'grey.png': wide.convert('L'),
        'alpha.png': wide.convert('RGBA'), 'cmyk.tif': wide.convert('CMYK'),
        'palette.gif': wide.quantize(4), 'turned.jpg': wide.rotate(90, expand=True)}
    for name, picture in kinds.items():
        picture.save(str(tmp_path / name), **({'exif': exif.tobytes(), 'quality': 95}
                                              if name == 'turned.jpg' else {}))
    levels = np.full([30, 60], 20000, np.uint16)
    Image.fromarray(levels).save(str(tmp_path / 'deep.png'))
    names = sorted(list(kinds) + ['deep.png'])
    dataset.pack([tmp_path / name for name in names], tmp_path / 'set', 16, fit)
    batch = _epoch(dataset.Records(tmp_path / 'set')).astype(int)
    assert len(batch) == len(names)
    for rgb in batch:
        middle = rgb[8, 8]
        grey = middle[0] == middle[1]
        assert np.abs(middle - RED).max() < 12 or (grey and middle[0] in range(55, 80)), middle
        edge = WHITE if fit == 'pad' else middle
        assert np.abs(rgb[[0, -1], 8] - edge).max() < 12  # above and below


def test_unreadable_files_are_reported(tmp_path, capsys):
    images.write_png(tmp_path / 'a.png', _rgb(1, 8)[0])
    (tmp_path / 'b.png').write_bytes(b'')
    (tmp_path / 'c.png').write_text('no image')
    paths = [tmp_path / name for name in ('a.png', 'b.png', 'c.png')]
    dataset.pack(paths, tmp_path / 'set', 8)
    assert f'2 of 3 images cannot be read and are left out, the first: {paths[1]} is not' in (
        capsys.readouterr().out)
    assert dataset.Records(tmp_path / 'set').count == 1
    with pytest.raises(UserError, match='none of the 2 images can be read'):
        dataset.pack(paths[1:], tmp_path / 'other', 8)
    assert not (tmp_path / 'other').exists()


def test_packing_is_done_once_at_a_time_and_never_over_a_set(tmp_path, monkeypatch):
    folder = _packed(tmp_path, _rgb(2, 8))
    dataset.pack([tmp_path / '00.png'], folder, 8)
    assert dataset.Records(folder).count == 2
    with lock.hold(tmp_path / '.new.lock', 'new'):
        monkeypatch.setattr(lock, '_held', set())  # as in another process
        with pytest.raises(UserError, match=r'is working on .*new'):
            dataset.pack([tmp_path / '00.png'], tmp_path / 'new', 8)
    dataset.pack([tmp_path / '00.png'], tmp_path / 'new', 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['00.png', '01.png', 'new', 'set']


def test_a_full_disk_leaves_nothing_half_packed(tmp_path, monkeypatch):
    images.write_png(tmp_path / 'a.png', _rgb(1, 8)[0])
    for where, failing in ((files, 'need_space'), (tf.python_io.TFRecordWriter, 'write')):
        def full(*arguments):
            raise tf.errors.ResourceExhaustedError(None, None, 'a; No space left on device')
        with monkeypatch.context() as patched:
            patched.setattr(where, failing, full)
            with pytest.raises(files.DiskFull, match='set could not be written'):
                dataset.pack([tmp_path / 'a.png'], tmp_path / 'set', 8)
        assert [path.name for path in tmp_path.iterdir()] == ['a.png']


def test_a_digest_is_of_the_images_not_of_the_place(tmp_path):
    first = dataset.Records(_packed(tmp_path / 'a', _rgb(3, 8))).digest()
    (tmp_path / 'a').rename(tmp_path / 'b')
    assert dataset.Records(tmp_path / 'b' / 'set').digest() == first
    assert dataset.Records(_packed(tmp_path / 'c', _rgb(3, 8, seed=1))).digest() != first
    assert dataset.Records(_packed(tmp_path / 'd', _rgb(2, 8))).digest() != first


def test_batches_depend_on_position_only(tmp_path):
    folder = _packed(tmp_path, _rgb(7, 8))
    records = dataset.Records(folder, seed=3)
    first = [records.batch(position, 5, 8, mirror=True) for position in (0, 5, 10, 64, 5)]
    again = dataset.Records(folder, seed=3)
    for position, batch in zip((64, 5, 0), (first[3], first[1], first[0])):
        assert np.array_equal(again.batch(position, 5, 8, mirror=True), batch)
    assert np.array_equal(first[1], first[4])
    assert np.array_equal(again.batch(5, 5, 8, mirror=True, share=[3, 0]), first[1][[3, 0]])
    other = dataset.Records(folder, seed=4)
    assert not np.array_equal(_epoch(records), _epoch(other))


def test_every_epoch_shows_each_image_once_in_its_own_order(tmp_path):
    pictures = _rgb(7, 8)
    records = dataset.Records(_packed(tmp_path, pictures))
    stream = np.concatenate([records.batch(position, 3, 8) for position in range(0, 21, 3)])
    epochs = [stream[0:7], stream[7:14], stream[14:21]]  # batches cross the borders between them
    for epoch in epochs:
        assert _sorted(epoch) == _sorted(pictures)
    assert len({epoch.tobytes() for epoch in epochs}) > 1


def test_half_of_the_images_are_mirrored(tmp_path):
    records = dataset.Records(_packed(tmp_path, _rgb(4, 4)))
    plain, mirrored = [records.batch(8, 400, 4, mirror=mirror) for mirror in (False, True)]
    flipped = (mirrored == plain[:, :, ::-1]).all((1, 2, 3))
    assert (flipped | (mirrored == plain).all((1, 2, 3))).all()
    assert 150 < flipped.sum() < 250


def test_a_set_of_the_released_layout(tmp_path):
    expected = np.load(str(RECORDED / 'tfrecords_tiny32_expected.npz'))
    records = dataset.Records(RECORDED / 'tiny32')
    assert (records.count, records.resolution) == (8, 32)
    full = expected['read/lod0/images'].transpose(0, 2, 3, 1)
    order = [[rgb.tobytes() for rgb in full].index(rgb.tobytes()) for rgb in _epoch(records)]
    assert sorted(order) == list(range(8))
    for lod in range(4):
        level = expected[f'read/lod{lod}/images'].transpose(0, 2, 3, 1)
        assert np.array_equal(_epoch(records, 32 >> lod), level[order])


def test_packing_gives_the_levels_of_the_original(tmp_path):
    expected = np.load(str(RECORDED / 'tfrecords_tiny32_expected.npz'))
    sources = expected['source_images'].transpose(0, 2, 3, 1)
    records = dataset.Records(_packed(tmp_path, sources))
    for lod in range(4):
        level = expected[f'read/lod{lod}/images'].transpose(0, 2, 3, 1)
        assert _sorted(_epoch(records, 32 >> lod)) == _sorted(level)


def test_folders_without_a_whole_set_are_refused(tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'holds no \*-rNN.tfrecords files'):
        dataset.Records(tmp_path / 'empty')
    folder = _packed(tmp_path, _rgb(2, 16))
    (folder / 'photos-r03.tfrecords').unlink()
    with pytest.raises(UserError, match='lacks the resolution 8; pack the set again'):
        dataset.Records(folder)


@pytest.mark.parametrize('keep', [0, 5, -1, -20])
def test_cut_off_files_are_refused(tmp_path, keep):
    folder = _packed(tmp_path, _rgb(2, 8))
    path = folder / 'photos-r03.tfrecords'
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r'photos-r03.tfrecords is cut off or empty'):
        dataset.Records(folder)


def test_a_record_is_the_same_bytes_in_every_process(tmp_path):
    """Without being asked, protobuf writes the two features in an order of the process."""
    folder = _packed(tmp_path, _rgb(20, 8))
    data = (folder / 'photos-r02.tfrecords').read_bytes()
    size = len(data) // 20
    for record in (data[i * size:(i + 1) * size] for i in range(20)):
        assert 0 < record.index(b'\x04data') < record.index(b'\x05shape')


def test_levels_of_unequal_length_are_refused(tmp_path):
    folder = _packed(tmp_path, _rgb(2, 16))
    path = folder / 'photos-r03.tfrecords'
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])  # one of two records
    with pytest.raises(UserError, match='unequal numbers of images'):
        dataset.Records(folder)


def _signed(payload):
    """A record as TFRecords have it: length, its checksum, payload, its checksum."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'a'
        with tf.python_io.TFRecordWriter(str(path)) as writer:
            writer.write(payload)
        return path.read_bytes()


def _record(shape, data, extra=b''):
    feature = {'shape': tf.train.Feature(int64_list=tf.train.Int64List(value=shape)),
               'data': tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))}
    payload = tf.train.Example(
        features=tf.train.Features(feature=feature)).SerializeToString() + extra
    return _signed(payload)


def _set(folder, records):
    """A set of 4 px whose file holds these records."""
    folder.mkdir(exist_ok=True)
    (folder / 'a-r02.tfrecords').write_bytes(b''.join(records))
    return folder


SOUND = _record([3, 4, 4], bytes(range(48)))


@pytest.mark.parametrize('record', [
    _record([3, 8, 2], bytes(48)), _record([1, 4, 12], bytes(48)), _record([], bytes(48)),
    _record([3, 4, 4], bytes(47)), _record([3, 4, 4], bytes(49)), _record([3, 4, 10 ** 12], b''),
    SOUND[:12] + bytes(len(SOUND) - 12), SOUND[:20] + b'x' + SOUND[21:],
    struct.pack('<Q', 2 ** 63) + SOUND[8:], struct.pack('<Q', 0) + SOUND[8:], SOUND[:-1], b'\0'],
    ids=['2 channels', '12 wide', 'no shape', 'a byte short', 'a byte long', '10^12 wide', 'zeros',
         'one byte changed', 'huge length', 'length 0', 'cut', 'a stray byte'])
@pytest.mark.parametrize('place', [0, 1, 2])
def test_every_record_is_checked_when_a_set_is_opened(tmp_path, record, place):
    records = [SOUND, SOUND]
    records.insert(place, record)
    with pytest.raises(UserError, match=r'is no square image of 4 px|is cut off or empty'):
        dataset.Records(_set(tmp_path / 'set', records))


@pytest.mark.parametrize('place', [8, SOUND.index(bytes(range(48))), -1],
                         ids=['length', 'pixels', 'payload'])
def test_records_that_differ_from_their_checksums_are_refused(tmp_path, place):
    """A byte of the length's checksum, of the pixels, of the payload's checksum."""
    damaged = bytearray(SOUND)
    damaged[place] ^= 1
    with pytest.raises(UserError, match=r'record 1 of .* differs from its checksum; copy the set'):
        dataset.Records(_set(tmp_path / 'set', [SOUND, bytes(damaged), SOUND]))


def test_features_may_come_in_any_order(tmp_path):
    """Protobuf does not promise one for maps."""
    middle = 16 + SOUND[15]  # behind the lengths of all features and of the first
    first, second = SOUND[14:middle], SOUND[middle:-4]
    assert {b'shape' in first, b'shape' in second} == {b'data' in first, b'data' in second}
    swapped = _signed(SOUND[12:14] + second + first)
    records = dataset.Records(_set(tmp_path / 'set', [SOUND, swapped, SOUND]))
    for index in range(3):
        assert np.array_equal(records.picture(4, index).transpose(2, 0, 1).ravel(), range(48))


def test_pixels_are_found_where_the_first_image_continues_the_bytes_before_it(tmp_path):
    """Their length, 48, is the byte before the pixels."""
    solid, other = bytes([48] * 48), bytes(range(47)) + b'0'
    records = dataset.Records(_set(tmp_path / 'set', [
        _record([3, 4, 4], solid), _record([3, 4, 4], other)]))
    for index, data in enumerate((solid, other)):
        assert records.picture(4, index).transpose(2, 0, 1).tobytes() == data


def test_grey_sets_are_read(tmp_path):
    records = dataset.Records(_set(tmp_path / 'set', [_record([1, 4, 4], bytes(range(16)))]))
    assert np.array_equal(records.batch(0, 1, 4)[0, :, :, 2].ravel(), range(16))
