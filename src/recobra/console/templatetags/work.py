"""Tags of the loads screen."""

from __future__ import annotations

from django import template

from .console import share

register = template.Library()
register.simple_tag(share, takes_context=True)
