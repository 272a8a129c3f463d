"""Every address of the console with what its numbers stand for, and the roles that may open it.

A screen that is missing here fails `test_scope.py::test_every_address_is_in_the_table`.
"""

from __future__ import annotations

from .world import World

ALL = {"ana", "bruno", "carla", "dario", "hilda"}
DESK = {"ana", "bruno", "carla"}
LEADING = {"bruno", "carla"}

# name -> (method, who may, form)
ADDRESSES: dict[str, tuple[str, set[str], dict[str, str]]] = {
    "home": ("get", ALL, {}),
    "accounts": ("get", ALL, {}),
    "accounts-export": ("get", {"carla", "hilda"}, {}),
    "accounts-view-save": ("post", ALL, {"name": "Mías"}),
    "accounts-view-delete": ("post", ALL, {}),
    "debtor": ("get", ALL, {}),
    "debtor-history": ("get", ALL, {}),
    "debtor-ledger": ("get", ALL, {}),
    "debtor-message": ("get", ALL, {}),
    "debtor-payment": ("get", DESK, {}),
    "debtor-reversal": ("get", LEADING, {}),
    "debtor-hold": ("get", DESK, {}),
    "debtor-hold-lift": ("post", LEADING, {}),
    "debtor-task-close": ("post", DESK, {"outcome": "no_answer"}),
}
# Opened by everybody, signed in or not; test_session.py is about them.
OPEN = {"sign-in", "sign-out", "language"}


def numbers(name: str, world: World) -> dict[str, object]:
    """Return the numbers of an address, of rows that exist."""
    debtor = {"debtor_id": world.debtors["María"].pk}
    payer = {"debtor_id": world.debtors["José"].pk}
    held = {"debtor_id": world.debtors["Lucía"].pk}
    return {
        "accounts-export": {"form": "csv"},
        "accounts-view-delete": {"view_id": 1},
        "debtor-ledger": {**debtor, "account_id": world.accounts["María"].pk},
        "debtor-message": {**debtor, "contact_id": world.sent.pk},
        "debtor-reversal": {**payer, "payment_id": world.payment.pk},
        "debtor-hold-lift": {**held, "hold_id": world.hold.pk},
        "debtor-task-close": {**debtor, "task_id": world.task.pk},
    }.get(name, debtor if name.startswith("debtor") else {})
