#!/bin/sh
# Every glyph in glyphs/, in the same fifteen hands: one seed gives every character the same rules.
set -eu
cd "$(dirname "$0")"
mkdir -p styles
for glyph in glyphs/*.png; do
  vce convert "$glyph" -n 15 --seed 7 -o "styles/$(basename "$glyph")"
done
