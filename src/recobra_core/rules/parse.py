"""Parser from text to a sqlglot tree, with limits: what cannot be one plain condition is refused before parsing."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from recobra_core.rules.errors import RuleError

TEXT_LENGTH_MAX = 4000
TOKENS_MAX = 600
DEPTH_MAX = 20
FUNCTIONS = ("abs", "coalesce", "greatest", "least", "length", "lower", "upper")

_KEYWORDS_BEFORE_PARENTHESIS = {"and", "or", "not", "in", "between"}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PUNCTUATION = {
    TokenType.L_PAREN,
    TokenType.R_PAREN,
    TokenType.COMMA,
    TokenType.PLUS,
    TokenType.DASH,
    TokenType.STAR,
    TokenType.EQ,
    TokenType.NEQ,
    TokenType.GT,
    TokenType.GTE,
    TokenType.LT,
    TokenType.LTE,
    TokenType.NUMBER,
    TokenType.STRING,
}


def parse_tree(text: str) -> exp.Expr:
    """Return the tree of one condition. Raises RuleError for anything longer, deeper or other than that."""
    if len(text) > TEXT_LENGTH_MAX:
        raise RuleError("too_long", position=TEXT_LENGTH_MAX, found=str(len(text)), expected=str(TEXT_LENGTH_MAX))
    tokens = _tokenize(text)
    _refuse_hostile(text, tokens)
    _refuse_deep(tokens)
    _refuse_functions(tokens)
    try:
        trees = sqlglot.parse(text)
    except ParseError as error:
        raise _syntax_error(text, error) from error
    except (SqlglotError, RecursionError) as error:
        raise RuleError("syntax", found=text.strip()) from error
    # Several statements, joined by semicolons, are more than one condition.
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Expr):
        raise RuleError("syntax", found=text.strip())
    return tree


def _tokenize(text: str) -> Sequence[Token]:
    """Return the words of a rule. Raises RuleError for a comment, and where there are none or too many."""
    try:
        tokens = sqlglot.tokenize(text)
    except SqlglotError as error:
        at = max(text.rfind("'"), 0)
        raise RuleError("syntax", position=at, found=text[at:].strip()) from error
    if len(tokens) > TOKENS_MAX:
        raise RuleError("too_long", position=tokens[-1].start, found=str(len(tokens)), expected=str(TOKENS_MAX))
    for token in tokens:
        if token.comments:
            raise RuleError("comment", position=token.start, found=token.comments[0].strip())
    if not tokens:
        raise RuleError("empty")
    return tokens


def _refuse_hostile(text: str, tokens: Sequence[Token]) -> None:
    """Refuse words that no condition needs: identifiers in quotes, parameters, other punctuation."""
    for token in tokens:
        if token.token_type == TokenType.IDENTIFIER:
            raise RuleError("quotes", position=token.start, found=token.text)
        written = text[token.start : token.end + 1]
        if token.token_type not in _PUNCTUATION and not _WORD.fullmatch(written):
            raise RuleError("not_allowed", position=token.start, found=written)


def _refuse_deep(tokens: Sequence[Token]) -> None:
    """Refuse parentheses or signs nested deeper than DEPTH_MAX."""
    # Each level is a call of the parser: thousands would end the process.
    depth = 0
    signs_in_a_row = 0
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        if token.token_type in {TokenType.NOT, TokenType.DASH, TokenType.PLUS}:
            signs_in_a_row += 1
        else:
            signs_in_a_row = 0
        if depth > DEPTH_MAX or signs_in_a_row > DEPTH_MAX:
            raise RuleError("too_deep", position=token.start, expected=str(DEPTH_MAX))


def _refuse_functions(tokens: Sequence[Token]) -> None:
    """Refuse calls of any function but FUNCTIONS, and name the nearest of those."""
    # Before parsing, for sqlglot knows hundreds of functions and rewrites some of them.
    for token, following in pairwise(tokens):
        name = token.text.lower()
        opens = following.token_type == TokenType.L_PAREN and token.token_type not in _PUNCTUATION
        if opens and name not in FUNCTIONS and name not in _KEYWORDS_BEFORE_PARENTHESIS:
            close = get_close_matches(name, FUNCTIONS, n=1)
            raise RuleError(
                "unknown_function",
                position=token.start,
                found=token.text,
                nearest=close[0] if close else None,
                expected=", ".join(FUNCTIONS),
            )


def _syntax_error(text: str, error: ParseError) -> RuleError:
    """Return the RuleError for what the parser could not read, at the place where it stopped."""
    # The parser counts lines from 1 and columns to the end of the word it stopped at.
    fault = error.errors[0] if error.errors else {}
    word = str(fault.get("highlight") or "")
    line_number = int(fault.get("line") or 1)
    column = int(fault.get("col") or 0)
    earlier_lines = text.split("\n")[: line_number - 1]
    line_start = sum(len(line) + 1 for line in earlier_lines)
    position = max(line_start + column - len(word), 0)
    return RuleError("syntax", position=min(position, len(text)), found=word or text.strip())
