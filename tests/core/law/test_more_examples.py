"""Further examples of the kind of the shared ones, for `contact check`: edges, subdivisions, weeks, gaps, clock changes.

One line each: place, zone, channel, local hour, earlier contacts | yes, or no and why. 6 July 2026 is a Monday.
"""

import pyarrow as pa
import pytest

from recobra_core.law.batch import check_contacts

EDGES = {
    # place, zone: channels, then the first and last minute of an open Monday, and of an open Saturday or -
    "PE America/Lima": [("call ivr sms whatsapp email letter visit", "07:00", "19:59", "-", "-")],
    "MX America/Mexico_City": [("call ivr sms whatsapp email letter visit", "07:00", "21:59", "-", "-")],
    "CO America/Bogota": [("call ivr sms whatsapp email letter", "07:00", "18:59", "08:00", "14:59")],
    "CL-RM America/Santiago": [("call ivr sms whatsapp email letter visit", "08:00", "19:59", "08:00", "19:59")],
    "AR America/Argentina/Buenos_Aires": [
        ("call ivr sms whatsapp email letter visit", "09:00", "20:59", "09:00", "12:59")
    ],
    "AR-C America/Argentina/Buenos_Aires": [
        ("call ivr sms whatsapp email letter visit", "09:00", "20:59", "09:00", "12:59")
    ],
    "AR-M America/Argentina/Buenos_Aires": [
        ("call ivr sms whatsapp email letter visit", "09:00", "20:59", "09:00", "12:59")
    ],
    "BR-SP America/Sao_Paulo": [("call ivr sms whatsapp email letter visit", "08:00", "19:59", "08:00", "13:59")],
    "BR-AL America/Maceio": [("call ivr sms whatsapp email letter visit", "08:00", "19:59", "08:00", "13:59")],
    "BR-RJ America/Sao_Paulo": [
        ("call ivr", "09:00", "18:59", "-", "-"),
        ("sms email visit", "08:00", "19:59", "08:00", "13:59"),
    ],
    "BR-ES America/Sao_Paulo": [
        ("call ivr", "08:00", "18:59", "-", "-"),
        ("whatsapp letter", "08:00", "19:59", "08:00", "13:59"),
    ],
    "BR-AM America/Manaus": [
        ("call ivr", "08:00", "18:59", "-", "-"),
        ("sms email", "08:00", "19:59", "08:00", "13:59"),
    ],
    "BR-MG America/Sao_Paulo": [("call ivr sms whatsapp email letter visit", "08:00", "19:59", "08:00", "13:59")],
    "EC America/Guayaquil": [
        ("call ivr sms whatsapp email", "07:00", "19:59", "-", "-"),
        ("letter visit", "08:00", "17:59", "-", "-"),
    ],
    "BO America/La_Paz": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "PY America/Asuncion": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "08:00", "11:59")],
    "UY America/Montevideo": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "PA America/Panama": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "CR America/Costa_Rica": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "GT America/Guatemala": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "SV America/El_Salvador": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "HN America/Tegucigalpa": [
        ("call ivr sms whatsapp email", "07:00", "18:59", "-", "-"),
        ("letter visit", "08:00", "17:59", "-", "-"),
    ],
    "DO America/Santo_Domingo": [("call ivr sms whatsapp email letter visit", "08:00", "17:59", "-", "-")],
    "US America/New_York": [
        ("call ivr sms whatsapp email visit", "08:00", "20:59", "08:00", "20:59"),
        ("letter", "00:00", "23:59", "00:00", "23:59"),
    ],
    "ES-MD Europe/Madrid": [("call ivr sms whatsapp email letter visit", "09:00", "20:59", "-", "-")],
}
MONDAY, SATURDAY, SUNDAY = "2026-07-13", "2026-07-11", "2026-07-12"
NOT_MONDAY = {"CO": "2026-07-14"}
"""The holidays package closes 13 July in Colombia."""

