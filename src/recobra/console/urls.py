"""Every screen brings its own addresses; this page only collects them."""

from django.urls import URLPattern, URLResolver

from .screens import accounts, audit, campaigns, cycle, debtor, debtor_work, home, loads, messages, session, strategies

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
    *messages.urlpatterns,
    *audit.urlpatterns,
]
