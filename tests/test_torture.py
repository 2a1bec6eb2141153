"""The short form of tests/torture.py: a few kills and a second process for each model."""

import pathlib
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_kills_and_second_processes_change_no_bit(tmp_path):
    done = subprocess.run(
        [sys.executable, str(pathlib.Path(__file__).with_name('torture.py')), '--kills', '2',
         '--disks', '0', '--pairs', '1', '--damages', '0', '--workers', '0', '--mutations', '1000',
         '--out', str(tmp_path)],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and '7 of 7 trials as promised' in done.stdout, done.stdout
