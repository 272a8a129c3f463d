"""Labels of accounts, payments, messages, templates, tasks and conversations."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .family import Families, field_labels

FAMILIES: Final[Families] = {
    # recobra_core.decide.steps.STAGES
    "stage": {
        "PREVENTIVE": (_("Preventive"), "good"),
        "ADMINISTRATIVE": (_("Administrative"), "calm"),
        "EXTRAJUDICIAL": (_("Extrajudicial"), "warn"),
        "JUDICIAL": (_("Judicial"), "bad"),
    },
    "account": field_labels("portfolio.Account", "status", OPEN="calm", PAID="good", MISSING="warn"),
    "product": field_labels("portfolio.Account", "product"),
    "contact": field_labels(
        "messaging.Contact",
        "status",
        DUE="calm",
        LEASED="calm",
        SENT="good",
        FAILED="bad",
        BLOCKED="warn",
        UNCERTAIN="bad",
    ),
    "load": field_labels(
        "intake.Load", "status", RUNNING="calm", DONE="good", HELD="warn", REFUSED="bad", FAILED="bad"
    ),
    "channel": field_labels("messaging.Contact", "channel"),
    # recobra_core.law.clauses.ROLES
    "role": {
        "debtor": (_("Debtor"), "quiet"),
        "co_debtor": (_("Co-debtor"), "quiet"),
        "guarantor": (_("Guarantor"), "quiet"),
        "reference": (_("Reference"), "quiet"),
        "other": (_("Other people"), "quiet"),
    },
    "hold": field_labels(
        "portfolio.Hold",
        "reason",
        DISPUTE="warn",
        PROMISE="calm",
        PAYMENT_IN_PROCESS="calm",
        ILLNESS="warn",
        DECEASED="warn",
        INSOLVENCY="warn",
        DISASTER="warn",
        LEGAL="warn",
        SUIT_SERVED="warn",
        CEASE_LETTER="warn",
        ATTORNEY="warn",
        MINOR="warn",
        PRESCRIBED="warn",
        VULNERABLE="warn",
    ),
    "posting": field_labels("portfolio.Posting", "kind", PAYMENT="good", ADJUSTMENT="calm", WRITE_OFF="warn"),
    "concept": field_labels("portfolio.Posting", "concept"),
    "source": field_labels("payments.Payment", "source"),
    "task": field_labels("workbench.Task", "status", OPEN="calm", DONE="good"),
    # Reasons of recobra_core.decide.plan.Plan: the titles of tasks to find a way to reach a debtor
    "unreachable": {
        "no_point": (_("Look for a telephone, e-mail or address of the debtor"), "warn"),
        "channel_not_open": (_("Reach the debtor another way: the channel is not installed"), "warn"),
        "no_template": (_("Reach the debtor another way: the channel has no approved template"), "warn"),
        "point_not_valid": (_("Look for a telephone, e-mail or address of the debtor that is valid"), "warn"),
        "opted_out": (_("See how to go on: the debtor may not be written to by these channels"), "warn"),
    },
    # Classes of risk of a load's diagnosis (intake.load.diagnosis.RISKS)
    "risk": {
        "none": (_("Not due yet"), "good"),
        "low": (_("Low: 1 to 30 days"), "calm"),
        "medium": (_("Medium: 31 to 90 days"), "warn"),
        "high": (_("High: 91 to 180 days"), "bad"),
        "very_high": (_("Very high: over 180 days"), "bad"),
        "unknown": (_("Without a due date"), "quiet"),
    },
    # Outcomes of a task, chosen in forms.TaskForm and stored as they are here
    "outcome": {
        "contacted": (_("Talked to the debtor"), "good"),
        "no_answer": (_("No answer"), "quiet"),
        "wrong_data": (_("Wrong number or address"), "warn"),
        "will_pay": (_("Says he or she will pay"), "good"),
        "refuses": (_("Refuses to pay"), "bad"),
        "done": (_("Done"), "good"),
        "not_needed": (_("Not needed any more"), "quiet"),
        "taken_back": (_("The plan of its day was taken back"), "quiet"),
    },
    "template": field_labels("messaging.Template", "status", SUBMITTED="warn", APPROVED="good", REJECTED="bad"),
    "approval": field_labels("approvals.Approval", "decision", WAITING="warn", APPROVED="good", REJECTED="bad"),
    # What proved who somebody was: `means` and `factor` of access.facts
    "proof": {
        "password": (_("Password"), "quiet"),
        "totp": (_("Authenticator app"), "quiet"),
        "passkey": (_("Passkey"), "quiet"),
        "recovery": (_("Recovery codes"), "quiet"),
        "sign_on": (_("Single sign-on"), "quiet"),
        "provider": (_("with its second factor"), "quiet"),
    },
    # The pages that show a debtor's data, by the names of their addresses: `place` of access.facts
    "place": {
        "debtor": (_("Debtor's file"), "quiet"),
        "debtor-history": (_("History"), "quiet"),
        "debtor-ledger": (_("Ledger"), "quiet"),
        "debtor-message": (_("Message"), "quiet"),
        "debtor-wishes": (_("Opt-outs and consents of each number"), "quiet"),
        "debtor-payment": (_("Record a payment"), "quiet"),
        "debtor-reversal": (_("Reverse a payment"), "quiet"),
        "debtor-hold": (_("Place a hold"), "quiet"),
        "debtor-write": (_("Write a message"), "quiet"),
        "evidence": (_("Evidence of contacts"), "quiet"),
        "evidence-export": (_("Evidence of contacts"), "quiet"),
        "rights": (_("Rights of the person"), "quiet"),
        "rights-copy": (_("Copy of the data"), "quiet"),
        "message": (_("Message"), "quiet"),
        "conversation": (_("Conversation"), "quiet"),
        "inbox": (_("Conversations"), "quiet"),
    },
    # The languages of messages
    "language": {
        "es": (_("Spanish"), "quiet"),
        "en": (_("English"), "quiet"),
        "pt": (_("Portuguese"), "quiet"),
    },
    "template_tone": field_labels("messaging.Template", "tone"),
    # recobra_core.money.commitments.State
    "promise_state": {
        "PENDING": (_("Promise pending"), "calm"),
        "KEPT": (_("Promise kept"), "good"),
        "PARTLY_KEPT": (_("Promise kept in part"), "warn"),
        "BROKEN": (_("Promise broken"), "bad"),
    },
    # FIELDS of screens/template_markup.py, and buttons
    "template_part": {
        "name": (_("Name"), "quiet"),
        "subject": (_("Subject"), "quiet"),
        "text": (_("Plain text"), "quiet"),
        "html": ("HTML", "quiet"),
        "buttons": (_("Buttons"), "quiet"),
    },
    # messaging.TemplateRegistration.status: Meta's words
    "template_registration": {
        "PENDING": (_("Waiting for Meta"), "warn"),
        "APPROVED": (_("Approved by Meta"), "good"),
        "REJECTED": (_("Rejected by Meta"), "bad"),
        "PAUSED": (_("Paused by Meta"), "bad"),
        "DISABLED": (_("Disabled by Meta"), "bad"),
        "FLAGGED": (_("In danger at Meta"), "warn"),
        "IN_APPEAL": (_("Under appeal at Meta"), "warn"),
        "LIMIT_EXCEEDED": (_("Over Meta's limit of templates"), "bad"),
        "LOCKED": (_("Locked by Meta"), "bad"),
        "ARCHIVED": (_("Archived at Meta"), "quiet"),
        "PENDING_DELETION": (_("Being deleted at Meta"), "quiet"),
        "DELETED": (_("Deleted at Meta"), "quiet"),
    },
    # What to do about a status, by the same words
    "template_registration_advice": {
        "PENDING": (_("Meta usually answers within a day; nothing is to be done."), "quiet"),
        "REJECTED": (_("Edit it as a new version, have it approved here and send that to Meta."), "quiet"),
        "PAUSED": (
            _("People blocked it or reported it. Meta ends the pause by itself; a gentler version may go meanwhile."),
            "quiet",
        ),
        "DISABLED": (
            _("It was paused too often and stays so. Write a new version in other words and send that."),
            "quiet",
        ),
        "FLAGGED": (_("It still leaves, but people take it badly: soften its words in a new version."), "quiet"),
        "IN_APPEAL": (_("Meta looks at it once more."), "quiet"),
        "LIMIT_EXCEEDED": (
            _("The account has as many templates as it may have: delete some in WhatsApp Manager."),
            "quiet",
        ),
        "LOCKED": (_("Look in WhatsApp Manager why it is locked."), "quiet"),
        "ARCHIVED": (_("Bring it back in WhatsApp Manager, or send a new version."), "quiet"),
        "PENDING_DELETION": (_("Somebody deleted it at Meta: save a new version and send that."), "quiet"),
        "DELETED": (_("Somebody deleted it at Meta: save a new version and send that."), "quiet"),
    },
    # messaging.TemplateRegistration.reason: Meta's words for why it rejected a template
    "template_rejection": {
        "ABUSIVE_CONTENT": (
            _("Meta reads threats or offending words in it: say only what is owed, since when and how to pay."),
            "bad",
        ),
        "CATEGORY_NOT_AVAILABLE": (_("This category is not open to the account: choose the other one."), "bad"),
        "INCORRECT_CATEGORY": (
            _("The words do not fit the category: what offers something is marketing, what reminds is utility."),
            "bad",
        ),
        "INVALID_FORMAT": (
            _("Its form is wrong: too many variables for so few words, or two of them without words between."),
            "bad",
        ),
        "PROMOTIONAL": (_("Meta reads an offer in it: leave the offer out, or send it as marketing."), "bad"),
        "SCAM": (
            _("Meta takes it for fraud: name the creditor and the document, and ask for no personal data."),
            "bad",
        ),
        "TAG_CONTENT_MISMATCH": (_("The words do not fit the language or the category that was given."), "bad"),
    },
    "template_category": field_labels("messaging.TemplateRegistration", "category"),
    # messaging.Provider.number_tier: Meta's words
    "number_tier": {
        "TIER_50": (_("50 people in 24 hours"), "warn"),
        "TIER_250": (_("250 people in 24 hours"), "warn"),
        "TIER_1K": (_("1,000 people in 24 hours"), "calm"),
        "TIER_2K": (_("2,000 people in 24 hours"), "calm"),
        "TIER_10K": (_("10,000 people in 24 hours"), "calm"),
        "TIER_100K": (_("100,000 people in 24 hours"), "good"),
        "TIER_UNLIMITED": (_("as many people as you like"), "good"),
    },
    # messaging.Provider.number_quality: Meta's words
    "number_quality": {
        "GREEN": (_("High"), "good"),
        "YELLOW": (_("Middling"), "warn"),
        "RED": (_("Low"), "bad"),
        "NA": (_("Not rated yet"), "quiet"),
        "UNKNOWN": (_("Not rated yet"), "quiet"),
    },
    # messaging.TemplateRegistration.quality: Meta's words
    "template_quality": {
        "GREEN": (_("taken well"), "good"),
        "YELLOW": (_("taken less well"), "warn"),
        "RED": (_("rejected by people"), "bad"),
        "UNKNOWN": (_("not rated yet"), "quiet"),
    },
    "conversation": field_labels("conversations.Conversation", "status", OPEN="calm"),
    # conversations.queries.VIEWS: they stand in addresses, so they are Spanish
    "conversation_view": {
        "todas": (_("All open"), "quiet"),
        "mias": (_("Mine"), "quiet"),
        "sin-asignar": (_("Unassigned"), "quiet"),
        "bot": (_("Of the bot"), "quiet"),
        "cerradas": (_("Closed ones"), "quiet"),
    },
    # conversations.Conversation.mode_reason: why the bot left it to a person
    "handed_over": {
        "unknown_number": (_("Nobody knows whose number this is."), "warn"),
        "no_number": (_("Who writes shows no number: say which debtor it is."), "warn"),
        "no_number_silent": (
            _("Wants no messages and shows no number: say which debtor it is, so that it holds for all numbers."),
            "bad",
        ),
        "number_changed": (_("Has another number now: look whether to write to it."), "warn"),
        "email": (_("E-mails are answered by people."), "quiet"),
        "identity": (_("Identity could not be checked."), "warn"),
        "care": (_("The debtor tells of hardship."), "warn"),
        "complaint": (_("The debtor complains."), "bad"),
        "hardship": (_("The debtor tells of hardship."), "warn"),
        "talk_to_person": (_("The debtor wants to talk to a person."), "calm"),
        "asked": (_("The debtor wants to talk to a person."), "calm"),
        "not_understood": (_("The bot did not understand three times."), "calm"),
        "late": (_("The message waited too long for the bot."), "warn"),
        "attachment": (_("A file came without words."), "calm"),
        "currencies": (_("The debtor owes in several currencies."), "calm"),
        "pay_link": (_("The debtor asks how to pay."), "calm"),
        "promise": (_("The debtor wants to promise a payment."), "good"),
        "plan": (_("The debtor wants instalments."), "good"),
        "dispute.opened": (_("Somebody objects, and it is not known who writes."), "warn"),
        "payment.reported": (_("Somebody says it is paid, and it is not known who writes."), "warn"),
        "not_sent": (_("An answer could not be sent."), "bad"),
        "bot_failed": (_("The bot failed at a message."), "bad"),
        "silent": (_("Nothing may be sent here, and yet somebody writes."), "warn"),
        "opted_out": (_("Asked for no more messages."), "bad"),
        "not_me": (_("Is not the person."), "bad"),
    },
    # Intents of the bot, and what it made of other messages
    "intent": {
        "balance": (_("asks for the balance"), "quiet"),
        "pay_link": (_("asks how to pay"), "quiet"),
        "promise": (_("promises"), "quiet"),
        "plan": (_("asks for instalments"), "quiet"),
        "dispute": (_("objects"), "warn"),
        "already_paid": (_("says it is paid"), "quiet"),
        "wrong_person": (_("is not the person"), "warn"),
        "opt_out": (_("wants no messages"), "warn"),
        "opted_out": (_("wants no messages"), "warn"),
        "not_me": (_("is not the person"), "warn"),
        "talk_to_person": (_("wants a person"), "quiet"),
        "greeting": (_("greets"), "quiet"),
        "thanks": (_("thanks"), "quiet"),
        "hardship": (_("tells of hardship"), "warn"),
        "complaint": (_("complains"), "warn"),
        "yes": (_("yes"), "quiet"),
        "no": (_("no"), "quiet"),
        "number": (_("a number"), "quiet"),
        "attachment": (_("a file"), "quiet"),
        "identity_wrong": (_("identity did not match"), "warn"),
        "not_understood": (_("not understood"), "quiet"),
        "not_read": (_("not read by the bot"), "warn"),
        "reaction": (_("reacts"), "quiet"),
        "automatic": (_("automatic answer"), "quiet"),
        "revocation": (_("deleted this message"), "quiet"),
        "replaced": (_("changed since"), "quiet"),
        "number_changed": (_("has another number now"), "warn"),
    },
    "point": field_labels("portfolio.ContactPoint", "kind"),
}
