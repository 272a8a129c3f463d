"""Estrategias: what is done with a portfolio, in words, in versions, and tried before it is in force."""

from .change import urlpatterns as changes
from .edit import urlpatterns as edits
from .pages import urlpatterns as pages

urlpatterns = [*changes, *edits, *pages]
