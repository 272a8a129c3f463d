"""Campañas: one message to a group between two dates, tried before, and measured against a control group."""

from .change import urlpatterns as changes
from .edit import urlpatterns as edits
from .pages import urlpatterns as pages

urlpatterns = [*edits, *changes, *pages]
