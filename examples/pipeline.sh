#!/bin/sh
# Draws every picture of the README and of this folder again; options go to each conversion:
# sh pipeline.sh --weights FILE
set -eu
cd "$(dirname "$0")"
font=$(python -c 'import matplotlib; print(matplotlib.get_data_path())')/fonts/ttf/DejaVuSans.ttf
made=$(mktemp -d)
trap 'rm -r "$made"' EXIT

# A sheet for every glyph, all in the same fifteen hands.
vce convert glyphs/ -n 15 --seed 7 -o 'styles/{char}.png' "$@"

# Letters of a font: rows are glyphs, columns are rules.
vce convert "$font" --text abeghkmnrst -n 8 --seed 7 --scale 2 -o pictures/alphabet.png "$@"

# From hand to hand, and back to the first.
vce convert glyphs/ -n 4 --seed 7 --walk --columns 4 -o pictures/walk.gif "$@"

# What leads from one drawing of a B to the other, done to every glyph.
vce convert glyphs/ --like pair/upright.png pair/slanted.png -o pictures/like.png "$@"

# Fonts in three hands, and a sentence in each.
vce convert "$font" -n 3 --seed 7 -o "$made/hand.ttf" "$@"
python specimen.py pictures/specimen.png "$made"/hand-*.ttf
