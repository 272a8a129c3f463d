"""Where the installation may connect to, by the name that is called and by the address that it led to."""

import pytest

from recobra.kit import outgoing_rule
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Unsuitable

BARRED = [
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1",
    "https://192.168.1.1",
    "https://192.168.1.1:8443",
    "https://[fd00::1]",
    "https://[::1]",
    "https://[::ffff:10.0.0.1]",
    "https://100.64.0.1",
    "https://224.0.0.1",
    "https://0.0.0.0",
    "https://127.0.0.1",
    "http://localhost:9912/x?y=",
    "https://api.example.com:8443",
    "https://api.example.com:22",
    "https://api.example.com:99999",
    "https://[",
    "https://[api.example.com]",
    "https://user:key@10.0.0.1",
    "https://api.twilio.com@10.0.0.1",
    "https://api.twilio.com:443@169.254.169.254/latest",
    "https://10.0.0.1#@api.twilio.com",
    "https://10.0.0.1?@api.twilio.com",
    "https://[::ffff:a9fe:a9fe]",
    "https://[64:ff9b::a00:1]",
    "https://[2002:a00:1::]",
    "file:///etc/passwd",
    "gopher://10.0.0.1:6379/_FLUSHALL",
    "//10.0.0.1",
]


@pytest.fixture
def outside(settings):
    """Be an installation that is no demonstration, and whose operator named nothing."""
    settings.DEMO, settings.INNER_HOSTS, settings.OUTGOING_HOSTS = False, [], []
    return settings


@pytest.mark.parametrize("address", BARRED)
def test_nobody_makes_a_provider_of_what_lies_inside(outside, address):
    with pytest.raises(Unsuitable):
        http.validate_base_url(address)


def test_by_default_any_host_of_the_open_internet_is_called_by_https(outside):
    assert http.validate_base_url("https://api.example.com/v1/") == "https://api.example.com/v1"


def test_a_name_that_leads_inside_is_not_connected_to(outside):
    assert outgoing_rule.may_call("rebind.example.com", 443)
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1"):
        assert not outgoing_rule.may_connect(address, "rebind.example.com", 443)
    assert outgoing_rule.may_connect("8.8.8.8", "rebind.example.com", 443)


def test_a_list_leaves_the_providers_and_what_it_names(outside):
    outside.OUTGOING_HOSTS = ["sms.example.com", "*.example.net:8443"]
    called = [("sms.example.com", 443), ("a.example.net", 8443), ("api.twilio.com", 443), ("Graph.Facebook.com", 443)]
    assert [outgoing_rule.may_call(*each) for each in called] == [True] * 4
    others = [("sms.example.com", 8443), ("a.example.net", 443), ("example.org", 443), ("api.twilio.com", 22)]
    assert [outgoing_rule.may_call(*each) for each in others] == [False] * 4


def test_what_the_operator_names_inside_is_called_by_its_port_alone(outside):
    outside.INNER_HOSTS = ["gateway.local:8080", "10.1.2.3:25", "[fd00::7]:443"]
    assert http.validate_base_url("https://gateway.local:8080") == "https://gateway.local:8080"
    assert outgoing_rule.may_connect("10.9.9.9", "gateway.local", 8080)
    assert outgoing_rule.may_connect("10.1.2.3", "10.1.2.3", 25)
    assert outgoing_rule.may_connect("fd00::7", "fd00::7", 443)
    assert not outgoing_rule.may_connect("10.9.9.9", "gateway.local", 22)
    assert not outgoing_rule.may_connect("10.1.2.3", "else.example.com", 25)


def test_the_mail_server_of_the_environment_is_the_operators_choice(outside):
    outside.SMTP_URL = "smtp://relay.local:2525"
    assert outgoing_rule.may_call("relay.local", 2525, ports=outgoing_rule.MAIL_PORTS)
    assert outgoing_rule.may_connect("10.0.0.25", "relay.local", 2525)
    assert not outgoing_rule.may_connect("10.0.0.25", "relay.local", 5432)


def test_mail_goes_to_the_ports_of_mail(outside):
    ports = [25, 465, 587, 2525, 22, 5432, 6379]
    assert [outgoing_rule.may_call("mail.example.com", port, ports=outgoing_rule.MAIL_PORTS) for port in ports] == [
        *[True] * 4,
        *[False] * 3,
    ]
