"""Only approved algorithms serve a cryptographic purpose; what a provider's document demands is named here."""

from __future__ import annotations

import ast

WEAK = {"md5", "sha1", "MD5", "SHA1", "ECB", "CBC", "PKCS1v15", "TripleDES", "ARC4", "Blowfish", "DES"}
BY_CHANCE = {"random", "randint", "choice", "choices", "sample", "getrandbits", "randbytes", "shuffle", "uniform"}
ALLOWED = {
    ("src/recobra/messaging/channels/twilio/signature.py", "sha1"): "The signature of Twilio's calls is so.",
    ("src/recobra/messaging/templates/selection.py", "md5"): "Chance, not secrecy: usedforsecurity is False.",
}
SIMULATIONS = ("src/recobra/cli/", "src/recobra/demo/", "src/recobra_core/dial/")
"""Invented people and simulated days; their chance is repeated on purpose."""


def attributes(tree):
    """Yield each attribute that is looked up, with the name of what it is looked up on where that is a plain name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield (node.value.id if isinstance(node.value, ast.Name) else "", node.attr)


def test_no_weak_algorithm_is_used(sources):
    used = set()
    for path, (_text, tree) in sources.items():
        used |= {(path, name) for owner, name in attributes(tree) if name in WEAK and owner != "pa"}
    assert used - set(ALLOWED) == set()
    assert set(ALLOWED) <= used, "strike what is used no more"


def test_chance_that_can_be_guessed_makes_no_secret(sources):
    used = set()
    for path, (_text, tree) in sources.items():
        if not path.startswith(SIMULATIONS):
            used |= {(path, name) for owner, name in attributes(tree) if owner == "random" and name in BY_CHANCE}
    assert used == set()
