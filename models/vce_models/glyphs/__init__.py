"""Pictures in and out: glyphs are found, read, framed, and their conversions written."""
