"""How far the cells of a sheet reach, judged before it is read: its reader makes every cell up to the last one."""

from __future__ import annotations

from dataclasses import dataclass

from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import cell_name
from recobra.tabular.refusals import FileRefused


@dataclass
class SheetSpan:
    """The last row and the last column of the cells of a sheet, from 1, and how many cells there are."""

    row: int = 0
    column: int = 0
    cells: int = 0

    def add(self, row: int, column: int, *, cells: int = 1) -> None:
        """Take in cells that reach to this row and column. Raises FileRefused where they reach too far."""
        self.row, self.column = max(self.row, row), max(self.column, column)
        self.cells += cells
        refuse_far_cell(self.row, self.column)

    @property
    def is_sparse(self) -> bool:
        """Return whether reading the sheet would cost far more than what is in it."""
        reach = self.row * self.column
        return reach > limits.SPARSE_CELLS and reach > self.cells * limits.SPARSE_RATIO

    def refuse_sparse(self) -> None:
        """Raise FileRefused where nearly all of the sheet is empty."""
        if self.is_sparse:
            raise FileRefused("sheet_sparse", cell=cell_name(self.row, self.column))


def refuse_far_cell(row: int, column: int) -> None:
    """Raise FileRefused where a sheet that reaches to this row and column, from 1, has too many cells."""
    if row * column > limits.SHEET_CELLS:
        raise FileRefused("sheet_span", cell=cell_name(row, column), limit=limits.SHEET_CELLS)
