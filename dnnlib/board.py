"""A TensorBoard file: TFRecords of tf.Event, one file for each start of a training.

TensorFlow's own writer works in a thread, and when the disk is full it stops without an error
(1.15) or with one that does not say so (2.x).
"""

import os
import platform
import time

from dnnlib import tflib
from dnnlib.tflib import tf


class Board:
    """The file of one start, in a folder that is made if it is missing.

    step: where the training starts; TensorBoard forgets what earlier files have from there on.
    Every method raises files.DiskFull.
    """

    def __init__(self, folder, step):
        now = time.time()
        self._path = folder / f'events.out.tfevents.{now:.6f}.{platform.node()}.{os.getpid()}'
        with tflib.disk_errors(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = tf.python_io.TFRecordWriter(str(self._path))
        self._write(tf.Event(wall_time=now, file_version='brain.Event:2'))
        self._write(tf.Event(wall_time=now, step=step, session_log=tf.SessionLog(
            status=tf.SessionLog.START)))

    def _write(self, event):
        with tflib.disk_errors(self._path):
            self._writer.write(event.SerializeToString())
            self._writer.flush()

    def add(self, step, values):
        """Add a list of tf.Summary.Value, named numbers or images, at a step."""
        self._write(tf.Event(wall_time=time.time(), step=step, summary=tf.Summary(value=values)))

    def close(self):
        """Close the file."""
        with tflib.disk_errors(self._path):
            self._writer.close()
