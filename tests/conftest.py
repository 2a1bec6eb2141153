"""What every test needs: the repository on the path, TensorFlow's C++ log kept to its errors."""

import os
import pathlib
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

RECORDED = pathlib.Path(__file__).parents[2] / 'shared' / 'parity' / 'gpt2' / 'gpt2_toy.npz'


@pytest.fixture
def recorded():
    """Numbers recorded from the released GPT-2 program at toy size."""
    if not RECORDED.exists():
        pytest.skip(f'the recorded numbers are not here: {RECORDED.name}')
    with np.load(str(RECORDED)) as numbers:
        return dict(numbers)
