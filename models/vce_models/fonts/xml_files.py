"""XML from anywhere is checked before a parser sees it."""

from __future__ import annotations

import re

_SEEN = rb"(?!utf-?8|(us-)?ascii|iso-8859-|windows-125)"
"""Encodings in which all that ASCII has looks as in ASCII."""

_OTHER = re.compile(rb"\0|^(\xef\xbb\xbf)?\s*<\?xml[^>]*?\bencoding\s*=\s*[\"']" + _SEEN, re.I)


def check_xml(data: bytes, name: str) -> None:
    """Refuse XML with entities, or in an encoding in which they would not be seen.

    Args:
        data: The file.
        name: What the error calls it.

    Raises:
        ValueError: It is refused.
    """
    if _OTHER.search(data):
        raise ValueError(f"{name} is in another encoding than UTF-8")
    if b"<!ENTITY" in data:
        raise ValueError(f"{name} defines entities, which are not read")


def is_xml(data: bytes) -> bool:
    """Return whether a file begins as XML does, in whatever encoding."""
    return data.lstrip(b"\0\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
