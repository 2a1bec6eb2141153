"""Edits in a toy world: they reach the target value, keep the rest and report both."""

import numpy as np
import pytest
from toy_world import HEADS, Tagger, World

from dnnlib.files import UserError
from steering import discover, edit, edit_check
from stylegan import labelled

CONFIG = discover.Discovery(count=400, fewest=20, components=1, ordered='size=small<medium<large')


@pytest.fixture(scope='module')
def editor():
    sample = labelled.collect(World(), Tagger(), count=CONFIG.count, psi=1.0, seed=0)
    known = {own.name: own for own in discover.find(World(), sample, {}, CONFIG)}
    return edit.Editor(World(), Tagger(), sample, known,
                       edit.Search(similar=4, strengths=4))


def _ws(seed):
    world = World()
    return world.truncate(world.w(world.seeded([seed])), 0.7)[0]


def test_the_target_value_is_shown_and_the_rest_is_kept(editor):
    for seed, asked in [(4, {'colour': 'red'}), (5, {'colour': 'red', 'size': 'small'})]:
        ws = _ws(seed)
        assert editor.shows(ws)['category'] == 'dress'  # tops have no size
        kept = ws.copy()
        done = editor.edit(ws, asked)
        assert all(done.shown[head] == value for head, value in asked.items())
        assert done.shown['category'] == done.shown_before['category']
        assert done.shown == editor.shows(done.ws)
        assert np.array_equal(ws, kept) and np.array_equal(done.before, kept)


def test_a_candidate_that_fools_the_tagger_in_one_place_loses(editor):
    first = World().pictures(_ws(4)[np.newaxis])
    candidates = first.repeat(3, 0)
    candidates[1, 5] = candidates[2, 4:8] = 128 + 36  # red where the tagger looks, and everywhere
    world = World()
    world.pictures = lambda ws: candidates
    own = edit.Editor(world, Tagger(), editor.sample, editor.directions)
    goal = editor._indices(_ws(4))
    assert HEADS['colour'][goal['colour']] != 'red'
    assert [HEADS['colour'][i] for i in Tagger().probabilities(candidates)['colour'].argmax(1)[1:]
            ] == ['red', 'red']
    goal['colour'] = HEADS['colour'].index('red')
    costs = own._costs(np.zeros([3, 6, 8], np.float32), ['colour'], goal)
    assert costs.argmin() == 2, costs


def test_a_target_already_shown_changes_nothing(editor):
    ws = _ws(5)
    shown = editor.shows(ws)
    done = editor.edit(ws, {'colour': shown['colour']})
    pictures = World().pictures(np.stack([ws, done.ws])).astype(int)
    assert done.shown == shown and np.abs(pictures[1] - pictures[0]).mean() < 8


def test_directions_move_their_band_in_units(editor):
    own = editor.directions['pca0']
    moves = edit.parse_moves(['pca0=+2', ' pca0 =-0.5'], editor.directions, 'fine')
    assert [(move[1], move[2]) for move in moves] == [(2.0, 'fine'), (-0.5, 'fine')]
    done = editor.edit(_ws(0), {}, moves)
    step = done.ws - done.before
    np.testing.assert_allclose(step[4:], [1.5 * own.scale * own.vector] * 2, atol=1e-5)
    assert not step[:4].any() and 'pca0 +2 in fine' in done.method
    assert edit.parse_moves(['colour=red=+1'], editor.directions)[0][0].name == 'colour=red'


@pytest.mark.parametrize('text, words', [('pca0', 'pca3=[+]2'), ('pca0=far', 'pca3=[+]2'),
                                         ('pca9=1', 'known are: pca0, sefa-coarse0')])
def test_invalid_moves_are_refused(editor, text, words):
    with pytest.raises(UserError, match=words):
        edit.parse_moves([text], editor.directions)


def test_values():
    assert edit.parse_values(['a=b c', 'd = e']) == {'a': 'b c', 'd': 'e'}
    with pytest.raises(UserError, match='sleeve=long sleeves'):
        edit.parse_values(['red'])


def test_what_the_tagger_guesses_is_neither_a_target_nor_kept(editor):
    sample = editor.sample
    unsure = dict(sample.probabilities, size=np.full_like(sample.probabilities['size'], 0.25))
    blurred = edit.Editor(World(), Tagger(), labelled.LabelledSample(
        sample.w, sample.heads, unsure), editor.directions, editor.config)
    assert 'size' in editor.heads and 'size' not in blurred.heads
    assert set(blurred.edit(_ws(4), {'colour': 'red'}).shown) == set(HEADS) - {'size'}
    assert 'size' not in {head for head, _ in edit_check.plausible_values(
        blurred.sample, editor.shows(_ws(4)))}
    with pytest.raises(UserError, match=r"too often unsure of 'size' .*; it is sure of: category"):
        blurred.edit(_ws(4), {'size': 'small'})


