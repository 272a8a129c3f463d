from collections.abc import Iterator
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

ROLE_CODE_LENGTH_MAX = 40
NEVER_GIVEN = ["serve"]
"""Rights of services alone, by their values in `roles.Right`: no role of people may hold them."""


class Role(models.TextChoices):
    """The built-in roles; `roles.RIGHTS` has their rights as delivered."""

    GESTOR = "GESTOR", _("Collector")
    SUPERVISOR = "SUPERVISOR", _("Supervisor")
    MANAGER = "MANAGER", _("Manager")
    ADMINISTRATOR = "ADMINISTRATOR", _("Administrator")
    AUDITOR = "AUDITOR", _("Auditor")


class CompanyRole(models.Model):
    """A role as the company defines it: one of its own, or what it changed of a built-in one.

    `rights` are values of `roles.Right`; None are those of the built-in role as delivered.
    Personal data: none. Never dies: a role of the company's own is retired.
    """

    code = models.CharField(max_length=ROLE_CODE_LENGTH_MAX, primary_key=True)
    name = models.TextField(blank=True)
    rights = ArrayField(models.TextField(), null=True)
    sees_all_portfolios = models.BooleanField(default=False)
    requires_second_factor = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rights__isnull=True) | ~Q(rights__overlap=NEVER_GIVEN), name="role_without_service_rights"
            ),
            models.CheckConstraint(
                condition=Q(code__in=Role.values) | (Q(rights__isnull=False) & ~Q(name="")), name="own_role_is_whole"
            ),
            models.CheckConstraint(
                condition=~Q(code__in=Role.values) | Q(retired_at__isnull=True), name="built_in_role_stays"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Team(models.Model):
    """People who work together, and who leads them. Personal data: none. Dies when it is dissolved."""

    name = models.TextField()
    supervisor = models.ForeignKey("access.User", models.PROTECT, null=True, related_name="led_teams")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="team_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="team_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A member of staff. Personal data: name and e-mail. Dies when anonymised after leaving."""

    # The code of a built-in role or of one of the company's own; one that nobody defines gives no rights.
    role = models.CharField(max_length=ROLE_CODE_LENGTH_MAX, default=Role.GESTOR)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="members")
    language = models.CharField(max_length=8, default="es")
    sees_all_portfolios = models.BooleanField(default=False)
    # Somebody else knows the password: the next sign-in asks for an own one.
    must_change_password = models.BooleanField(default=False)
    # None for who is active, or invited and not in yet.
    shut_out_at = models.DateTimeField(null=True)
    # Part of what each session carries: one more ends all that are open.
    session_generation = models.IntegerField(default=0)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta(AbstractUser.Meta):
        constraints = [models.CheckConstraint(condition=~Q(role=""), name="user_has_role")]

    @cached_property
    def company_role(self) -> CompanyRole | None:
        """The company's definition of the user's role, None for a built-in one that nobody changed.

        Read once for each object: each request has its own, so that a change acts at once in every process.
        """
        return CompanyRole.objects.filter(pk=self.role).first()

    def refresh_from_db(self, *args: object, **kwargs: object) -> None:
        """Read the row again, and the role with it."""
        self.__dict__.pop("company_role", None)
        super().refresh_from_db(*args, **kwargs)  # type: ignore[arg-type]

    def get_session_auth_hash(self) -> str:
        """Return what a session must carry to stay open; another password or generation ends it."""
        return self._with_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same under each of the secret keys that are still read."""
        return map(self._with_generation, super().get_session_auth_fallback_hash())

    def _with_generation(self, digest: str) -> str:
        return f"{self.session_generation}-{digest}"


class Scope(models.Model):
    """A portfolio that a user may see. Personal data: none. Dies with the user."""

    user = models.ForeignKey(User, models.CASCADE, related_name="scopes")
    portfolio_code = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "portfolio_code"], name="scope_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.portfolio_code}"


class PasswordLink(models.Model):
    """A link by which a person sets an own password: an invitation, or a new beginning for who forgot it.

    The secret itself is in the link alone. Personal data: none. Dies with the user.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="password_links", db_index=False)
    secret_digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.TextField()
    expires_at = models.DateTimeField()
    # Once it was used, or once a later one or the shutting out of its user took its place.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at__isnull=True), name="password_link_one_open")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.made_at}"


class Notice(models.Model):
    """Something that a member of staff must be told of, until he or she has seen it.

    `params` say what it is about, as its kind is written on screens. Personal data: none, ids of users.
    Dies with the user.
    """

    class Kind(models.TextChoices):
        ADMINISTRATOR_MADE = "ADMINISTRATOR_MADE", _("A further person manages users")
        OWN_RIGHTS_RAISED = "OWN_RIGHTS_RAISED", _("Somebody widened his or her own rights")
        ROLE_CHANGED = "ROLE_CHANGED", _("The rights of a role were changed")
        APPROVER_MADE = "APPROVER_MADE", _("A further person decides about critical changes")
        ROLE_GIVEN = "ROLE_GIVEN", _("Somebody was given another role")
        LINK_MADE = "LINK_MADE", _("A link for a new password was made")
        PASSWORD_SET = "PASSWORD_SET", _("A password was set on the server")
        FACTORS_RESET = "FACTORS_RESET", _("Second factors were taken away")
        ADDRESS_CHANGED = "ADDRESS_CHANGED", _("The e-mail of somebody was changed")
        SESSIONS_ENDED = "SESSIONS_ENDED", _("Sessions of somebody were ended")
        SHUT_OUT = "SHUT_OUT", _("Somebody was shut out")
        LET_IN = "LET_IN", _("Somebody was let in again")
        IDENTITY_LINKED = "IDENTITY_LINKED", _("Somebody was linked with the company's sign-in")
        IDENTITY_UNLINKED = "IDENTITY_UNLINKED", _("Somebody's link with the company's sign-in was removed")

    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    params = models.JSONField(default=dict)
    made_by = models.TextField()
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["user"], condition=Q(seen_at__isnull=True), name="notice_unseen")]

    def __str__(self) -> str:
        return f"{self.kind} {self.params}"


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


# Django looks for tables here.
from .sign_in_models import AttemptLimit as AttemptLimit  # noqa: E402, PLC0414
from .sign_in_models import Session as Session  # noqa: E402, PLC0414
