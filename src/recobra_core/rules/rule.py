"""Rules: text in, a checked and compiled rule out."""

from dataclasses import dataclass, field
from typing import Literal

import ibis.expr.types as ir

from recobra_core.rules.catalogue import Catalogue
from recobra_core.rules.compile import check_sizes, compile_condition
from recobra_core.rules.errors import Language
from recobra_core.rules.parse import parse_tree
from recobra_core.rules.reader import read_condition
from recobra_core.rules.terms import Condition, iter_refs
from recobra_core.rules.text import write_condition
from recobra_core.rules.unknown import refuse_unknown
from recobra_core.rules.words import describe_condition

Unknown = Literal["refuse", "no", "yes"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked condition over the snapshot columns. `text` is canonical: equal rules have equal texts."""

    text: str
    unknown: Unknown
    root: Condition = field(repr=False)

    @property
    def columns(self) -> frozenset[str]:
        """Return the catalogue names the rule uses."""
        return frozenset(ref.column.name for ref in iter_refs(self.root))

    def condition(self, table: ir.Table) -> ir.BooleanValue:
        """Return yes or no for each row, never null.

        `table` holds the columns as they are stored, amounts as `…_minor`.
        """
        return compile_condition(self.root, table).fill_null(self.unknown == "yes")

    def in_words(self, lang: Language) -> str:
        """Return the rule as a sentence for people."""
        return describe_condition(self.root, lang=lang)


def compile_rule(text: str, catalogue: Catalogue, *, unknown: Unknown = "refuse") -> Rule:
    """Check a rule and make it ready to run.

    `unknown` says what missing data means: `refuse` asks the author to say it in the rule; `no` and `yes` decide
    it for the whole rule. Raises RuleError.
    """
    root = read_condition(parse_tree(text), catalogue)
    # Now, in front of the author: what compiles here cannot fail in the nightly run.
    check_sizes(root)
    if unknown == "refuse":
        refuse_unknown(root)
    return Rule(write_condition(root), unknown, root)
