"""A sentence set in fonts, a line in each: python specimen.py PICTURE FONT..."""

import sys

from PIL import Image, ImageDraw, ImageFont

SENTENCE = "Sphinx of black quartz, judge my vow"
SIZE, MARGIN = 40, 16

picture, *files = sys.argv[1:]
fonts = [ImageFont.truetype(file, SIZE) for file in files]
width = max(font.getlength(SENTENCE) for font in fonts)
line = max(sum(font.getmetrics()) for font in fonts)
page = Image.new("L", (round(width) + 2 * MARGIN, len(fonts) * line + 2 * MARGIN), "white")
for i, font in enumerate(fonts):
    ImageDraw.Draw(page).text((MARGIN, MARGIN + i * line), SENTENCE, "black", font)
page.save(picture, optimize=True)
