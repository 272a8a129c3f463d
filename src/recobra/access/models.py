from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    GESTOR = "GESTOR", _("Collector")
    SUPERVISOR = "SUPERVISOR", _("Supervisor")
    MANAGER = "MANAGER", _("Manager")
    ADMINISTRATOR = "ADMINISTRATOR", _("Administrator")
    AUDITOR = "AUDITOR", _("Auditor")


class User(AbstractUser):
    """A member of staff. Personal data: name and e-mail. Dies when anonymised after leaving."""

    role = models.CharField(max_length=16, choices=Role, default=Role.GESTOR)
    language = models.CharField(max_length=8, default="es")
    sees_all_portfolios = models.BooleanField(default=False)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=[value for value, _label in Role.choices]), name="user_role_known"
            )
        ]


class Scope(models.Model):
    """A portfolio that a user may see. Personal data: none. Dies with the user."""

    user = models.ForeignKey(User, models.CASCADE, related_name="scopes")
    portfolio_code = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "portfolio_code"], name="scope_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.portfolio_code}"


class SavedView(models.Model):
    """The conditions of a list, saved by a user under a name.

    Personal data: what was searched for. Dies with the user.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="views", db_index=False)
    screen = models.TextField()
    name = models.TextField()
    query = models.TextField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "screen", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name
