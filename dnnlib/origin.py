"""Where a generated file comes from, in words that travel inside it: synthetic, and made how.

There is no time in it, because the same seed is to give the same bytes.
"""

import json
import pathlib
import subprocess

PROJECT = "This dress doesn't exist, again"


def commit():
    """The source's git commit, with '+changes' if the tree differs; '' outside a checkout."""
    here = str(pathlib.Path(__file__).parents[1])
    try:
        name = subprocess.check_output(
            ['git', '-C', here, 'rev-parse', '--short', 'HEAD'], stderr=subprocess.DEVNULL)
        changes = subprocess.check_output(
            ['git', '-C', here, 'status', '--porcelain', '-uno'], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return name.decode().strip() + ('+changes' if changes.strip() else '')


def origin(**facts):
    """The origin of a generated file as a flat dict: synthetic, by which project, then `facts`.

    facts: strings and numbers, such as seed and psi.
    """
    return dict({'synthetic': 'yes', 'project': PROJECT, 'commit': commit()}, **facts)


def to_comment(facts):
    """An origin as one line of ASCII, for formats that have room for a comment only."""
    return json.dumps({name: str(value) for name, value in facts.items()})
