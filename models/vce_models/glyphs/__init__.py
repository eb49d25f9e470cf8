"""Pictures in and out: glyphs are read and framed, and their conversions are written."""
