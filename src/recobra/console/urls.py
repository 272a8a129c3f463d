"""Every screen brings its own addresses; this page only collects them."""

from django.urls import URLPattern, URLResolver

from .screens import accounts, debtor, debtor_work, home, session

app_name = "console"
urlpatterns: list[URLPattern | URLResolver] = [
    *session.urlpatterns,
    *home.urlpatterns,
    *accounts.urlpatterns,
    *debtor.urlpatterns,
    *debtor_work.urlpatterns,
]
