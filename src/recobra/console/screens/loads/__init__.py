"""Cargas: the loads and their results, and a new file from the upload to the portfolio."""

from .new import urlpatterns as new
from .pages import urlpatterns as pages

urlpatterns = [*new, *pages]
