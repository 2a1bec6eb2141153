"""The stock of phrases that descriptions are made of.

The first half names attributes and is read back by `words.parse`, so those phrases are few and
clear. The second half says nothing about the garment's attributes, so it must not contain any of
their words: no colour but the garment's own, no 'belt', no 'long', no second category.
"""

# Every way to name a value, the first being the usual one; a value not listed is named by itself.
# Reading ignores case and takes a hyphen for a space.
NAMES = {
    'fit and flare': ('fit and flare', 'fit-and-flare'),
    'empire': ('empire', 'empire-line'),
    'plain': ('plain', 'solid'),
    'striped': ('striped', 'stripes'),
    'polka dot': ('polka dot', 'polka dots'),
    'colour block': ('colour block', 'colour-block'),
    'round neck': ('round neckline', 'round neck'),
    'v-neck': ('v-neckline', 'v-neck'),
    'scoop neck': ('scoop neckline', 'scoop neck'),
    'square neck': ('square neckline', 'square neck'),
    'boat neck': ('boat neckline', 'boat neck'),
    'sweetheart neck': ('sweetheart neckline', 'sweetheart neck'),
    'halter neck': ('halter neckline', 'halter neck'),
    'high neck': ('high neckline', 'high neck'),
    'collared': ('shirt collar', 'collared'),
    'cap sleeves': ('cap sleeves', 'cap-sleeved'),
    'short sleeves': ('short sleeves', 'short-sleeved'),
    'long sleeves': ('long sleeves', 'long-sleeved'),
    'bell sleeves': ('bell sleeves', 'bell-sleeved'),
    'straight hem': ('straight hem', 'straight hemline', 'straight hems'),
    'asymmetric': ('asymmetric', 'asymmetrical'),
    'ruffled': ('ruffled', 'ruffle'),
    'side slit': ('side slit', 'slit at the side'),
    'belt': ('belt', 'belted'),
    'buttons': ('buttons', 'button-front'),
    'trousers': ('trousers', 'pants'),
}
NECKS = dict({name: NAMES[name] for name in NAMES if name.endswith('neck')},
             collared=('shirt collar',))
HEMS = {
    'straight hem': ('a straight hem', 'a straight hemline'),
    'asymmetric': ('an asymmetric hem', 'an asymmetric hemline', 'an asymmetrical hem'),
    'ruffled': ('a ruffled hem', 'a ruffled hemline', 'a ruffle hem'),
    'high-low': ('a high-low hem', 'a high-low hemline'),
    'side slit': ('a side slit', 'a slit at the side'),
    'cuffed': ('cuffed ends', 'cuffed hems'),
}
DETAILS = {
    'belt': ('A matching belt marks the waist', 'The belt can be taken off',
             'It comes with a belt', 'A slim belt with a metal buckle completes it'),
    'buttons': ('A row of buttons runs down the front', 'It closes with buttons at the front',
                'Neat buttons finish the front', 'Buttons down the front add interest'),
    'bow': ('A bow at the front adds a sweet touch', 'It is finished with a bow',
            'A soft bow sits at the front', 'The bow is sewn on by hand'),
}
DETAIL_ITEMS = {
    'belt': ('Removable belt', 'Matching belt', 'Belt with metal buckle'),
    'buttons': ('Buttons down the front', 'Front buttons', 'Button-front closure'),
    'bow': ('Bow at the front', 'Bow detail', 'Decorative bow'),
}

COMPOSITIONS = {
    'cotton': ('100% cotton', '98% cotton, 2% elastane', '95% cotton, 5% elastane',
               'Organic cotton'),
    'linen': ('100% linen', '55% linen, 45% viscose', '70% linen, 30% lyocell', 'European linen'),
    'jersey': ('Viscose jersey', 'Jersey: 95% viscose, 5% elastane', 'Stretch jersey',
               'Modal jersey'),
    'crepe': ('Polyester crepe', 'Crepe: 97% polyester, 3% elastane', 'Viscose crepe',
              'Stretch crepe'),
    'chiffon': ('Polyester chiffon', 'Chiffon: 100% polyester', 'Silk chiffon', 'Viscose chiffon'),
    'satin': ('Polyester satin', 'Satin: 97% polyester, 3% elastane', 'Silk satin',
              'Viscose satin'),
    'velvet': ('Stretch velvet', 'Velvet: 92% polyester, 8% elastane', 'Crushed velvet',
               'Silk velvet'),
    'knit': ('Wool-blend knit', 'Knit: 60% viscose, 40% polyamide', 'Rib knit', 'Merino knit'),
}

# Frames of the sentences that name attributes.
BRIEF_OPENERS = (
    '{opening} a {mood} {colour} {category} in {pattern} {fabric}',
    'This {mood} {category} comes in {colour}, made from {feel} {pattern} {fabric}',
    'a {mood} {pattern} {category} in {colour} {fabric}',
    'a {colour} {category} cut from {feel} {pattern} {fabric}',
    'This {category} in {feel} {pattern} {fabric} comes in {colour}',
    '{mood} and {feel}, this {pattern} {category} is made of {colour} {fabric}')
