"""The training set: TFRecords at every resolution, in the layout of the released StyleGAN.

A set is a folder with `NAME-r02.tfrecords` (4x4) ... `NAME-rLL.tfrecords` (full resolution), each
an uncompressed TFRecord of tf.train.Example: 'shape' [C, H, W] and 'data', the bytes in that order.
"""

import hashlib
import pathlib
import re
import struct

import numpy as np
from google.protobuf.message import DecodeError

from dnnlib import files, images, lock, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf


def _pyramid(rgb):
    """uint8 [s, s, 3] -> that image at every power of two from s down to 4 px.

    Each level is the mean of 2x2 pixels of the one before, which is kept unrounded for this.
    """
    level = rgb.astype(np.float32)
    while True:
        yield np.clip(np.rint(level), 0, 255).astype(np.uint8)
        if level.shape[0] == 4:
            return
        level = (level[0::2, 0::2] + level[0::2, 1::2] + level[1::2, 0::2] + level[1::2, 1::2]) / 4


def _example(rgb):
    """uint8 [h, w, 3] -> a serialised tf.train.Example, channels first.

    The same image gives the same bytes in every process, which protobuf promises only if asked.
    """
    chw = rgb.transpose(2, 0, 1)
    feature = {
        'shape': tf.train.Feature(int64_list=tf.train.Int64List(value=chw.shape)),
        'data': tf.train.Feature(bytes_list=tf.train.BytesList(value=[chw.tobytes()]))}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def packed_bytes(count, resolution):
    """The size of so many packed images: 3 bytes a pixel, at all levels of detail."""
    return count * resolution ** 2 * 4


def pack(paths, folder, resolution, fit='pad'):
    """Write the images at `paths` as a TFRecord set; unreadable ones are left out.

    fit: 'pad' adds white to make an image square, 'crop' cuts out its centre.
    The folder appears only once the set is complete; if it is there already, it is left alone.
    Raises UserError if no image is readable, or if another process is packing into the folder,
    and files.DiskFull.
    """
    folder = pathlib.Path(folder)
    with lock.new(folder), tflib.disk_errors(folder):
        if folder.exists():  # another process has packed it meanwhile
            return
        files.need_space(folder, packed_bytes(len(paths), resolution))
        with files.creating(folder) as unfinished:
            _pack(paths, unfinished, resolution, fit)


def _pack(paths, folder, resolution, fit):
    levels = range(resolution.bit_length() - 1, 1, -1)
    writers = [tf.python_io.TFRecordWriter(str(folder / f'photos-r{level:02d}.tfrecords'))
               for level in levels]
    for _, picture in images.readable(paths, draft=resolution, what='packing'):
        for writer, rgb in zip(writers, _pyramid(images.square(picture, resolution, fit))):
            writer.write(_example(rgb))
    for writer in writers:
        writer.close()


class _Level:
    """The images of one resolution, read by index from the memory-mapped file.

    Every record is checked: all have one length, and around their pixels the bytes of the first
    record, which is parsed; or those of a second kind, as protobuf writes the two features in any
    order. All bytes are compared with the checksums, which takes a second or two per GB.
    Raises UserError.
    """

    def __init__(self, path, res):
        self.path, self._res = path, res
        size = path.stat().st_size
        # A memory map cannot be empty.
        self.bytes = np.memmap(str(path), np.uint8, 'r') if size else np.zeros(0, np.uint8)
        # Before a record come 8 bytes of its length and 4 of their CRC, behind it 4 of its own.
        stride = 16 + (struct.unpack('<Q', self.bytes[:8].tobytes())[0] if size >= 8 else 0)
        if not size or size % stride:
            raise UserError(f'{path} is cut off or empty; delete the folder so that it is packed '
                            'again')
        self._records = np.asarray(self.bytes).reshape(-1, stride)
        self._starts = np.zeros(len(self._records), np.int64)  # of the pixels in each record
        lengths = self._records[:, :8]
        if not (lengths == lengths[0]).all():
            raise self._damaged(np.argmin((lengths == lengths[0]).all(1)))
        unchecked = np.arange(len(self._records))
        for _ in range(2):
            unchecked = self._check(unchecked) if len(unchecked) else unchecked
        if len(unchecked):
            raise self._damaged(unchecked[0])
        self._compare_checksums()

    def _damaged(self, index):
        return UserError(f'record {index} of {self.path} is no square image of {self._res} px, '
                         'grey or RGB, as the others are; delete the folder so that it is packed '
                         'again')

    def _compare_checksums(self):
        good = 0
        try:
            for _ in tf.python_io.tf_record_iterator(str(self.path)):
                good += 1
        except tf.errors.DataLossError:
            raise UserError(f'record {good} of {self.path} differs from its checksum; copy the set '
                            'again, or delete the folder so that it is packed again')

    def _check(self, indices):
        """Note where the pixels are in the records that are like the first; return the others."""
        first = self._records[indices[0]]
        try:
            feature = tf.train.Example.FromString(first[12:-4].tobytes()).features.feature
        except DecodeError:
            raise self._damaged(indices[0])
        shape, data = list(feature['shape'].int64_list.value), feature['data'].bytes_list.value
        if (shape not in ([1, self._res, self._res], [3, self._res, self._res])
                or len(data) != 1 or len(data[0]) != np.prod(shape)):
            raise self._damaged(indices[0])
        self.shape = shape  # [channels, height, width]
        # With the tag and the length before them, for these may continue the first pixels.
        pixels = tf.train.BytesList(value=data).SerializeToString()
        end = first.tobytes().index(pixels) + len(pixels)
        start = end - len(data[0])
        alike = np.ones(len(indices), bool)
        for part in (slice(0, start), slice(end, len(first) - 4)):
            alike &= (self._records[indices, part] == first[part]).all(1)
        self._starts[indices[alike]] = start
        return indices[~alike]

    def __len__(self):
        return len(self._records)

    def __getitem__(self, index):
        start = self._starts[index]
        data = self._records[index, start:start + np.prod(self.shape)]
        return data.reshape(self.shape).transpose(1, 2, 0)  # [h, w, c]


