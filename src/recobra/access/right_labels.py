"""The rights in plain words, by subject, and what is dangerous in one pair of hands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .roles import Right

GROUPS: Final[Mapping[str | Promise, Mapping[Right, str | Promise]]] = {
    _("Cases and debtors"): {
        Right.SEE_BOARD: _("See the start page with the figures of the portfolios"),
        Right.SEE_CASES: _("See accounts and the files of debtors"),
        Right.SEE_CONTACT_DATA: _("See telephones, e-mails and addresses in full"),
        Right.SEE_NATIONAL_ID: _("See identity documents in full"),
        Right.EDIT_DEBTORS: _("Add and correct telephones, addresses, preferences and people of a debtor"),
        Right.PLACE_HOLD: _("Pause the collection of a debtor"),
        Right.LIFT_HOLD: _("End a pause"),
        Right.JOIN_DEBTORS: _("Join debtors who are the same person, and part them again"),
        Right.CLOSE_TASK: _("Close tasks with what came of them"),
        Right.REGISTER_PROMISE: _("Register a promise to pay"),
        Right.RECORD_CONSENT: _("Write down what a debtor wants to be told, and opt-outs"),
        Right.VISIT: _("See the route of visits and note what came of them"),
    },
    _("Money"): {
        Right.RECORD_PAYMENT: _("Record payments"),
        Right.REVERSE_PAYMENT: _("Reverse payments"),
    },
    _("Messages and conversations"): {
        Right.SEE_MESSAGES: _("See messages and templates"),
        Right.ANSWER_MESSAGES: _("Answer conversations and send messages"),
        Right.LEAD_CONVERSATIONS: _("Give conversations to people and keep the ready answers"),
        Right.EDIT_TEMPLATES: _("Write templates of messages"),
        Right.APPROVE_TEMPLATES: _("Approve templates of messages"),
        Right.RUN_CAMPAIGNS: _("Launch campaigns and print letters"),
    },
    _("Files, strategies and the daily cycle"): {
        Right.SEE_LOADS: _("See loads of files"),
        Right.LOAD_FILES: _("Load files of accounts and payments"),
        Right.SEE_STRATEGIES: _("See strategies and campaigns"),
        Right.EDIT_STRATEGIES: _("Write and publish strategies"),
        Right.SEE_CYCLE: _("See the daily cycle"),
        Right.RUN_CYCLE: _("Run the daily cycle"),
    },
    _("Compliance"): {
        Right.SEE_COMPLIANCE: _("See the rules of each country and the incidents"),
        Right.EDIT_RULES: _("Change the company's rules and policies"),
        Right.RECORD_INCIDENT: _("Record and close incidents"),
        Right.EXPORT_EVIDENCE: _("Export the signed evidence of a debtor"),
        Right.SEE_AUDIT: _("See and verify the journal of everything that was done"),
        Right.DECIDE: _("Decide about what waits for a second person"),
        Right.APPROVE_CRITICAL_CHANGES: _("Approve changes by which one could rob or ruin the company"),
        Right.HANDLE_PERSON_REQUESTS: _("Hand a person's data out on request, and anonymise it"),
        Right.EXPORT: _("Take lists out as files"),
    },
    _("Management"): {
        Right.SEE_TEAM: _("Lead a team and see its members"),
        Right.OPEN_PORTFOLIOS: _("Open creditors and portfolios, and disable them"),
        Right.MANAGE_CHANNELS: _("Set up providers, and what messages say of creditors"),
        Right.MANAGE_USERS: _("Manage users, roles and teams"),
    },
}

DANGERS: Final[tuple[tuple[frozenset[Right], str | Promise], ...]] = (
    (
        frozenset({Right.RECORD_PAYMENT, Right.REVERSE_PAYMENT}),
        _("Whoever records payments and reverses them can hide money that was received."),
    ),
    (
        frozenset({Right.EXPORT, Right.SEE_CONTACT_DATA, Right.SEE_NATIONAL_ID}),
        _("Whoever exports lists and sees all personal data can take every debtor's data out of the house."),
    ),
    (
        frozenset({Right.EDIT_TEMPLATES, Right.APPROVE_TEMPLATES}),
        _("Whoever writes templates and approves them needs a colleague in the same role: nobody approves the own."),
    ),
    (
        frozenset({Right.MANAGE_USERS, Right.RECORD_PAYMENT}),
        _("Whoever manages users and records payments can act under a name that he or she made up."),
    ),
    (
        frozenset({Right.MANAGE_USERS, Right.EXPORT}),
        _("Whoever manages users and exports lists can give himself or herself every portfolio to take out."),
    ),
    (
        frozenset({Right.MANAGE_CHANNELS, Right.RUN_CAMPAIGNS}),
        _("Whoever sets up providers and launches campaigns can send the portfolio to a server of his or her own."),
    ),
)


def find_dangers(rights: Collection[str]) -> list[str | Promise]:
    """Return what is dangerous about some rights in one pair of hands."""
    held = set(rights)
    return [text for together, text in DANGERS if together <= held]


def label_of(right: str) -> str | Promise:
    """Return a right in plain words; one that is in no group as it is."""
    return next((labels[Right(right)] for labels in GROUPS.values() if right in labels), right)
