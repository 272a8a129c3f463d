"""Usuarios, roles y equipos: who may come in, what each may do, and who leads whom."""

from . import changes, pages, password_link, roles, sign_on, teams, upload

urlpatterns = [
    *pages.urlpatterns,
    *changes.urlpatterns,
    *upload.urlpatterns,
    *roles.urlpatterns,
    *teams.urlpatterns,
    *sign_on.urlpatterns,
    *password_link.urlpatterns,
]

__all__ = ["urlpatterns"]
