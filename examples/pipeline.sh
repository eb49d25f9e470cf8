#!/bin/sh
# Every glyph in glyphs/, in the same fifteen hands: one sheet a glyph, and the same rules for all.
set -eu
cd "$(dirname "$0")"
vce convert glyphs -n 15 --seed 7 -o 'styles/{char}.png'
