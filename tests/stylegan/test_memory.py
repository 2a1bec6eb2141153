"""Running out of memory ends in advice, and the peak is a number."""

import numpy as np
import pytest

from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import memory, schedule
from stylegan.config import Network, Training


def test_the_advice_names_what_was_too_much():
    at = schedule.position(10 ** 9, Network(), Training())
    with pytest.raises(UserError, match='out of memory at 512 px with a minibatch of 4; add '
                                        '--accumulate 2'):
        with memory.guard(at):
            raise tf.errors.ResourceExhaustedError(None, None, 'OOM')


def test_other_errors_pass():
    at = schedule.position(0, Network(), Training())
    with pytest.raises(ZeroDivisionError):
        with memory.guard(at):
            1 / 0


def test_the_peak_grows_with_what_is_held():
    before, gpu = memory.peak()
    held = np.ones([64, 2 ** 20], np.float64)  # half a GiB
    after, _ = memory.peak()
    assert held.sum() > 0 and 0.05 < before <= after and after >= 0.5 and gpu >= 0
