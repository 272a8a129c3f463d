"""Templates that name a column of a portfolio's own."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from recobra.messaging.models import Template
from recobra.messaging.templates.render import find_template_variables
from recobra.messaging.templates.variables import OWN_PREFIX


def find_templates(name: str) -> Iterator[str]:
    """Yield the templates, drafts and those in force, that name a column."""
    variable = f"{OWN_PREFIX}{name}"
    for template in Template.objects.filter(retired_at__isnull=True).order_by("code", "pk"):
        if variable in find_template_variables(template):
            yield _("template «%(name)s», version %(version)s") % {"name": template.name, "version": template.version}


FINDERS = (find_templates,)
