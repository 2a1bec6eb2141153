import csv
import dataclasses

import numpy as np
import pytest
from PIL import Image

from catalog.demo import attributes, build, words
from catalog.demo.draw import shots
from dnnlib import files
from dnnlib.files import UserError

TOY = build.Demo(count=24, seed=3, size=300, bad=0.5)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo') / 'catalogue'
    build.write(folder, TOY, processes=1)
    return folder


def rows(folder):
    with open(str(folder / 'products.csv'), newline='', encoding='utf-8') as stream:
        return list(csv.DictReader(stream))


def test_the_table_names_files_that_exist(folder):
    table = rows(folder)
    assert len(table) == TOY.count
    assert list(table[0])[:3] == ['image', 'description', 'category'] and 'truth' in table[0]
    assert sorted(str(path.relative_to(folder)) for path in folder.glob('images/*')) == [
        row['image'] for row in table]
    assert not list(folder.rglob('.*'))


def test_descriptions_fit_the_attributes_of_their_row(folder):
    for row in rows(folder):
        stated = words.parse(row['description'])
        assert stated == {name: row[name] for name in build.COLUMNS[2:-1]
                          if row[name] not in ('', attributes.UNADORNED)}


def test_counts_are_those_of_the_table(folder):
    counts = build.write(folder, TOY, processes=1)
    for column in ('category', 'truth'):
        assert sum(counts[column].values()) == TOY.count
        for name, count in counts[column].items():
            assert count == sum(row[column] == name for row in rows(folder))
    assert counts['truth']['good'] < TOY.count


def test_files_are_what_truth_says(folder):
    for row in rows(folder):
        path = folder / row['image']
        if row['truth'] == 'unreadable':
            with pytest.raises((OSError, SyntaxError)):
                Image.open(str(path)).load()
            continue
        with Image.open(str(path)) as picture:
            picture.load()
            assert (min(picture.size) < 300) == (row['truth'] == 'small')
            assert picture.format == 'JPEG'


def test_a_longer_catalogue_and_more_processes_give_the_same_bytes(folder, tmp_path):
    other = tmp_path / 'long'
    build.write(other, dataclasses.replace(TOY, count=30), processes=2)
    for row, longer in zip(rows(folder), rows(other)):
        assert row == longer
        assert (folder / row['image']).read_bytes() == (other / row['image']).read_bytes()


def test_running_again_adds_only_what_is_missing(tmp_path):
    folder, options = tmp_path / 'again', build.Demo(count=5, size=300)
    build.write(folder, options, processes=1)
    table = (folder / 'products.csv').read_bytes()
    lost = folder / rows(folder)[2]['image']
    kept = lost.read_bytes()
    lost.unlink()
    (folder / 'products.csv').unlink()
    other = folder / table.decode('utf-8').splitlines()[1].split(',')[0]
    stamp = other.stat().st_mtime_ns
    build.write(folder, options, processes=1)
    assert lost.read_bytes() == kept and (folder / 'products.csv').read_bytes() == table
    assert other.stat().st_mtime_ns == stamp


def test_duplicates_repeat_an_earlier_good_image():
    options = build.Demo(count=400, bad=0.5)
    items = [build.product(index, options) for index in range(options.count)]
    duplicates = [item for item in items if item.truth == 'duplicate']
    assert duplicates and items[0].truth != 'duplicate'
    for item in duplicates:
        assert item.source < item.index and items[item.source].truth == 'good'
        assert item.garment == items[item.source].garment


def test_shares_are_those_of_the_options():
    truths = [build.product(index, build.Demo()).truth for index in range(3000)]
    bad = [truth for truth in truths if truth != 'good']
    assert 0.1 < len(bad) / 3000 < 0.14
    for kind, share in shots.KINDS.items():
        assert abs(np.mean([truth == kind for truth in bad]) - share) < 0.07


def test_other_options_or_a_foreign_folder_are_refused_and_nothing_is_lost(folder, tmp_path):
    before = sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob('*'))
    with pytest.raises(UserError, match='--seed 3'):
        build.write(folder, dataclasses.replace(TOY, seed=4))
    assert before == sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob('*'))
    files.write_text(tmp_path / 'mine.txt', 'mine')
    with pytest.raises(UserError, match='new folder'):
        build.write(tmp_path, TOY)
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


@pytest.mark.parametrize('options, words', [
    (dict(size=200), '--size'), (dict(count=0), '--count'), (dict(bad=1.5), '--bad'),
    (dict(seed=-1), '--seed'), (dict(jumpsuits=-0.1), '--jumpsuits')])
def test_impossible_options_are_refused(options, words, tmp_path):
    with pytest.raises(UserError, match=words):
        build.write(tmp_path / 'new', build.Demo(**options))
    assert not (tmp_path / 'new').exists()


def test_summary_has_a_line_for_each_column_with_the_most_frequent_first():
    counts = {'category': {'top': 2, 'dress': 5}, 'truth': {'good': 7}}
    assert build.summary(counts).splitlines() == ['category  5 dress, 2 top', 'truth     7 good']
