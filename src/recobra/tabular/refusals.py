"""Refusals of whole files and faults of single rows: codes, with their sentences by gettext."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

READERS_BUSY: Final = "readers_busy"
"""The code of a file that nobody has looked at yet: all who read files are busy with others."""
REASONS: Final[Mapping[str, Promise]] = {
    "not_found": _("There is no file «%(name)s»."),
    "folder": _("«%(name)s» is a folder; a file was expected."),
    "no_permission": _("«%(name)s» cannot be read: no permission."),
    "not_a_file": _("«%(name)s» is not an ordinary file."),
    "empty": _("The file is empty."),
    "too_big": _("The file holds more than %(limit)s bytes, the limit for one load."),
    "needs_memory": _("The file needs more memory to be read than a file may take. Split it and send the parts."),
    "needs_time": _(
        "The file takes longer to be read than a file may take, %(seconds)s seconds. Split it and send the parts."
    ),
    "needs_disk": _("The file unpacks to more than may be kept while it is read. Split it and send the parts."),
    "unreadable": _("The file ends the program that reads it. Save it anew, or as CSV, and send it again."),
    READERS_BUSY: _("Other files are being read. Wait a minute and try again."),
    "too_many_rows": _("The file holds more than %(limit)s rows, the limit for one load."),
    "too_many_columns": _("The file has %(found)s columns; %(limit)s is the limit."),
    "binary": _("The file is binary and none of the formats known: CSV, XLSX, XLS or Parquet."),
    "nul": _("Line %(line)s holds a NUL byte: the file is damaged or not text."),
    "encoding": _("The file is not %(encoding)s as the mapping says: the byte at position %(position)s is invalid."),
    "unknown_encoding": _("The mapping names the encoding «%(encoding)s», which does not exist."),
    "gzip": _("The compressed file is damaged or cut off."),
    "zip_bomb": _("The workbook unpacks to %(unpacked)s bytes from %(packed)s: it is refused as a decompression bomb."),
    "encrypted": _("The workbook is protected by a password; save it without one."),
    "workbook": _(
        "The file is damaged, or is no workbook. Open it in your spreadsheet program, save it anew as XLSX or CSV and "
        "send it again; if it does not open there either, ask whoever made it for another one."
    ),
    "sheet_span": _(
        "The sheet reaches as far as the cell %(cell)s, which makes more than %(limit)s cells. Delete what is written "
        "far from the table, save the workbook and send it again."
    ),
    "sheet_sparse": _(
        "The sheet reaches as far as the cell %(cell)s and is empty nearly everywhere. Delete what is written far from "
        "the table, save the workbook and send it again."
    ),
    "too_many_sheets": _("The workbook has more than %(limit)s sheets."),
    "too_many_parts": _("The workbook has %(found)s parts inside; %(limit)s is the limit."),
    "sheet_missing": _("The workbook has no sheet «%(sheet)s»; it has: %(sheets)s."),
    "parquet": _("The Parquet file is damaged or was cut off. Ask whoever made it to write and send it again."),
    "parquet_type": _(
        "The column «%(column)s» holds lists or structures; each column must hold one value, such as a text, a number "
        "or a date."
    ),
    "parquet_sparse": _(
        "The Parquet file has %(rows)s rows of %(columns)s columns, nearly all of them empty or alike. Leave out the "
        "columns that hold nothing and send it again."
    ),
    "parquet_bomb": _(
        "The Parquet file unpacks to %(unpacked)s bytes from %(packed)s: it is refused as a decompression bomb."
    ),
    "too_many_broken": _(
        "%(found)s of the first %(rows)s rows cannot be laid out in columns (one is line %(line)s): the file is not a "
        "table with this separator and these quotation marks."
    ),
    "long_name": _(
        "What stands where the name of column %(position)s should be has %(found)s characters; %(limit)s is the limit: "
        "the file is not a table, or its first line is lost."
    ),
    "no_header": _("The first line holds no column names."),
    "header_only": _("The file has a header and no rows."),
    "missing_columns": _(
        "The mapping needs columns that the file does not have: %(missing)s. The file has: %(found)s."
    ),
    "duplicate_columns": _("The file has the column «%(column)s» more than once and the mapping uses it."),
    "header_line": _("Line %(line)s, where the names of the columns should be, is empty or is not in the file."),
    "several_sheets": _(
        "Several sheets of the workbook hold the table: %(sheets)s. Name the one to read in the option sheet."
    ),
    "ambiguous_decimal": _(
        "In the column «%(column)s» amounts such as «%(value)s» may mean two things and nothing in the file decides; "
        "set the option decimal to comma or point."
    ),
    "mixed_decimal": _(
        "Amounts are written in two ways, «%(comma)s» and «%(point)s»; set the option decimal to comma or point."
    ),
    "mixed_dates": _(
        "In the column «%(column)s» dates are written in two orders, «%(dmy)s» and «%(mdy)s»; set the option "
        "date_order to dmy or mdy."
    ),
    "year_first": _(
        "In the column «%(column)s» dates such as «%(value)s» may begin with the year; set the option date_order "
        "to ymd, dmy or mdy."
    ),
    "ambiguous_dates": _(
        "In the column «%(column)s» dates such as «%(value)s» may mean two days and nothing in the file decides; set "
        "the option date_order to dmy or mdy."
    ),
    "unclear_dates": _(
        "In the column «%(column)s» dates such as «%(told)s» tell of an unusual order, too few to be sure what dates "
        "such as «%(value)s» mean; set the option date_order to dmy or mdy."
    ),
}

EXPECTED: Final[Mapping[str, Promise]] = {
    "ragged": _("%(expected)s columns; the row has %(found)s"),
    "unclosed_quote": _("a closing quotation mark"),
    "too_long": _("at most %(limit)s characters; there are %(found)s"),
    "bad_bytes": _("text in the file's own encoding"),
    "null_sign": _("text without null characters"),
    "cell_error": _("a value; the cell %(cell)s shows %(error)s"),
    "cell_formula": _("a value; the formula in the cell %(cell)s was never calculated"),
    "text_error": _("a value; the cell shows %(error)s"),
    "digits_lost": _("all figures of the number; those after the fifteenth were lost when it was kept as a number"),
    "scientific": _("all figures of the number; scientific notation keeps only the first ones"),
    "merged": _("an amount of its own; the cell %(cell)s is merged over the rows down to %(last)s"),
}
"""What a row that cannot be laid out in columns should have had."""


def explain_fault(code: str, params: Mapping[str, Any]) -> str:
    """Return in words what a row that cannot be laid out in columns should have had."""
    return str(EXPECTED[code]) % params


class FileRefused(Exception):
    """A file is refused whole; `code` and `facts` say why, the text is fit to show."""

    reasons: ClassVar[Mapping[str, Promise]] = REASONS

    def __init__(self, code: str, /, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code, facts)

    def __str__(self) -> str:
        # The name of a sheet or a column may hold what no column of the database takes.
        return (str(self.reasons[self.code]) % self.facts).replace("\0", " ")