OTHERS = """
# both weeks: the last seven local days, and the calendar week inside them
CL-RM America/Santiago call 2026-07-13T10:00 call@2026-07-07T19:00 | no cap_week
CL-RM America/Santiago call 2026-07-13T10:00 call@2026-07-06T19:00 | yes
CL-RM America/Santiago visit 2026-07-11T10:00 ivr@2026-07-06T09:00 | no cap_week
CL-RM America/Santiago call 2026-07-11T10:00 sms@2026-07-10T09:00 | yes
CO America/Bogota sms 2026-07-14T10:00 call@2026-07-08T19:00 | no other_channel
CO America/Bogota sms 2026-07-14T10:00 call@2026-07-07T07:00 | yes
CO America/Bogota sms 2026-07-14T10:00 call_attempt@2026-07-13T10:00 | yes
CO America/Bogota sms 2026-07-14T18:00 call_attempt@2026-07-14T07:00 | no cap_day
CO America/Bogota sms 2026-07-15T10:00 sms@2026-07-14T18:00 | yes
CO America/Bogota sms 2026-07-18T10:00 sms@2026-07-17T18:00;sms@2026-07-16T18:00;sms@2026-07-15T18:00 | yes
PY America/Asuncion call 2026-07-13T10:00 call_attempt@2026-07-07T10:00;call_attempt@2026-07-08T10:00;call_attempt@2026-07-09T10:00 | no cap_week
PY America/Asuncion call 2026-07-14T10:00 call_attempt@2026-07-07T10:00;call_attempt@2026-07-08T10:00;call_attempt@2026-07-09T10:00 | yes
PE America/Lima call 2026-07-13T10:00 sms@2026-07-06T10:00;sms@2026-07-07T10:00;sms@2026-07-08T10:00;sms@2026-07-09T10:00;sms@2026-07-10T10:00 | yes
PE America/Lima call 2026-07-13T10:00 sms@2026-07-07T10:00;email@2026-07-07T11:00;sms@2026-07-08T10:00;sms@2026-07-09T10:00;sms@2026-07-10T10:00 | no cap_week
# day and day + 1: local days, never hours
PE America/Lima sms 2026-07-07T07:00 sms@2026-07-06T19:59 | yes
PE America/Lima sms 2026-07-06T19:59 sms@2026-07-06T07:00 | no cap_day
PE America/Lima call 2026-07-06T15:00 call_attempt@2026-07-06T09:00 | no cap_day
EC America/Guayaquil email 2026-07-07T07:00 call@2026-07-06T19:59 | yes
EC America/Guayaquil email 2026-07-06T19:59 call_attempt@2026-07-06T07:00 | no cap_day
EC America/Guayaquil letter 2026-07-06T15:00 call@2026-07-06T07:00 | yes
GT America/Guatemala sms 2026-07-06T17:59 sms@2026-07-06T08:00 | yes
GT America/Guatemala sms 2026-07-06T17:59 sms@2026-07-06T08:00;call_attempt@2026-07-06T09:00 | no cap_day
GT America/Guatemala letter 2026-07-06T17:59 letter@2026-07-06T08:00 | no cap_day
# clear days over the ends of months and years, and over clock changes
CL-RM America/Santiago email 2026-07-02T10:00 sms@2026-06-29T10:00 | yes
CL-RM America/Santiago email 2026-07-02T10:00 sms@2026-06-30T10:00 | no gap
CL-RM America/Santiago email 2026-08-02T10:00 sms@2026-07-30T10:00 | no closed_day
CL-RM America/Santiago email 2026-08-03T10:00 sms@2026-07-31T10:00 | yes
CL-RM America/Santiago email 2026-08-01T10:00 sms@2026-07-30T10:00 | no gap
CL-RM America/Santiago email 2027-01-02T10:00 sms@2026-12-31T10:00 | no gap
CL-RM America/Santiago email 2027-01-04T10:00 sms@2027-01-01T10:00 | yes
CL-RM America/Santiago email 2026-09-08T08:00 sms@2026-09-05T19:59 | yes
CL-RM America/Santiago email 2026-09-07T19:59 sms@2026-09-05T08:00 | no gap
CL-RM America/Santiago email 2026-04-06T19:59 sms@2026-04-04T08:00 | no gap
CL-RM America/Santiago email 2026-04-07T08:00 sms@2026-04-04T19:59 | yes
CL-RM America/Santiago sms 2026-07-10T10:00 sms@2026-07-07T10:00 | yes
CL-RM America/Santiago sms 2026-07-10T10:00 sms@2026-07-04T10:00;letter@2026-07-07T10:00 | no cap_week
CL-RM America/Santiago sms 2026-07-10T10:00 sms@2026-07-03T10:00;letter@2026-07-07T10:00 | yes
# a conversation, and tries, around the clock changes of the US
US America/New_York call 2026-03-09T10:00 call@2026-03-03T10:00 | no after_conversation
US America/New_York call 2026-03-10T08:00 call@2026-03-03T20:59 | yes
US America/New_York call 2026-11-02T08:00 call@2026-10-27T20:59 | no after_conversation
US America/New_York call 2026-11-03T08:00 call@2026-10-27T20:59 | yes
US America/New_York ivr 2026-03-09T10:00 call_attempt@2026-03-03T10:00;call_attempt@2026-03-04T10:00;call_attempt@2026-03-05T10:00;call_attempt@2026-03-06T10:00;call_attempt@2026-03-07T10:00;call_attempt@2026-03-08T10:00 | yes
US America/New_York ivr 2026-03-09T10:00 call_attempt@2026-03-03T08:00;call_attempt@2026-03-03T10:00;call_attempt@2026-03-04T10:00;call_attempt@2026-03-05T10:00;call_attempt@2026-03-06T10:00;call_attempt@2026-03-07T10:00;call_attempt@2026-03-08T10:00 | no cap_week
US America/New_York email 2026-03-09T10:00 call@2026-03-09T09:00;email@2026-03-09T09:30 | yes
US America/New_York call 2026-12-25T10:00 - | yes
US America/New_York visit 2026-12-25T10:00 - | no holiday
# several possible zones, each of which must be open
EC Pacific/Galapagos call 2026-07-06T07:00 - | yes
MX America/Tijuana call 2026-07-06T07:00 - | yes
CL-VS Pacific/Easter call 2026-07-06T08:00 - | yes
# holidays: moved, regional, optional, of a state
CO America/Bogota call 2026-07-13T10:00 - | no holiday
CO America/Bogota call 2026-06-29T10:00 - | no holiday
CL-AP America/Santiago call 2026-06-07T10:00 - | no closed_day
CL-RM America/Santiago call 2026-09-18T10:00 - | no holiday
BR-SP America/Sao_Paulo sms 2026-02-16T10:00 - | no holiday
BR-SP America/Sao_Paulo call 2026-07-09T10:00 - | no holiday
BR-RJ America/Sao_Paulo call 2026-07-09T10:00 - | yes
BR-RJ America/Sao_Paulo call 2026-04-23T10:00 - | no holiday
UY America/Montevideo call 2026-02-17T10:00 - | no holiday
EC America/Guayaquil call 2026-08-10T10:00 - | no holiday
ES-CT Europe/Madrid call 2026-09-11T10:00 - | no holiday
ES-MD Europe/Madrid call 2026-09-11T10:00 - | yes
# visits and channels
CO America/Bogota visit 2026-07-06T10:00 - | no channel_barred
CL-RM America/Santiago visit 2026-07-11T19:59 - | yes
"""


