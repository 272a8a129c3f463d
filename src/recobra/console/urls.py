"""Every screen brings its own addresses; this page only collects them."""

from django.urls import URLPattern, URLResolver

from recobra.console.screens import (
    accounts,
    audit,
    campaigns,
    company_rules,
    consents,
    countries,
    creditors,
    cycle,
    debtor,
    debtor_work,
    evidence,
    home,
    inbox,
    incidents,
    letters,
    loads,
    messages,
    providers,
    reach,
    session,
    strategies,
    visits,
)

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    *session.urlpatterns,
    *home.urlpatterns,
    *accounts.urlpatterns,
    *debtor.urlpatterns,
    *debtor_work.urlpatterns,
    *loads.urlpatterns,
    *strategies.urlpatterns,
    *campaigns.urlpatterns,
    *cycle.urlpatterns,
    *inbox.urlpatterns,
    *messages.urlpatterns,
    *reach.urlpatterns,
    *letters.urlpatterns,
    *visits.urlpatterns,
    *countries.urlpatterns,
    *providers.urlpatterns,
    *company_rules.urlpatterns,
    *consents.urlpatterns,
    *incidents.urlpatterns,
    *evidence.urlpatterns,
    *audit.urlpatterns,
    *creditors.urlpatterns,
]
