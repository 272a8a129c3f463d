"""Sections of a country's file beyond hours and caps: from third parties to replies and fees."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from recobra_core.documents import DocumentModel, Expected, Items, at_least_one, choice, refuse
from recobra_core.law import clauses
from recobra_core.law.clauses import ANY_BREACH, BREACHES, ROLES, STAGES, FeeBand, Sections
from recobra_core.law.document_types import Channel, Clause, Number

FEE_FACTS = ("agreed", "proven", "tariff")
_ClauseT = TypeVar("_ClauseT", bound=Clause)
_Consent = Annotated[str, choice("required", "not_required")]


class ThirdParties(Clause):
    """Whose number may be used."""

    roles: Items[Annotated[str, choice(*ROLES)]]


class Workplace(Clause):
    """The channels on which one may be reached at work."""

    channels: Items[Channel]


class Stop(Clause):
    """A reason to hold that the law names; each reason is a rule of its own."""

    reason: str


class Limitation(Clause):
    """The limitation of debts; if it bars contact it says after how many years."""

    bars_contact: bool
    years: Annotated[int | None, Field(validate_default=True)] = None

    @field_validator("years")
    @classmethod
    def _check_years(cls, years: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("bars_contact") and (years is None or years < 1):
            raise refuse(
                Expected(
                    "a number of years where the law bars contact",
                    "un número de años cuando la ley impide el contacto",
                )
            )
        return years


class Replies(Clause):
    """How long an answer counts as one, and the holds under which nobody is answered."""

    within_hours: int
    any_hour_minutes: int
    refused_holds: Items[str]


class Offers(Clause):
    """Whether advertising needs consent."""

    consent: _Consent


class Band(DocumentModel):
    """A band of the fee scale."""

    up_to: int | None = None
    rate: Number


class FreeNotice(DocumentModel):
    """A notice before which nothing may be charged."""

    days: int
    penalty_uf: Number | None = None


class Fees(Clause):
    """What collection may cost the debtor; parts that the law does not have are left out."""

    rule: str
    needs: Items[Annotated[str, choice(*FEE_FACTS)]]
    none_if_supervised: bool = False
    scale_uf: Items[Band] = ()
    share: Number | None = None
    cap_usd: Number | None = None
    after_days: int = 0
    once: Annotated[str, choice("instalment", "month")] | None = None
    free_notice: FreeNotice | None = None


class StageMethods(Clause):
    """What may be done in some stages: by which channels, and to whom."""

    stages: Items[Annotated[str, choice(*STAGES)]]
    channels: Items[Channel]
    roles: Items[Annotated[str, choice(*ROLES)]]


class Penalty(Clause):
    """What a kind of breach may cost."""

    breach: Annotated[str, choice(*BREACHES, ANY_BREACH)]
    rule: str = ""
    unit: str = ""
    least: Number | None = None
    most: Number | None = None


def _check_versions(entries: tuple[_ClauseT, ...]) -> tuple[_ClauseT, ...]:
    """Refuse two entries of one rule and day."""
    versions = {(getattr(entry, "reason", ""), getattr(entry, "breach", ""), entry.effective_from) for entry in entries}
    if len(versions) != len(entries):
        expected = Expected("one version per rule and day", "una versión por regla y día")
        raise refuse(expected, found=str(len(entries)))
    return entries


def _check_stages(entries: tuple[StageMethods, ...]) -> tuple[StageMethods, ...]:
    """Refuse a stage that is said twice from one day on."""
    said = [(stage, entry.effective_from) for entry in entries for stage in entry.stages]
    if len(set(said)) != len(said):
        raise refuse(Expected("one version per stage and day", "una versión por etapa y día"), found=str(len(said)))
    return entries


def _check_every_stage(entries: tuple[StageMethods, ...]) -> tuple[StageMethods, ...]:
    """Refuse a country that leaves a stage out."""
    missing = set(STAGES).difference(*(entry.stages for entry in entries))
    if missing:
        raise refuse(Expected("every stage", "todas las etapas"), found="")
    return entries


Versions: TypeAlias = Annotated[Items[_ClauseT], AfterValidator(_check_versions)]
Complete: TypeAlias = Annotated[Items[_ClauseT], AfterValidator(at_least_one), AfterValidator(_check_versions)]


class LocalSections(DocumentModel):
    """The sections that a subdivision has of its own."""

    third_parties: Versions[ThirdParties] = ()
    workplace: Versions[Workplace] = ()
    stops: Versions[Stop] = ()
    limitation: Versions[Limitation] = ()
    replies: Versions[Replies] = ()
    offers: Versions[Offers] = ()
    fees: Versions[Fees] = ()
    penalties: Versions[Penalty] = ()
    stages: Annotated[Items[StageMethods], AfterValidator(_check_stages)] = ()


class CountrySections(DocumentModel):
    """The sections of a country: all are there, and all but the stops say something."""

    third_parties: Complete[ThirdParties]
    workplace: Complete[Workplace]
    stops: Versions[Stop]
    limitation: Complete[Limitation]
    replies: Complete[Replies]
    offers: Complete[Offers]
    fees: Complete[Fees]
    penalties: Complete[Penalty]
    stages: Annotated[Items[StageMethods], AfterValidator(_check_stages), AfterValidator(_check_every_stage)]


def build_sections(written: LocalSections | CountrySections, *, place: str) -> Sections:
    """Return the sections of a country or of a subdivision as the law's own values."""
    return Sections(
        third_parties=_build(written.third_parties, clauses.ThirdParties, place, "third-parties"),
        workplace=_build(written.workplace, clauses.Workplace, place, "workplace"),
        stops=tuple(
            clauses.Stop(**vars(stop), place=place, rule=f"{place}/stop/{stop.reason.lower().replace('_', '-')}")
            for stop in written.stops
        ),
        limitation=_build(written.limitation, clauses.Limitation, place, "limitation"),
        replies=_build(written.replies, clauses.Replies, place, "replies"),
        offers=tuple(_build_offers(offers, place) for offers in written.offers),
        fees=tuple(_build_fees(fees, place) for fees in written.fees),
        penalties=tuple(_build_penalty(penalty, place) for penalty in written.penalties),
        stages=tuple(_build_stage(entry, stage, place) for entry in written.stages for stage in entry.stages),
    )


