"""Labels of accounts, payments, messages, templates, tasks and conversations."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .family import Families

FAMILIES: Final[Families] = {
    # recobra_core.decide.steps.STAGES
    "stage": {
        "PREVENTIVE": (_("Preventive"), "good"),
        "ADMINISTRATIVE": (_("Administrative"), "calm"),
        "EXTRAJUDICIAL": (_("Extrajudicial"), "warn"),
        "JUDICIAL": (_("Judicial"), "bad"),
    },
    # portfolio.Account.Status
    "account": {
        "OPEN": (_("Open"), "calm"),
        "PAID": (_("Paid"), "good"),
        "RECALLED": (_("Recalled"), "quiet"),
        "MISSING": (_("Missing from the load"), "warn"),
        "WRITTEN_OFF": (_("Written off"), "quiet"),
    },
    # portfolio.Account.Product
    "product": {
        "LOAN": (_("Loan"), "quiet"),
        "CARD": (_("Card"), "quiet"),
        "SERVICE": (_("Service"), "quiet"),
        "INVOICE": (_("Invoice"), "quiet"),
    },
    # messaging.Contact.Status
    "contact": {
        "DUE": (_("Planned"), "calm"),
        "LEASED": (_("Being sent"), "calm"),
        "SENT": (_("Sent"), "good"),
        "FAILED": (_("Failed"), "bad"),
        "BLOCKED": (_("Blocked"), "warn"),
        "CANCELLED": (_("Cancelled"), "quiet"),
        "UNCERTAIN": (_("Uncertain"), "bad"),
    },
    # intake.Load.Status
    "load": {
        "RUNNING": (_("In progress"), "calm"),
        "DONE": (_("Loaded"), "good"),
        "HELD": (_("Waiting for confirmation"), "warn"),
        "REFUSED": (_("Refused"), "bad"),
        "FAILED": (_("Failed"), "bad"),
        "DISCARDED": (_("Discarded"), "quiet"),
    },
    # portfolio.Channel
    "channel": {
        "email": (_("E-mail"), "quiet"),
        "sms": (_("SMS"), "quiet"),
        "whatsapp": (_("WhatsApp"), "quiet"),
        "call": (_("Call"), "quiet"),
        "ivr": (_("Automatic call"), "quiet"),
        "letter": (_("Letter"), "quiet"),
        "visit": (_("Visit"), "quiet"),
    },
    # portfolio.Hold.Reason
    "hold": {
        "DISPUTE": (_("Dispute"), "warn"),
        "PROMISE": (_("Promise to pay"), "calm"),
        "PAYMENT_IN_PROCESS": (_("Payment in process"), "calm"),
        "ILLNESS": (_("Illness or hardship"), "warn"),
        "DECEASED": (_("Deceased"), "warn"),
        "INSOLVENCY": (_("Insolvency"), "warn"),
        "DISASTER": (_("Natural disaster"), "warn"),
        "LEGAL": (_("Legal decision"), "warn"),
        "SUIT_SERVED": (_("Suit served"), "warn"),
        "CEASE_LETTER": (_("Asked in writing not to be contacted"), "warn"),
        "ATTORNEY": (_("Represented by a lawyer"), "warn"),
        "MINOR": (_("A minor"), "warn"),
        "PRESCRIBED": (_("Debt past its limitation"), "warn"),
        "VULNERABLE": (_("Vulnerable person"), "warn"),
        "OTHER": (_("Other"), "quiet"),
    },
    # portfolio.Posting.Kind
    "posting": {
        "CHARGE": (_("Charge"), "quiet"),
        "PAYMENT": (_("Payment"), "good"),
        "ADJUSTMENT": (_("Adjustment"), "calm"),
        "WRITE_OFF": (_("Write-off"), "warn"),
    },
    # portfolio.Concept
    "concept": {
        "PRINCIPAL": (_("Principal"), "quiet"),
        "INTEREST": (_("Interest"), "quiet"),
        "LATE_INTEREST": (_("Late interest"), "quiet"),
        "FEE": (_("Fee"), "quiet"),
        "TAX": (_("Tax"), "quiet"),
    },
    # payments.Payment.Source
    "source": {
        "SCREEN": (_("Recorded on screen"), "quiet"),
        "FILE": (_("Payment file"), "quiet"),
        "INFERRED": (_("Inferred from the load"), "quiet"),
    },
    # workbench.Task.Status
    "task": {
        "OPEN": (_("Open"), "calm"),
        "DONE": (_("Done"), "good"),
        "CANCELLED": (_("Cancelled"), "quiet"),
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
    },
    # messaging.Template.Status
    "template": {
        "DRAFT": (_("Draft"), "quiet"),
        "SUBMITTED": (_("Waiting for approval"), "warn"),
        "APPROVED": (_("Approved"), "good"),
        "REJECTED": (_("Sent back"), "bad"),
    },
    # approvals.Approval.Decision
    "approval": {
        "WAITING": (_("Waiting for approval"), "warn"),
        "APPROVED": (_("Approved"), "good"),
        "REJECTED": (_("Sent back"), "bad"),
        "WITHDRAWN": (_("Withdrawn"), "quiet"),
    },
    # messaging.Template.Tone
    "template_tone": {
        "EMPATHETIC": (_("Empathetic"), "quiet"),
        "NEUTRAL": (_("Neutral"), "quiet"),
        "FIRM": (_("Firm"), "quiet"),
    },
    # FIELDS of screens/template_markup.py, and buttons
    "template_part": {
        "name": (_("Name"), "quiet"),
        "subject": (_("Subject"), "quiet"),
        "text": (_("Plain text"), "quiet"),
        "html": ("HTML", "quiet"),
        "buttons": (_("Buttons"), "quiet"),
    },
    # conversations.Conversation.Status
    "conversation": {
        "OPEN": (_("Open"), "calm"),
        "WAITING": (_("Waiting for the debtor"), "quiet"),
        "CLOSED": (_("Closed"), "quiet"),
    },
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
    },
    # portfolio.ContactPoint.Kind
    "point": {
        "PHONE": (_("Phone"), "quiet"),
        "EMAIL": (_("E-mail"), "quiet"),
        "ADDRESS": (_("Address"), "quiet"),
    },
}
