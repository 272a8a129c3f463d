"""Labels of the law, of company rules and of consent."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .family import Families, field_labels

FAMILIES: Final[Families] = {
    # access.queries.State
    "user_state": {
        "active": (_("Active"), "good"),
        "invited": (_("Invited"), "warn"),
        "shut_out": (_("No access"), "quiet"),
    },
    # compliance.seal_ways
    "seal_way": {
        "mail": (_("By e-mail"), "quiet"),
        "webhook": (_("By a call to another system"), "quiet"),
    },
    # How sure the research of a rule is (recobra_core.law.description.RuleText)
    "certainty": {
        "verified": (_("Verified in the text"), "good"),
        "verified (press)": (_("Verified in the press"), "good"),
        "verified (commentary)": (_("Verified in commentary"), "good"),
        "verified (law firm)": (_("Verified with a law firm's note"), "good"),
        "verified (secondary)": (_("Verified in a secondary source"), "good"),
        "memory": (_("Not checked against the text"), "warn"),
        "conflicting": (_("Sources disagree: the strict reading counts"), "warn"),
        "default": (_("The law is silent: the project's own"), "quiet"),
    },
    # What a rule rests on (RuleText.basis)
    "basis": {
        "law": (_("Law"), "calm"),
        "analogy": (_("By analogy"), "warn"),
        "default": (_("Caution of ours, not law"), "warn"),
        "house": (_("Company rule"), "quiet"),
    },
    # _list_sections of screens/countries/pages.py, and its two lists
    "law_section": {
        "third_parties": (_("Whom one may speak to"), "quiet"),
        "workplace": (_("At work"), "quiet"),
        "stages": (_("By stage"), "quiet"),
        "stops": (_("What stops collection"), "quiet"),
        "replies": (_("Answers to what the debtor wrote"), "quiet"),
        "offers": (_("Advertising and offers"), "quiet"),
        "opt_out": (_("Opting out"), "quiet"),
        "fees": (_("Collection fees and interest"), "quiet"),
        "limitation": (_("Limitation"), "quiet"),
        "records": (_("Records"), "quiet"),
        "penalties": (_("What each breach may cost"), "quiet"),
        "registries": (_("Registers to consult"), "quiet"),
        "further": (_("Further articles"), "quiet"),
        "required": (_("What a message must say"), "quiet"),
        "prohibited": (_("What is prohibited"), "quiet"),
    },
    "consent_act": field_labels(
        "consent.ConsentEntry", "act", GRANTED="good", WITHDRAWN="warn", OPTED_OUT="bad", NOT_ME="bad", RESUMED="good"
    ),
    "consent_source": field_labels("consent.ConsentEntry", "source"),
    # PERIODS of screens/company_rules/form.py
    "cap_period": {
        "day": (_("contacts in a day at most"), "quiet"),
        "week": (_("contacts in a week at most"), "quiet"),
        "month": (_("contacts in 31 days at most"), "quiet"),
        "clear_days": (_("whole days between two contacts"), "quiet"),
    },
    # Scope of a cap
    "cap_scope": {
        "all": (_("by all channels together"), "quiet"),
        "channel": (_("by each channel"), "quiet"),
    },
    # recobra_core.law.conformity.SENTENCES
    "loosening": {
        "window_wider": (_("The hours are wider than the law's."), "bad"),
        "cap_higher": (_("The limit of contacts is higher than the law's."), "bad"),
        "gap_shorter": (_("The days between contacts are fewer than the law's."), "bad"),
        "holiday_opened": (_("The law closes holidays."), "bad"),
        "consent_dropped": (_("The law wants the debtor's authorisation of this channel."), "bad"),
        "channel_opened": (_("The law bars this channel."), "bad"),
        "workplace_opened": (_("The law bars contact at work."), "bad"),
        "role_opened": (_("Other people are contacted than the law leaves."), "bad"),
    },
}
