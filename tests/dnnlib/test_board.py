"""What TensorBoard shows is on the disk at once, and a full disk is noticed."""

import os

import numpy as np
import pytest

from dnnlib import board, files
from dnnlib.tflib import tf


def _value(number):
    return tf.Summary.Value(tag='loss', simple_value=number)


def test_tensorflow_reads_what_was_written(tmp_path):
    written = board.Board(tmp_path / 'tensorboard', 7)
    written.add(8, [_value(0.5)])
    path, = (tmp_path / 'tensorboard').iterdir()
    version, start, event = tf.train.summary_iterator(str(path))
    assert version.file_version == 'brain.Event:2'
    assert (start.step, start.session_log.status) == (7, tf.SessionLog.START)
    assert event.step == 8 and event.summary.value[0].tag == 'loss'
    assert np.isclose(event.summary.value[0].simple_value, 0.5)
    written.close()


def test_a_full_disk_is_said_in_one_line(tmp_path):
    if not os.path.exists('/dev/full'):
        pytest.skip('no /dev/full')
    (tmp_path / 'events').symlink_to('/dev/full')
    written = board.Board(tmp_path / 'tensorboard', 0)
    written._writer = tf.python_io.TFRecordWriter(str(tmp_path / 'events'))
    with pytest.raises(files.DiskFull, match=r'tensorboard/events.* could not be written'):
        written.add(1, [_value(0.5)])
