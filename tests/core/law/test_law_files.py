"""The countries' files: what a wrong one answers, and how a new law stands beside the old one."""

from datetime import date
from importlib import resources

import pytest
import yaml

from recobra_core import yaml_text
from recobra_core.channels import CHANNELS
from recobra_core.documents import DocumentError
from recobra_core.law import load_countries
from recobra_core.law.files import read_country

PERU = (resources.files("recobra_core.law") / "data" / "PE.yaml").read_text(encoding="utf-8")


def changed(change) -> str:
    raw = yaml_text.load(PERU)
    change(raw)
    return yaml.safe_dump(raw)


def test_every_country_says_something_on_every_channel():
    codes = ["AR", "BO", "BR", "CL", "CO", "CR", "DO", "EC", "ES", "GT", "HN", "MX", "PA", "PE", "PY", "SV", "US", "UY"]
    assert sorted(load_countries()) == codes
    for country in load_countries().values():
        for channel in CHANNELS:
            regime = country.find_regime(channel=channel, day=date(2026, 7, 6), subdivision="")
            assert regime, (country.code, channel)
            assert all(rule.source and rule.certainty for rule in regime.rules)
            assert all(cap.source for cap in regime.caps)


def test_house_caps_cite_the_project_and_legal_ones_their_article():
    caps = {cap.rule: cap for c in load_countries().values() for rule in c.rules for cap in rule.caps}
    assert all(cap.source.startswith("law silent") for cap in caps.values() if cap.basis == "default")
    assert caps["CL/messages/cap-1"].source == "Ley 19.496 art. 37"
    assert caps["CL/messages/cap-1"].n == 2


def test_the_other_articles_wait_in_the_file():
    chile = load_countries()["CL"].articles
    assert chile["records"]["years"] == 2
    assert (
        "notify_at_workplace_phone_or_email_or_employer"
        in (load_countries()["AR"].articles["subdivisions"]["AR-C"]["adds_prohibited"])
    )
    with pytest.raises(TypeError):
        chile["records"] = None


def test_a_contact_is_judged_by_the_version_of_its_day():
    def from_august_only_mornings(raw):
        new = dict(raw["rules"][0], effective_from=date(2027, 8, 1), windows={"mon-fri": "09:00-12:00"})
        raw["rules"].append(new)

    peru = read_country(changed(from_august_only_mornings), file="PE.yaml")
    old = peru.find_regime(channel="call", day=date(2027, 7, 31), subdivision=None)
    new = peru.find_regime(channel="call", day=date(2027, 8, 1), subdivision=None)
    assert (old.id, old.rules[0].windows[0].closes) == ("PE/call@2010-10-02", 20 * 60)
    assert (new.id, new.rules[0].windows[0].closes) == ("PE/call@2027-08-01", 12 * 60)
    assert peru.find_regime(channel="call", day=date(2010, 10, 1), subdivision=None) is None


def test_where_the_state_is_not_known_each_states_rule_must_allow():
    brazil = load_countries()["BR"]
    day = date(2026, 7, 6)
    places = {r.place for r in brazil.find_regime(channel="call", day=day, subdivision=None).rules}
    assert places == {"BR", "BR-SP", "BR-RJ", "BR-ES", "BR-AM", "BR-AL"}
    assert brazil.find_regime(channel="email", day=day, subdivision=None).id == "BR/email@1991-03-11"


PARTS = (
    "prohibited",
    "required_content",
    "required_content_basis",
    "opt_out",
    "records",
    "sanctions",
    "registry",
    "further",
)


def test_every_country_has_every_part_each_with_source_and_certainty():
    for code, country in load_countries().items():
        assert set(PARTS) <= set(country.articles), code
        assert country.articles["records"]["years"] or country.articles["records"]["default_years"]
        sections = country.sections
        for name in ("third_parties", "workplace", "limitation", "replies", "offers", "fees"):
            assert getattr(sections, name), (code, name)
        every = [*sections.third_parties, *sections.workplace, *sections.stops, *sections.limitation]
        assert all(each.source and each.certainty for each in [*every, *sections.replies, *sections.fees]), code