class Records:
    """A TFRecord set, ours or one in the released layout, as an endless shuffled stream.

    The stream is a function of the seed and the position in it, with a new order in each epoch, so
    resuming needs no state. Attributes: count, the number of images; resolution, the full one.
    Raises UserError for a folder that holds no set, an incomplete or a damaged one.
    """

    def __init__(self, folder, seed=0):
        found = {}
        for path in sorted(pathlib.Path(folder).glob('*.tfrecords')):
            match = re.search(r'-r(\d\d)\.tfrecords$', path.name)
            if match:
                found[2 ** int(match.group(1))] = path
        if not found:
            raise UserError(f'{folder} holds no *-rNN.tfrecords files; give the folder of a '
                            'TFRecord set')
        self.resolution = max(found)
        missing = [res for res in (2 ** r for r in range(2, self.resolution.bit_length()))
                   if res not in found]
        if missing:
            raise UserError(f'{folder} lacks the resolution {missing[0]}; pack the set again')
        self._levels = {res: _Level(path, res) for res, path in found.items()}
        self._seed, self._epoch, self._order = seed, -1, None
        self.count = len(self._levels[4])
        if any(len(level) != self.count for level in self._levels.values()):
            raise UserError(f'{folder} holds unequal numbers of images; pack the set again')

    def digest(self):
        """16 hexadecimal digits that tell this set from others, wherever it lies.

        All images count at 4x4, and the sizes of the files of the other resolutions.
        """
        sizes = [(res, level.path.stat().st_size) for res, level in sorted(self._levels.items())]
        total = hashlib.sha256(repr(sizes).encode('ascii'))
        total.update(self._levels[4].bytes)
        return total.hexdigest()[:16]

    def picture(self, res, index):
        """The image at an index of the file -> uint8 [res, res, channels]."""
        return self._levels[res][index]

    def _index(self, position):
        """The index of the image at a position of the stream."""
        epoch, offset = divmod(position, self.count)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.RandomState([self._seed, epoch]).permutation(self.count)
        return self._order[offset]

    def sequence(self, res):
        """All images at one resolution, in the order of the first epoch, read when sliced."""
        return _Sequence(self, res)

    def batch(self, position, count, res, mirror=False, share=None):
        """`count` images from a position of the stream on -> uint8 [count, res, res, 3].

        mirror: flip each left-right with probability 1/2, drawn from (seed, position). share: those
        of the `count` to read, a list of numbers below it; None: all.
        """
        share = range(count) if share is None else share
        batch = np.stack([self.picture(res, self._index(position + i)) for i in share])
        if batch.shape[3] == 1:
            batch = batch.repeat(3, axis=3)
        if mirror:
            flips = np.random.RandomState([self._seed, position, 1]).rand(count)[share] < 0.5
            batch[flips] = batch[flips, :, ::-1]
        return batch


class _Sequence:
    """What `Records.sequence` gives: len, and [first:last] -> uint8 [n, res, res, 3]."""

    def __init__(self, records, res):
        self._records, self._res = records, res

    def __len__(self):
        return self._records.count

    def __getitem__(self, chosen):
        first, last, _ = chosen.indices(len(self))
        return self._records.batch(first, last - first, self._res)
