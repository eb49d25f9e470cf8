"""The forms of results: one small object for each suffix that -o may have.

A new form is a new entry of `FORMS`. `form.Form` has what must be known before any work begins.
`form.Rendered` adds what a form does with conversions that come one by one, and `fonts.FontForm`
adds what it does with a family. These modules load no NumPy: a function that makes a result
imports what it needs.
"""

from __future__ import annotations

from vce_cli.forms.fonts import Designspace, FontForm, Html, Otf, Ttf, Ufo, Woff2
from vce_cli.forms.form import Rendered
from vce_cli.forms.pictures import Gif, Npz, Png, Svg, Webp

_ALL = (Png(), Webp(), Gif(), Svg(), Ttf(), Otf(), Woff2(), Ufo(), Designspace(), Html(), Npz())

FORMS: dict[str, Rendered | FontForm] = {form.suffix: form for form in _ALL}
"""Every form by its suffix."""
