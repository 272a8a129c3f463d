"""Cargas: what came in, what became of it, and a new file from the upload to the portfolio."""

from .new import urlpatterns as new
from .pages import urlpatterns as pages

urlpatterns = [*new, *pages]
