"""The rule language: SQL conditions over documented columns, checked, compiled to Ibis and said in words."""

from recobra_core.rules.account_columns import ACCOUNT_COLUMNS, FACT_COLUMNS
from recobra_core.rules.builder import OPERATORS, Row, from_builder, to_builder
from recobra_core.rules.catalogue import ARROW_TYPES, EXPONENT_COLUMN, Catalogue, Column, ColumnType, FactColumn
from recobra_core.rules.errors import Language, RuleError
from recobra_core.rules.rule import Rule, Unknown, compile_rule

__all__ = [
    "ACCOUNT_COLUMNS",
    "ARROW_TYPES",
    "EXPONENT_COLUMN",
    "FACT_COLUMNS",
    "OPERATORS",
    "Catalogue",
    "Column",
    "ColumnType",
    "FactColumn",
    "Language",
    "Row",
    "Rule",
    "RuleError",
    "Unknown",
    "compile_rule",
    "from_builder",
    "to_builder",
]
