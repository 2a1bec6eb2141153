"""What every test needs: the repository on the path, TensorFlow's C++ log kept to its errors."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
