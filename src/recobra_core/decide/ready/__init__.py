"""Strategies ready to start from, in Spanish. Amounts and days are a beginning: each company writes its own."""

from functools import cache
from importlib.resources import files

from recobra_core import yaml_text
from recobra_core.decide.strategy import Strategy

CODES = ("consumo", "servicios", "facturas")


@cache
def load_strategy(code: str) -> Strategy:
    """Return a ready-made strategy. Raises KeyError for a code that is not in `CODES`."""
    if code not in CODES:
        raise KeyError(f"No ready-made strategy «{code}»; there are: {', '.join(CODES)}.")
    return Strategy.parse(yaml_text.load((files(__name__) / f"{code}.yaml").read_text("utf-8")))
