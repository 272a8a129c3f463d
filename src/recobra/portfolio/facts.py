"""Kinds of facts about creditors, portfolios, holds and what is known of debtors."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("creditor.opened", _("Creditor opened"))
class CreditorOpened(Fact):
    """A creditor is known to the installation."""

    creditor_id: int
    code: str


@fact("creditor.saved", _("Details of a creditor changed"))
class CreditorSaved(Fact):
    """Details that messages name are others; `changed` are names of fields, since a text may name a person."""

    creditor_id: int
    code: str
    changed: list[str]


@fact("creditor.payment_instructions_changed", _("Where to pay changed"))
class PaymentInstructionsChanged(Fact):
    """Messages say another way to pay. The approval keeps old and new text, encrypted; the digests prove them.

    A digest is the SHA-256 of the approval's salt and the text, in hexadecimal. `author` wrote the change.
    """

    creditor_id: int
    code: str
    approval_id: int
    author: str
    old_digest: str
    new_digest: str


@fact("creditor.disabled", _("Creditor disabled"))
class CreditorDisabled(Fact):
    """Nothing of a creditor is worked any more, its portfolios included. `reason` is a code of `DisableReason`."""

    creditor_id: int
    code: str
    reason: str


@fact("creditor.enabled", _("Creditor enabled again"))
class CreditorEnabled(Fact):
    """Portfolios of a creditor may be opened and enabled again; those that were disabled with it stay so."""

    creditor_id: int
    code: str


@fact("portfolio.opened", _("Portfolio opened"))
class PortfolioOpened(Fact):
    """A portfolio is ready to be loaded. `settings_of` is the portfolio whose policy it begins with, None for none."""

    code: str
    settings_of: int | None = None


@fact("portfolio.renamed", _("Portfolio renamed"))
class PortfolioRenamed(Fact):
    """A portfolio has another name; its code stays."""

    code: str


@fact("portfolio.disabled", _("Portfolio disabled"))
class PortfolioDisabled(Fact):
    """Nothing is loaded into a portfolio, planned or sent any more. `reason` is a code of `DisableReason`."""

    code: str
    reason: str


@fact("portfolio.enabled", _("Portfolio enabled again"))
class PortfolioEnabled(Fact):
    """A portfolio is worked again, from its next load and the next cycle on."""

    code: str


@fact("portfolio.columns_saved", _("Own columns of a portfolio declared or changed"))
class OwnColumnsSaved(Fact):
    """Columns of the creditor's own, by name; `changed` are the parts of a declaration that are others, none if new."""

    fields: list[str]
    changed: list[str]


@fact("hold.placed", _("Hold placed"))
class HoldPlaced(Fact):
    """The pursuit of a debtor, or of the account that is the subject, pauses.

    `ends_on` None: until somebody lifts it. `is_planned`: the plan of the day placed it and knows of it. Earlier
    entries of whole plans hold the id alone.
    """

    hold_id: int
    reason: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    is_planned: bool = False


@fact("hold.lifted", _("Hold lifted"))
class HoldLifted(Fact):
    """A hold ended before its day; `is_planned`: with the plan of a day that was taken back."""

    hold_id: int
    reason: str
    is_planned: bool = False


@fact("debtor.joined", _("Debtors joined: a person said that they are one"))
class DebtorJoined(Fact):
    """Everything of `joined_id` went to `kept_id`; both have the fact. `reason` is a code of `DebtorJoin.Reason`."""

    join_id: int
    kept_id: int
    joined_id: int
    reason: str


@fact("debtor.parted_again", _("Joined debtors parted again"))
class DebtorPartedAgain(Fact):
    """A join was undone; both have the fact. `reason` is a code of `DebtorJoin.PartReason`."""

    join_id: int
    kept_id: int
    joined_id: int
    reason: str


@fact("debtor.found_different", _("A person said that two debtors are different people"))
class DebtorsFoundDifferent(Fact):
    """The debtor and another one look alike and are two people: they are not proposed again."""

    other_id: int


@fact("contact_point.added", _("Contact data added"))
class ContactPointAdded(Fact):
    """A telephone, e-mail or address of a debtor is in use, for the first time or again.

    `source` is a code of `ContactPoint.Source`; `note_id` the note that says where it comes from.
    """

    point_id: int
    point_kind: str
    place: str
    source: str
    note_id: int | None = None


@fact("contact_point.corrected", _("Contact data corrected"))
class ContactPointCorrected(Fact):
    """The point `corrected_by` stands in the place of `point_id`, which is retired."""

    point_id: int
    corrected_by: int
    note_id: int | None = None


@fact("contact_point.retired", _("Contact data taken out of use"))
class ContactPointRetired(Fact):
    """Nothing is sent to a point any more; `reason` is a code of `ContactPoint.RetiredBecause`."""

    point_id: int
    reason: str
    note_id: int | None = None


@fact("contact_point.placed", _("Whose contact data it is changed"))
class ContactPointPlaced(Fact):
    """A point is said to be personal, at work or another person's; `place` is a code of `ContactPoint.Place`."""

    point_id: int
    place: str
    note_id: int | None = None


@fact("debtor.preferences_set", _("Preferences of contact set"))
class PreferencesSet(Fact):
    """In which language, by which channel and between which hours a debtor would rather be contacted; '' for none."""

    language: str
    channel: str
    hours_from: str
    hours_to: str
    note_id: int | None = None


@fact("note.written", _("Note written"))
class NoteWritten(Fact):
    """Staff wrote a note about the debtor; the words are in `DebtorNote`, encrypted."""

    note_id: int


@fact("party.added", _("Person added to an account"))
class PartyAdded(Fact):
    """Somebody stands around the account that is the subject: the debtor `person_id`, in a part of `Party.Part`."""

    party_id: int
    person_id: int
    part: str
    note_id: int | None = None


@fact("party.retired", _("Person taken away from an account"))
class PartyRetired(Fact):
    """Somebody stands around the account that is the subject no more."""

    party_id: int
    person_id: int
    part: str
    note_id: int | None = None