def test_unknown_values_list_the_known_ones(editor):
    with pytest.raises(UserError, match='known are: blue, grey, red'):
        editor.edit(_ws(0), {'colour': 'green'})


def test_a_report_separates_targets_from_side_effects(editor):
    done = edit.Edit(None, None, 'by magic', {'a': '1', 'b': '2', 'c': '3', 'd': '4'},
                     {'a': '0', 'b': '', 'c': '3', 'd': '4'})
    assert edit.report(done, {'a': '1', 'd': '5'}).splitlines() == [
        'found by: by magic', 'a: 0 -> 1 (as requested)', "b: '' -> 2 (side effect)",
        'd: 4 -> 4 (target: 5)', 'unchanged: c']


def test_a_strip_interpolates_and_extrapolates(editor):
    done = edit.Edit(np.ones([6, 8], np.float32), np.zeros([6, 8], np.float32), '', {}, {})
    assert edit.interpolated(done, (0, 0.5, 1, 1.5))[:, 2, 3].tolist() == [0, 0.5, 1, 1.5]


def _measure(editor, folder, count=12, seed=50, **more):
    return edit_check.measure(editor, folder / 'log.jsonl', count=count, seed=seed, psi=0.7,
                              models={'by': 'a test'}, **more)


def test_measuring_uses_plausible_targets(editor, tmp_path):
    result = _measure(editor, tmp_path)
    assert len(result) == 12 and {one['wanted'][0] for one in result} <= {'colour', 'size'}
    for one in result:
        shown = editor.shows(_ws(one['seed']))
        head, value = one['wanted']
        assert value and value != shown[head] and set(one['kept']) == set(HEADS) - {head}
        if shown['category'] == 'top':
            assert head != 'size'
    total = edit_check.summary(result)
    assert total['hit'] > 0.9 and total['kept'] > 0.9
    assert total['hit and all kept'] <= min(total['hit'], total['all kept'])
    text = edit_check.table(result)
    assert 'of 12 edits' in text and text.splitlines()[2].startswith('category')
    assert 'second tagger' not in text and not edit_check.judged(result)


def test_measuring_is_resumed(editor, tmp_path):
    whole = _measure(editor, tmp_path)
    log = tmp_path / 'log.jsonl'
    lines = log.read_text().splitlines()
    log.write_text('\n'.join(lines[:6]) + '\n')
    assert _measure(editor, tmp_path) == whole and log.read_text().splitlines() == lines
    log.write_text('{"by": "another"}\n' + '\n'.join(lines[1:3]) + '\n')
    assert _measure(editor, tmp_path) == whole and log.read_text().splitlines() == lines


def test_after_the_largest_seed_measuring_continues_at_0(editor, tmp_path):
    whole = _measure(editor, tmp_path, count=4, seed=2 ** 32 - 2)
    seeds = [one['seed'] for one in whole]
    assert seeds[0] >= 2 ** 32 - 2 and seeds[-1] < 20
    log = tmp_path / 'log.jsonl'
    log.write_text('\n'.join(log.read_text().splitlines()[:4]) + '\n')
    assert _measure(editor, tmp_path, count=4, seed=2 ** 32 - 2) == whole


class Judge(Tagger):
    """Predicts the last value of each head for every image."""

    def probabilities(self, pictures):
        return {head: np.tile(np.eye(len(values))[-1], [len(pictures), 1])
                for head, values in HEADS.items()}


def test_a_judge_classifies_independently(editor, tmp_path):
    result = _measure(editor, tmp_path, count=8, judge=Judge())
    judged = edit_check.judged(result)
    assert all(all(one['kept'].values()) for one in judged)
    assert [one['hit'] for one in judged] == [
        one['wanted'][1] in ('red', 'large') for one in judged]
    for one in result:
        shown = editor.shows(_ws(one['seed']))
        same = [shown['category'] == 'top', shown['colour'] == 'red', shown['size'] == 'large']
        assert one['agreed'] == np.mean(same)
    assert edit_check.summary(judged)['kept'] == 1 and 'second tagger' in edit_check.table(result)


def test_an_incomplete_line_is_dropped(editor, tmp_path):
    whole = _measure(editor, tmp_path)
    log = tmp_path / 'log.jsonl'
    text = log.read_text()
    for cut in (5, len(text.splitlines()[-1]) // 2, 1):
        log.write_text(text[:-cut])
        assert _measure(editor, tmp_path) == whole and log.read_text() == text
    for content in ('', '{"by"', 'no JSON\n', text.replace('"hit"', 'hit', 1)):
        log.write_text(content)
        assert _measure(editor, tmp_path) == whole and log.read_text() == text


def test_without_a_plausible_target_measuring_is_refused(editor, tmp_path, monkeypatch):
    monkeypatch.setattr(edit_check, 'FEWEST', 10 ** 6)
    with pytest.raises(UserError, match='no edit could be tried'):
        _measure(editor, tmp_path)
