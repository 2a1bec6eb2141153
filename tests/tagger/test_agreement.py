"""Agreement of image and text, and when it cannot be decided."""

import pathlib
import shutil

import numpy as np
import pytest

from tagger import agreement
from tagger.agreement import Comparison, Prediction

TAGS = {'category': ('dress', 0.99), 'neckline': ('v-neck', 0.4), 'colour': ('red', 0.9),
        'sleeve': ('sleeveless', 0.8), 'belt': ('', 0.9), 'shape': ('a-line', 0.7)}


def test_confident_tags_are_in_word_order():
    seen = agreement.prediction(TAGS)
    assert seen.tags == ['sleeveless', 'red', 'a-line', 'dress']
    assert seen.category == 'dress' and seen.attributes['neckline'] == 'v-neck'
    assert seen.probabilities['neckline'] == 0.4


def test_tags_are_plain_unique_and_always_have_the_category():
    seen = agreement.prediction({'category': ('Long_Dress', 0.3), 'colour': ('red', 0.9),
                           'accent': ('red', 0.9)})
    assert seen.tags == ['red', 'long dress'] and seen.category == 'Long_Dress'
    assert agreement.prediction({'colour': ('red', 0.9)}).category == ''


@pytest.mark.parametrize('said, agrees, unjudged', [
    ({'category': ['dress'], 'colour': ['red']}, {'category': True, 'colour': True}, []),
    ({'category': ['skirt'], 'colour': []}, {'category': False}, []),
    ({'category': [], 'colour': ['blue']}, {'category': False, 'colour': False}, []),
    ({'category': ['dress'], 'neckline': ['v-neck']}, {'category': True}, ['neckline']),
    ({'category': ['dress'], 'neckline': ['v-neck', 'collared']},
     {'category': True, 'neckline': False}, []),
    ({'category': ['dress'], 'belt': ['wide']}, {'category': True, 'belt': False}, []),
    ({'colour': ['red']}, {'colour': True}, []),
    ({'mood': ['gay']}, {}, [])])
def test_comparisons(said, agrees, unjudged):
    comparison = agreement.compare(agreement.prediction(TAGS), said)
    assert comparison.agreement == agrees and comparison.unjudged == unjudged
    assert comparison.wrong() == list(agrees.values()).count(False)


def test_a_product_without_a_category_agrees_with_a_text_that_names_none():
    seen = agreement.prediction(dict(TAGS, category=('', 0.9)))
    for named, agrees in (([], True), (['dress'], False)):
        assert agreement.compare(seen, {'category': named}).agreement == {'category': agrees}


def test_the_report_counts_products_before_and_after():
    def product(redrawn, **agrees):
        return {'agreement': agrees, 'redrawn': redrawn, 'unjudged': ['fabric']}
    lines = agreement.report([product(0, category=True), product(2, category=True, hem=True),
                              product(5, category=True, hem=False), product(0)]).split('\n')
    assert lines[1].strip() == '2 of 4 at first (50.0 %)'
    assert lines[2].strip() == '3 of 4 after resampling (75.0 %), 7 more texts'
    assert lines[3].strip().startswith('5 statements compared, 4 skipped')
    assert [line.strip() for line in lines[4:]] == ['hem: 1 of 2 disagree']


def test_a_product_tagger_with_and_without_a_text_tagger(tmp_path):
    folder = pathlib.Path(__file__).parents[2] / 'pretrained' / 'tagger'
    both = agreement.ProductTagger(folder / 'tagger.npz', threads=1)
    pictures = np.full([2, 64, 64, 3], 250, np.uint8)
    seen = both.describe(pictures)
    assert len(seen) == 2 and isinstance(seen[0], Prediction)
    assert seen[0] == agreement.prediction(both.images.tags(pictures)[0])
    text = 'A red dress.'
    assert both.check(seen[0], text) == agreement.compare(seen[0], both.texts.named(text))
    shutil.copy(str(folder / 'tagger.npz'), str(tmp_path))
    alone = agreement.ProductTagger(tmp_path / 'tagger.npz', threads=1)
    assert alone.texts is None and alone.check(seen[0], text) == Comparison({}, [])