def _build(entries: Sequence[Clause], kind: Callable[..., Any], place: str, name: str) -> tuple[Any, ...]:
    """Return entries whose fields are those of the law's own values."""
    return tuple(kind(**vars(entry), place=place, rule=f"{place}/{name}") for entry in entries)


def _build_offers(written: Offers, place: str) -> clauses.Offers:
    fields = vars(written) | {"consent_required": written.consent == "required"}
    del fields["consent"]
    return clauses.Offers(**fields, place=place, rule=f"{place}/offers")


def _build_stage(written: StageMethods, stage: str, place: str) -> clauses.StageMethods:
    fields = vars(written) | {"stage": stage, "place": place, "rule": f"{place}/stage/{stage.lower()}"}
    del fields["stages"]
    return clauses.StageMethods(**fields)


def _build_penalty(written: Penalty, place: str) -> clauses.Penalty:
    fields = vars(written) | {"text": written.rule, "rule": f"{place}/penalty/{written.breach}"}
    return clauses.Penalty(**fields, place=place)


def _build_fees(written: Fees, place: str) -> clauses.Fees:
    notice = written.free_notice
    bands = []
    for band in written.scale_uf:
        top = None if band.up_to is None else Decimal(band.up_to)
        bands.append(FeeBand(up_to_uf=top, rate=band.rate))
    fields = vars(written) | {
        "text": written.rule,
        "scale_uf": tuple(bands),
        "notice_days": notice.days if notice else None,
        "penalty_uf": notice.penalty_uf if notice else None,
        "place": place,
        "rule": f"{place}/fees",
    }
    del fields["free_notice"]
    return clauses.Fees(**fields)