FULL_OPENERS = (
    '{sleeved} {colour} {reach} {category} in {pattern} {fabric}',
    'a {mood} {sleeved} {reach} {category} in {colour}, made from {pattern} {fabric}',
    '{opening} a {sleeved} {pattern} {reach} {category} in {colour} {fabric}',
    'This {sleeved} {reach} {category} comes in {colour}, in {feel} {pattern} {fabric}',
    '{mood} {colour} {category} in {feel} {pattern} {fabric}, {sleeved} and {reach}')
UPPER = ('It has {neck} and {sleeve}', 'Designed with {neck} and {sleeve}',
         '{sleeve} and {neck} complete the design', 'Details include {neck} and {sleeve}')
UPPER_SLEEVELESS = ('It is sleeveless with {neck}', 'The sleeveless bodice has {neck}',
                    'Sleeveless, with {neck}', 'The design is sleeveless and has {neck}')
UPPER_NECK = ('It has {neck}', 'Designed with {neck}', '{neck} frames the face',
              'Details include {neck}')
LOWER = ('The {silhouette} falls to {length} with {hem}',
         'It has a {silhouette}, {length} and {hem}',
         'Cut to {length} in a {silhouette}, with {hem}', 'A {silhouette} and {length} meet {hem}')
LOWER_HEM = ('The {silhouette} ends in {hem}', 'It has a {silhouette} and {hem}',
             'Cut in a {silhouette} with {hem}', 'A {silhouette} meets {hem}')

# From here on no word of the vocabulary.
MOODS = ('effortless', 'elegant', 'playful', 'timeless', 'polished', 'romantic', 'modern', 'easy',
         'striking', 'breezy', 'refined', 'versatile', 'lovely', 'understated', 'cheerful')
FEELS = ('soft', 'lightweight', 'breathable', 'smooth', 'fine', 'comfortable', 'quality',
         'textured', 'flowing', 'premium', 'supple', 'sturdy')
OPENINGS = (
    'Meet your new favourite:', 'New this season:', 'A wardrobe essential:', 'Simply beautiful:',
    'Back by popular demand:', 'The one you will reach for:', 'Our pick of the week:',
    'Made to be noticed:', 'Ready for anything:', 'Designed in our studio:')
PRAISES = (
    'It moves with you and keeps its shape all day', 'The result is flattering from every angle',
    'It feels as good as it looks', 'You will want to wear it again and again',
    'Every seam is finished with care', 'The cut flatters every figure',
    'It looks put together without trying', 'The colour stays true wash after wash',
    'It packs well and hardly creases', 'A piece you will keep for years',
    'Simple lines let the material speak', 'It is made in small batches')
OCCASIONS = ('a summer wedding', 'the office', 'a weekend brunch', 'date night', 'a garden party',
             'your next holiday', 'a day in the city', 'dinner with friends', 'a special occasion',
             'sunny afternoons', 'evenings out', 'a walk by the sea', 'the festive season',
             'a gallery opening')
OCCASION_FRAMES = ('Perfect for {0} or {1}', 'Wear it to {0} and {1}',
                   'Made for {0}, ready for {1}', 'From {0} to {1}, it always works',
                   'Ideal for {0}', 'Just right for {0} and {1}', 'Think {0}, think {1}')
PARTNERS = ('sandals', 'trainers', 'ankle boots', 'loafers', 'heels', 'a denim jacket',
            'a straw hat', 'a leather jacket', 'gold jewellery', 'ballet flats',
            'a light cardigan', 'a clutch bag', 'hoop earrings', 'a tailored blazer',
            'a woven bag')
STYLING_FRAMES = ('Style it with {0} and {1}', 'Pair it with {0} by day and {1} by night',
                  'Add {0} for an instant outfit', 'We love it with {0} or {1}',
                  'Team it with {0}', 'Finish the look with {0} and {1}', 'Just add {0} and {1}')
FITS = ('True to size', 'Fits true to size, take your normal size', 'Runs small, take one size up',
        'Runs large, take one size down', 'Designed for a close fit', 'Designed for a loose fit',
        'Regular fit', 'Slim fit', 'Comfort fit', 'Cut to skim the body')
MODELS = ('Model is {height} and wears a size {size}',
          'Our model is {height} and is wearing size {size}',
          'Model wears size {size} and is {height} tall',
          'Shown on a {height} model in size {size}')
HEIGHTS = ("5'7\"", "5'8\"", "5'9\"", "5'10\"", "5'11\"", "6'0\"", '172 cm', '175 cm', '178 cm')
SIZES = ('XS', 'S', 'M', '6', '8', '10', '34', '36')
CARES = ('Machine wash cold', 'Machine wash warm', 'Hand wash only', 'Dry clean only',
         'Machine wash cold, tumble dry low', 'Hand wash cold, hang to dry', 'Wash inside out',
         'Machine wash gentle cycle, line dry', 'Wash with similar shades', 'Do not bleach',
         'Cool iron if needed', 'Do not tumble dry', 'Wash at 30 degrees')
EXTRAS = ('Fully lined', 'Unlined', 'Partly lined', 'Concealed zip at the back', 'Hidden side zip',
          'Hook and eye fastening', 'Elasticated waist', 'Two side pockets', 'In-seam pockets',
          'Lightly lined', 'Invisible zip', 'Pull-on style', 'Adjustable fastening')
ORIGINS = ('Imported', 'Imported', 'Imported', 'Made in Italy', 'Made in Portugal',
           'Made in the USA', 'Made in Turkey', 'Made in India')
