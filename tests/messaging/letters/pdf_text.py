"""Read the text of a PDF back, page by page, through its own character maps: what a search would find."""

import io
import re

from pyhanko.pdf_utils.reader import PdfFileReader


def pages(pdf):
    """Return the text of each page, words in the order in which they were set, soft breaks taken out."""
    return [_text(page) for page in _pages(PdfFileReader(io.BytesIO(pdf)).root["/Pages"])]


def _pages(node):
    if node["/Type"] == "/Page":
        yield node
    else:
        for child in node["/Kids"]:
            yield from _pages(child.get_object())


# A string may hold parentheses as they are where they are balanced (ISO 32000-1, 7.3.4.2).
_PLAIN = r"(?:\\.|[^\\()])*"
_NESTED = rf"\({_PLAIN}(?:\({_PLAIN}(?:\({_PLAIN}\){_PLAIN})*\){_PLAIN})*\)"
_SHOWN = re.compile(rf"(/\S+) \S+ Tf|({_NESTED}|<[0-9A-Fa-f]*>)", re.DOTALL)


def _text(page):
    fonts = page["/Resources"].get("/Font", {})
    maps = {name: _characters(fonts[name]["/ToUnicode"].data.decode("latin-1")) for name in fonts}
    content = page["/Contents"].data.decode("latin-1")
    found, font = [], {}
    for name, shown in _SHOWN.findall(content):
        if name:
            font = maps.get(name, {})
        else:
            found.append("".join(font.get(code, "") for code in _codes(shown)))
    return "".join(found).replace("\u200b", "").replace("\u00ad", "")


def _codes(shown):
    raw = bytes.fromhex(shown[1:-1]) if shown[0] == "<" else _unescaped(shown[1:-1])
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


_ESCAPES = {"n": 10, "r": 13, "t": 9, "b": 8, "f": 12}


def _unescaped(text):
    def one(found):
        mark = found[1]
        return chr(int(mark, 8)) if mark.isdigit() else chr(_ESCAPES.get(mark, ord(mark)))

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.DOTALL).encode("latin-1")


def _characters(cmap):
    """Read `beginbfchar` blocks, the only kind that Typst writes."""
    assert "beginbfrange" not in cmap
    pairs = re.findall(r"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>\n", cmap.split("beginbfchar", 1)[1])
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs if len(code) == 4}
