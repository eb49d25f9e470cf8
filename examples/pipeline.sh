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

# Fonts in three hands, and text in each: a sentence, and letters at 300 pixels an em.
vce convert "$font" -n 3 --seed 7 --chars latin,digits,punctuation -o "$made/hand.ttf" "$@"
sentence='Sphinx of black quartz, judge my vow'
python specimen.py pictures/specimen.png "$sentence" 40 "$font" "$made"/hand-*.ttf
python specimen.py pictures/letters.png 'agRk&' 300 "$font" "$made/hand-02.ttf"

# The same rules, in hands that leave upright stems upright.
vce convert "$font" -n 3 --seed 7 --chars latin,digits,punctuation --calm -o "$made/calm.ttf" "$@"
python specimen.py pictures/calm.png "$sentence" 40 "$font" "$made"/calm-*.ttf

# The same three as axes of one font, and on the way to the second of them.
vce convert "$font" -n 3 --seed 7 --chars latin --variable -o "$made/hands.ttf" "$@"
python specimen.py pictures/axes.png 'Handgloves' 48 "$made/hands.ttf@0,0,0" \
  "$made/hands.ttf@0,50,0" "$made/hands.ttf@0,100,0" "$made/hands.ttf@50,50,0"

# Four drawings of each letter, which take turns.
vce convert "$font" --alternates 4 --seed 7 --chars latin -o "$made/turns.ttf" "$@"
python specimen.py pictures/turns.png 'Mississippi\nthe the the' 96 "$made/turns.ttf"

# A page set in a hand.
page='Whoever needs a character in many styles\nhas one drawing of it, and no time.\n'
page="${page}Rules move the outlines; the baseline, the\nslant and the weight stay those of one hand."
python specimen.py pictures/page.png "$page" 32 "$made/hand-01.ttf"

# The page to choose a hand from, as Chromium shows it.
if command -v chromium > /dev/null; then
  vce convert "$font" -n 3 --seed 7 --chars latin,digits,punctuation --family 'DejaVu by hand' \
    -o "$made/proof.html" "$@"
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$made/chromium" \
    --window-size=1200,900 --screenshot="$PWD/pictures/proof.png" "file://$made/proof.html" 2> /dev/null
fi