def edges():
    for where, groups in EDGES.items():
        place, zone = where.split()
        monday = NOT_MONDAY.get(place, MONDAY)
        for channels, first, last, saturday, saturday_last in groups:
            for channel in channels.split():
                yield from _edge((place, zone, channel), monday, first, last)
                if saturday != "-":
                    yield from _edge((place, zone, channel), SATURDAY, saturday, saturday_last)
                else:
                    yield place, zone, channel, f"{SATURDAY}T10:00", "", "no closed_day"
                if place != "US":
                    yield place, zone, channel, f"{SUNDAY}T10:00", "", "no closed_day"


def _edge(who, day, first, last):
    """The first and last minute are open; those around them are not."""
    yield *who, f"{day}T{first}", "", "yes"
    yield *who, f"{day}T{last}", "", "yes"
    before, after = _minutes(first) - 1, _minutes(last) + 1
    if before >= 0:
        yield *who, f"{day}T{before // 60:02d}:{before % 60:02d}", "", "no closed_hour"
    if after < 24 * 60:
        yield *who, f"{day}T{after // 60:02d}:{after % 60:02d}", "", "no closed_hour"


def _minutes(clock):
    return int(clock[:2]) * 60 + int(clock[3:])


def others():
    for line in OTHERS.strip().splitlines():
        if not line.startswith("#"):
            example, _, expected = line.partition(" | ")
            *head, prior = example.split()
            yield (*head, "" if prior == "-" else prior, expected)


EXAMPLES = [*edges(), *others()]


@pytest.fixture(scope="module")
def answers():
    names = ("country", "time_zone", "channel", "local_datetime", "prior_contacts")
    columns = zip(*(example[:5] for example in EXAMPLES), strict=True)
    return check_contacts(pa.table(dict(zip(names, map(list, columns), strict=True)))).to_pylist()


def test_every_example_is_answered_as_expected_with_rule_and_source(answers):
    wrong = [
        (example, answer["allowed"], answer["reason"])
        for example, answer in zip(EXAMPLES, answers, strict=True)
        if example[5] != f"{answer['allowed']} {answer['reason']}".strip() or not answer["rule"] or not answer["source"]
    ]
    assert wrong == []
    assert len(EXAMPLES) > 700
