import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from catalog import source
from catalog.prune import decisions
from dnnlib.files import UserError

SHARED = pathlib.Path(__file__).parents[3] / 'shared'
HEADER = 'image,description,category,colour,fabric,price,truth\n'


def picture(path, tone=200):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full([8, 8, 3], tone, np.uint8)).save(str(path))


def catalogue(folder, lines, header=HEADER, names=('a.png', 'b.png')):
    for name in names:
        picture(folder / name)
    text = header + ''.join(f"{line}\n" for line in lines)
    (folder / 'products.csv').write_bytes(text.encode('utf-8'))
    return folder


TWO = ('a.png,"A red, short dress.",dress,Dark_Red,silk,19.90,good',
       'b.png,A skirt.,skirt,none,Silk,5,small')


def test_catalogue_folder(tmp_path):
    first, second = source.read(catalogue(tmp_path, TWO))
    assert first.image == tmp_path / 'a.png' and first.name == 'a.png'
    assert first.description == 'A red, short dress.' and first.category == 'dress'
    assert first.tags == ('dress', 'dark red', 'silk')  # no price, no truth
    assert second.tags == ('skirt', 'silk')


def test_attributes_are_short_values_that_products_share(tmp_path, capsys):
    lines = [f'a.png,Text {i}.,dress,{["red", "blue"][i % 2]},{"care " * 20},{i},Style {i},{brand}'
             for i, brand in enumerate(['acme', 'N/A'] * 20)]
    folder = catalogue(tmp_path, lines,
                       'image,description,category,colour,care,price,title,"brand, or maker"\n')
    first, second = source.read(folder)[:2]
    assert first.attributes == (('colour', 'red'), ('brand, or maker', 'acme'))
    assert second.tags == ('dress', 'blue')
    assert capsys.readouterr().out.endswith(
        'products.csv: columns that are not attributes: care (texts), price (numbers, yes or no), '
        'title (nearly every product has its own)\n')
    first, _ = source.read(folder, tag_columns=['care', 'title'])[:2]
    assert first.tags == ('style 0',)  # a text is no tag, even if it is chosen


def test_missing_images_are_kept_if_others_exist(tmp_path):
    folder = catalogue(tmp_path, TWO + ('c.png,A top.,top',))
    assert [p.image.exists() for p in source.read(folder)] == [True, True, False]


def test_chosen_tags_and_key(tmp_path):
    folder = catalogue(tmp_path, TWO)
    first, second = source.read(folder, tag_columns=('fabric',), key_column='price')
    assert (first.tags, first.key) == (('silk',), '19.90')
    assert (second.tags, second.key) == (('silk',), '5')


def test_equal_descriptions_are_one_product_unless_a_key_says_otherwise(tmp_path):
    (tmp_path / 'x.csv').write_text('sku,description\n1,Same.\n2,Same.\n', encoding='utf-8')
    one, two = source.read(tmp_path / 'x.csv')
    assert one.key == two.key
    one, two = source.read(tmp_path / 'x.csv', key_column='sku')
    assert one.key != two.key


@pytest.mark.parametrize('separator', ',;\t')
def test_spreadsheet_habits(tmp_path, separator):
    text = '\ufeffname,text\r\nx,"Line one\r\nline, two; é"\r\n'
    text = separator.join(text.split(',', 1))
    text = text.replace('x,', f'x{separator}')
    (tmp_path / 'x.csv').write_bytes(text.encode('utf-8'))
    product, = source.read(tmp_path / 'x.csv', text_column='text', tag_columns=['name'])
    assert product.description == 'Line one\nline, two; é' and product.tags == ('x',)
    assert product.image is None


