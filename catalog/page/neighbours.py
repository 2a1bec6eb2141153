"""The training pictures nearest to each fake, laid beside it: a person sees that it is no copy.

Knows neither the generator nor its records: searching and reading come as functions.
"""

from dnnlib import images

FOLDER = 'products/neighbours'
COUNT = 3


def write(folder, pictures, nearest, fetch):
    """Write the training pictures nearest to each of `pictures` into folder/products/neighbours.

    pictures: uint8 [n, h, w, 3].
    nearest:  function pictures -> (indices int [n, k], distances float [n, k]), nearest first.
    fetch:    function index -> training picture, uint8 [h, w, 3].
    Returns a list of k dicts per picture: 'image', the file's name in `folder`, and 'distance'.
    These files carry no origin, for they are not synthetic.
    """
    rows = []
    for indices, gaps in zip(*nearest(pictures)):
        rows.append([{'image': '%s/%05d.png' % (FOLDER, index), 'distance': round(float(gap), 3)}
                     for index, gap in zip(indices, gaps)])
        for index, neighbour in zip(indices, rows[-1]):
            images.write_png(folder / neighbour['image'], fetch(index))
    return rows