def test_the_law_names_who_what_and_how_long_where_it_speaks():
    named = {code: {stop.reason for stop in country.sections.stops} for code, country in load_countries().items()}
    assert named["CL"] == {"SUIT_SERVED", "INSOLVENCY"}
    assert named["US"] >= {"CEASE_LETTER", "ATTORNEY"}
    assert "MINOR" in named["MX"]
    assert [code for code, c in load_countries().items() if c.sections.limitation[0].bars_contact] == ["BR"]
    by_law = {code for code, c in load_countries().items() if c.sections.third_parties[-1].basis == "law"}
    assert {"MX", "CO", "EC", "PY", "GT"} <= by_law
    assert all("reference" not in each.roles for c in load_countries().values() for each in c.sections.third_parties)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda raw: raw.update(country="PX"), "country: found «PX»; expected the name of the file"),
        (lambda raw: raw.pop("time_zones"), "time_zones: found nothing; expected a list"),
        (lambda raw: raw.update(sorpresa=1), "sorpresa: found «sorpresa»; expected one of"),
        (lambda raw: raw["rules"][0].update(windows={"mon": "20:00-07:00"}), "rules[0].windows.mon: found"),
        (lambda raw: raw["rules"][0].update(windows={"mon": "7-20"}), "windows.mon: found «7-20»; expected hours"),
        (lambda raw: raw["rules"][0].update(windows={"lunes": "07:00-20:00"}), "expected a weekday"),
        (
            lambda raw: raw["rules"][0].update(windows={"mon-fri": "07:00-20:00", "tue": "08:00-09:00"}),
            "windows.tue: found «tue»; expected each weekday once",
        ),
        (lambda raw: raw["rules"][0].update(holidays="maybe"), "rules[0].holidays: found «maybe»; expected one of"),
        (lambda raw: raw["rules"][0].update(channels=["fax"]), "rules[0].channels[0]: found «fax»; expected one of"),
        (lambda raw: raw["rules"][0].update(effective_from="soon"), "rules[0].effective_from: found «soon»; expected"),
        (lambda raw: raw["rules"][0].update(caps=["none/cap-9"]), "rules[0].caps[0]: found «none/cap-9»; expected"),
        (lambda raw: raw["rules"].append(raw["rules"][0]), "one version per channel and day"),
        (lambda raw: raw.pop("workplace"), "workplace: found nothing; expected"),
        (lambda raw: raw.update(replies=[]), "replies: found «[]»; expected at least one"),
        (
            lambda raw: raw["third_parties"][0].update(roles=["vecino"]),
            "third_parties[0].roles[0]: found «vecino»; expected one of",
        ),
        (lambda raw: raw["limitation"][0].update(bars_contact=True, years=None), "limitation[0].years: found nothing"),
        (lambda raw: raw["offers"][0].update(consent="maybe"), "offers[0].consent: found «maybe»; expected one of"),
        (lambda raw: raw["fees"][0].update(share="mucho"), "fees[0].share: found «mucho»; expected a number"),
        (lambda raw: raw["fees"][0].update(needs=["nada"]), "fees[0].needs[0]: found «nada»; expected one of"),
        (lambda raw: raw["workplace"].append(raw["workplace"][0]), "expected one version per rule and day"),
        (lambda raw: raw["caps"]["default/cap-1"].update(n=0), "caps.default/cap-1.n: found «0»; expected"),
        (lambda raw: raw["caps"]["default/cap-1"].update(per="month"), "caps.default/cap-1.per: found «month»"),
        (lambda raw: raw["caps"]["default/cap-1"].update(scope="group"), "caps.default/cap-1.channels: found nothing"),
    ],
)
def test_a_wrong_file_names_file_and_key(change, complaint):
    with pytest.raises(DocumentError) as wrong:
        read_country(changed(change), file="PE.yaml")
    assert complaint in str(wrong.value)
    assert str(wrong.value).startswith("PE.yaml: ")