def test_class_folders_and_hidden_files(tmp_path):
    for name in ('dress/1.jpg', 'dress/.1.jpg', 'evening_gown/2.PNG', '.cache/3.jpg', '4.jpg',
                 '2019/6.jpg'):
        picture(tmp_path / name)
    (tmp_path / 'dress' / 'notes.txt').write_text('no image')
    products = {product.name: product for product in source.read(tmp_path)}
    assert sorted(products) == ['2019/6.jpg', '4.jpg', 'dress/1.jpg', 'evening_gown/2.PNG']
    assert products['evening_gown/2.PNG'].tags == ('evening gown',)
    assert products['2019/6.jpg'].category == '2019'  # a number is a name of a folder
    assert products['4.jpg'].category == '' and products['4.jpg'].tags == ()


def test_text_file(tmp_path):
    (tmp_path / 'x.txt').write_bytes('One dress.\r\n\r\n  Two drésses. \n'.encode())
    texts = [p.description for p in source.read(tmp_path / 'x.txt')]
    assert texts == ['One dress.', 'Two drésses.']


def test_json_lines(tmp_path):
    (tmp_path / 'x.jsonl').write_text(
        '{"sku": 7, "story": "Line one.\\n- Line two", "colour": "Dark_Red", "category": "dress"}\n'
        '{"sku": 7, "story": "Same product.", "colour": null}\n', encoding='utf-8')
    one, two = source.read(tmp_path / 'x.jsonl', text_column='story', key_column='sku',
                           tag_columns=['colour'])
    assert one.description == 'Line one.\n- Line two' and one.category == 'dress'
    assert (one.tags, two.tags) == (('dark red',), ()) and one.key == two.key == '7'


def text_files(folder):
    """Three text files, one in a folder of its own, and a hidden one."""
    (folder / 'more').mkdir(parents=True)
    (folder / 'b.txt').write_text('One.\nTwo.\n')
    (folder / 'a.csv').write_text('description\nThree.\n')
    (folder / 'more' / 'c.JSONL').write_text('{"description": "Four."}\n')
    (folder / '.d.txt').write_text('Hidden.\n')
    return folder


def test_a_folder_and_a_glob_read_all_their_text_files(tmp_path):
    folder = text_files(tmp_path / 'texts')
    for path, expected in ((folder, 'Three. One. Two. Four.'), (folder / '*.txt', 'One. Two.'),
                           (folder / '[ab].*', 'Three. One. Two.'),
                           (folder / '**' / '*.JSONL', 'Four.')):
        assert ' '.join(product.description for product in source.read(path)) == expected
    picture(folder / 'more' / 'a.png')
    assert [product.name for product in source.read(folder)] == ['more/a.png']


