"""Pages are told from files, read for their message, and Drive's confirmations are found."""

import pytest

from dnnlib.fetch import webpage


@pytest.mark.parametrize('kind, start, page', [
    ('text/html; charset=utf-8', b'', True), ('application/xml', b'', True),
    ('Text/HTML', b'\x80', True), ('', b'<html>', True), ('', b'\xef\xbb\xbf\r\n <Error>', True),
    ('application/octet-stream', b'<!DOCTYPE', True), ('application/octet-stream', b'\x80', False),
    ('application/json', b'{"<": 1}', False), ('text/plain', b'#version: 0.2', False),
    ('', b'', False)])
def test_pages_are_told_from_files(kind, start, page):
    assert webpage.is_page(kind, start) == page


@pytest.mark.parametrize('page, words', [
    (b'<html><head><title>\n Not &amp; here </title></head><body>more</body>', 'Not & here'),
    (b'<Error><Code>BlobNotFound</Code><Message>long</Message></Error>', 'BlobNotFound'),
    (b'<p>Gr\xc3\xb6\xc3\x9fe</p>\n<p>two</p>', 'Größe two'), (b'x' * 200, 'x' * 80),
    (b'\xff', '\ufffd'), (b'', '')])
def test_a_page_says_one_line(page, words):
    assert webpage.says(page) == words


@pytest.mark.parametrize('page, behind', [
    (b'<form id="download-form" action="https://b.com/download" method="get"><input name="id" '
     b'value="7"><input type="hidden" name="confirm" value="t"></form>',
     'https://b.com/download?id=7&confirm=t'),
    (b'<form action="https://b.com/uc?id=7&amp;confirm=t&amp;uuid=1-2" method="post"></form>',
     'https://b.com/uc?id=7&confirm=t&uuid=1-2'),
    (b'<a id="uc-download-link" href="/uc?export=download&amp;confirm=Xy_1&amp;id=7">anyway</a>',
     'https://a.com/uc?export=download&confirm=Xy_1&id=7'),
    (b'<form action="/search"><input name="q"></form><form action="go"><input name="confirm" '
     b'value="t"></form>', 'https://a.com/go?confirm=t'),
    (b'<form action="/signin"><input name="email"></form><a href="/help">help</a>', None),
    (b'<form action="file:///etc/passwd?confirm=t"></form>', None),
    (b'<a href="http://[?confirm=t">broken</a><a href="/uc?confirm=t">',
     'https://a.com/uc?confirm=t'),
    (b'<a href>', None), (b'\x80\xff<', None)])
def test_the_way_past_a_confirmation(page, behind):
    assert webpage.confirmation(page, 'https://a.com/uc?id=7') == behind
