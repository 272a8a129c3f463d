"""The writer's own words in an e-mail, apart from what is quoted: our own message, whose footer says BAJA."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final, NamedTuple

_WROTE: Final = r"(?:escribi[oó]|wrote|escreveu|a écrit|schrieb|ha scritto)\b"
# With a day or an address in it: people too write of what somebody wrote.
_ATTRIBUTION: Final = re.compile(
    rf"(?=.*[\d@])(?:el|en|on|em|le|am|il|de|from|\d{{4}}[-/]\d).{{3,300}}{_WROTE}.{{0,60}}:"
    rf"|.{{2,100}}<[^<>\s@]{{1,64}}@[^<>\s@]{{1,255}}> ?{_WROTE}.{{6,60}}:",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(
    r"_{5,}|-{2,} ?(?:original message|mensaje (?:original|reenviado)|mensagem original|forwarded message|"
    r"forwarded by|reenviado por).*|begin forwarded message:|inicio del mensaje reenviado:",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(r"\*{0,2}(?:de|from)\s?:\*{0,2}\s?.+", re.IGNORECASE)
_NEXT_HEADER: Final = re.compile(
    r"\*{0,2}(?:enviado(?: el)?|sent|fecha|date|data|para|to|asunto|subject|assunto)\s?:.*", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(r"--\s?")
_ADVERTISING: Final = re.compile(
    r"(?:enviado desde|sent from|get outlook for|obtener outlook para|enviado do meu|descargar outlook).*",
    re.IGNORECASE,
)
_ATTRIBUTION_LINES: Final = 4
_HEADER_LINES: Final = 5
_SKIPPED: Final = frozenset({"script", "style", "head", "title", "template"})
_BREAKS: Final = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "hr", "pre"})
_PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "table"})
_VOID: Final = frozenset({"br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "base", "source"})
_QUOTE_MARKS: Final = ("gmail_quote", "yahoo_quoted", "protonmail_quote", "zmail_extra", "moz-cite-prefix")
_QUOTE_BEGINS: Final = ("divrplyfwdmsg", "appendonsend", "ol-header", "mail-editor-reference-message-container")


class Words(NamedTuple):
    """What the writer wrote, and what stands in the message besides: quotes, signatures, a program's advertising."""

    own: str
    quoted: str


def split_text(text: str) -> Words:
    """Return the writer's own words in a plain text. Answers below and between the lines of a quote are their own."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    own: list[str] = []
    quoted: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        length = _attribution_length(lines, at)
        # Below a program's advertising people write too.
        if line.startswith(">") or _ADVERTISING.fullmatch(line):
            quoted.append(lines[at])
        elif length:
            quoted.extend(lines[at : at + length])
            at += length
            # Programs that mark what they quote let the answer stand below it.
            if not _next_line(lines, at).startswith(">"):
                quoted.extend(lines[at:])
                break
            continue
        elif _SEPARATOR.fullmatch(line) or _SIGNATURE.fullmatch(line) or _is_header_block(lines, at):
            quoted.extend(lines[at:])
            break
        else:
            own.append(lines[at])
        at += 1
    return Words("\n".join(own).strip(), "\n".join(quoted).strip())


def split_html(html: str) -> Words:
    """Return the writer's own words in HTML, as plain text."""
    reader = _HtmlReader()
    reader.feed(html)
    reader.close()
    own = split_text(_tidy("".join(reader.own)))
    quoted = "\n".join(part for part in (own.quoted, _tidy("".join(reader.quoted))) if part)
    return Words(own.own, quoted)


def _attribution_length(lines: list[str], at: int) -> int:
    """Return of how many lines the sentence «On Monday Ana wrote:» is that begins at a line, 0 where none does."""
    for length in range(1, _ATTRIBUTION_LINES + 1):
        # Broken over lines it ends with its colon, or any sentence with «wrote» would be one.
        block = [line.strip() for line in lines[at : at + length]]
        if "" in block or block[0].startswith(">"):
            return 0
        if _ATTRIBUTION.fullmatch(" ".join(block)):
            # The writer's own line may stand right above it.
            is_below = any(_ATTRIBUTION.fullmatch(" ".join(block[begin:])) for begin in range(1, length))
            return 0 if is_below else length
    return 0


def _next_line(lines: list[str], at: int) -> str:
    """Return the next line that is not empty, '' where there is none."""
    return next((line.strip() for line in lines[at:] if line.strip()), "")


def _is_header_block(lines: list[str], at: int) -> bool:
    """Tell if the headers of a quoted message begin at a line, as Outlook writes them."""
    if not _HEADER.fullmatch(lines[at].strip()):
        return False
    following = [line.strip() for line in lines[at + 1 : at + 1 + _HEADER_LINES]]
    return sum(1 for line in following if _NEXT_HEADER.fullmatch(line)) >= 2


def _tidy(text: str) -> str:
    """Return text of HTML with single blanks, and at most one empty line in a row."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _HtmlReader(HTMLParser):
    """Reads the text of HTML, own and quoted apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.own: list[str] = []
        self.quoted: list[str] = []
        self._open_quotes: list[str] = []
        self._skipped = 0
        self._rest_is_quoted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a quote begins, and break lines where a browser does."""
        if tag == "body":
            self._skipped = 0  # the end of the head may be left out
        elif tag in _SKIPPED:
            self._skipped += 1
        marks = " ".join(value or "" for name, value in attrs if name in {"class", "id"}).casefold()
        if any(mark in marks for mark in _QUOTE_BEGINS):
            self._rest_is_quoted = True
        is_quote = tag == "blockquote" or any(mark in marks for mark in _QUOTE_MARKS)
        if tag not in _VOID and (is_quote or (self._open_quotes and tag == self._open_quotes[0])):
            self._open_quotes.append(tag)
        if tag in _BREAKS:
            self._put("\n\n" if tag in _PARAGRAPHS else "\n")

    def handle_endtag(self, tag: str) -> None:
        """Note where a quote ends."""
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        if self._open_quotes and tag == self._open_quotes[-1]:
            self._open_quotes.pop()
        if tag in _PARAGRAPHS:
            self._put("\n\n")

    def handle_data(self, data: str) -> None:
        """Take text over."""
        if not self._skipped:
            self._put(data.replace("\n", " "))

    def _put(self, text: str) -> None:
        is_quoted = self._rest_is_quoted or bool(self._open_quotes)
        (self.quoted if is_quoted else self.own).append(text)