def bad_inputs(tmp_path):
    """Pairs (a call that must be refused, words its message must hold)."""
    for name, lines in (('ok', TWO), ('lost', ('c.png,x,y', 'd.png,x,y')),
                        ('wide', TWO + ('a.png,x, y, and z,dress,red,silk,1,good',)),
                        ('empty', ())):
        catalogue(tmp_path / name, lines)
    (tmp_path / 'bare').mkdir()
    picture(tmp_path / 'pictures' / 'a.png')
    (tmp_path / 'latin.csv').write_bytes('description\nRobe d\xe9t\xe9\n'.encode('latin-1'))
    (tmp_path / 'open.csv').write_bytes(b'description\nA\n"open\n')
    (tmp_path / 'x.txt').write_bytes(b'A dress.\n')
    (tmp_path / 'blank.txt').write_bytes(b'\n \n')
    (tmp_path / 'x.pdf').write_bytes(b'%PDF')
    read = source.read
    return [
        (lambda: read(tmp_path / 'none'), ('none', 'does not exist', 'run.py demo')),
        (lambda: read(tmp_path / 'bare'), ('bare', 'no image', '.jpg')),
        (lambda: read(tmp_path / 'empty'), ('empty', 'no product')),
        (lambda: read(tmp_path / 'lost'), ('2 image files, none of which exists', 'c.png')),
        (lambda: read(tmp_path / 'wide'), ('line 4', 'more cells', 'double quotes')),
        (lambda: read(tmp_path / 'ok', text_column='blurb'), ("'blurb'", 'image, description')),
        (lambda: read(tmp_path / 'ok', tag_columns=['hue']), ("'hue'", 'fabric')),
        (lambda: read(tmp_path / 'pictures', tag_columns=['hue']), ('no products.csv', 'CSV file')),
        (lambda: read(tmp_path / 'latin.csv'), ('latin.csv line 2', 'UTF-8', 'byte 18')),
        (lambda: read(tmp_path / 'open.csv'), ('open.csv line', 'not CSV')),
        (lambda: read(tmp_path / 'x.txt', tag_columns=['hue']), ('no columns',)),
        (lambda: read(tmp_path / 'blank.txt'), ('no product',)),
        (lambda: read(tmp_path / 'x.pdf'), ('folder, a .txt, a .csv',)),
        (lambda: read(tmp_path / '*.tsv'), ('*.tsv', 'does not exist')),
        (lambda: read(tmp_path / '*.pdf'), ('x.pdf', 'not a catalogue')),
        (lambda: read(text_files(tmp_path / 'texts'), tag_columns=['hue']), ("'hue'", 'a.csv')),
        (lambda: read(tmp_path / 'pictures' / 'a.png'), ('one image', 'folder')),
        (lambda: source.with_pictures(read(tmp_path / 'x.txt'), 'x.txt'), ('no images',)),
        (lambda: source.with_texts(read(tmp_path / 'pictures'), 'p'), ('no descriptions',))]


def test_every_misuse_gets_one_line_that_helps(tmp_path):
    for call, expected in bad_inputs(tmp_path):
        with pytest.raises(UserError, match=re.escape(expected[0])) as caught:
            call()
        message = str(caught.value)
        assert '\n' not in message and all(word in message for word in expected), message


def judged(folder, data, **keep):
    rows = [dict.fromkeys(decisions.COLUMNS, '') for _ in keep]
    for row, (name, word) in zip(rows, sorted(keep.items())):
        row.update(image=f'{name}.png', keep=word, rule='good', reason='good')
    decisions.write(folder, rows, catalogue=data, options={})


def test_read_kept_follows_manual_decisions(tmp_path):
    data, out = catalogue(tmp_path / 'data', TWO), tmp_path / 'out'
    judged(out, data, a=' No ', b='yes')
    assert [p.name for p in source.read_kept(out)] == ['b.png']
    assert [p.name for p in source.read(out)] == ['a.png', 'b.png']  # all, for their texts
    assert len(source.read_kept(data)) == 2  # nobody pruned this folder
    judged(out, data, a='', b='no')
    assert [p.name for p in source.read_kept(out)] == ['a.png']  # empty: as the rules say


def test_read_kept_refuses_invalid_decisions(tmp_path):
    data, out = catalogue(tmp_path / 'data', TWO), tmp_path / 'out'
    for keep, expected in ((dict(a='maybe', b='yes'), ("a.png: keep is 'maybe'", 'yes or no')),
                           (dict(a='no', b='no'), ('keeps no images',)),
                           (dict(a='yes'), ('1 images', 'b.png', 'prune again'))):
        judged(out, data, **keep)
        with pytest.raises(UserError, match=re.escape(expected[0])) as caught:
            source.read_kept(out)
        assert all(word in str(caught.value) for word in expected), caught.value


def test_real_records():
    path = SHARED / 'data' / 'hm_dresses.csv'
    if not path.exists():
        pytest.skip('needs the recorded data, which is no part of the project')
    products = source.read(path, text_column='detail_desc', key_column='product_code',
                           tag_columns=['product_type_name', 'graphical_appearance_name',
                                        'colour_group_name'])
    assert len(products) == 4665 and len(source.with_texts(products, path)) == 4665 - 23
    assert products[0].tags == ('dress', 'solid', 'dark grey')
    assert len({product.key for product in products}) == 2574
