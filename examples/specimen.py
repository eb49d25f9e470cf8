"""Text set in fonts, a line for each: python specimen.py PICTURE TEXT SIZE FONT[@AXES]...

AXES are the places on the axes of a variable font, as 0,100,0. A text of several lines is set
whole in each font. What the font does to letters by itself (kerning, ligatures, letters in
turn) is done.
"""

import sys

from PIL import Image, ImageDraw, ImageFont

MARGIN, LEADING = 24, 1.25

picture, text, size, *files = sys.argv[1:]
lines, y, set_lines, width = text.replace("\\n", "\n").split("\n"), MARGIN, [], 0.0
for file in files:
    path, _, axes = file.partition("@")
    font = ImageFont.truetype(path, int(size))
    if axes:
        font.set_variation_by_axes([float(axis) for axis in axes.split(",")])
    for line in lines:
        set_lines.append((y, line, font))
        width = max(width, font.getlength(line))
        y += round(int(size) * LEADING)
page = Image.new("L", (round(width) + 2 * MARGIN, y + MARGIN), "white")
for top, line, font in set_lines:
    ImageDraw.Draw(page).text((MARGIN, top + int(size)), line, "black", font, anchor="ls")
page.save(picture, optimize=True)
