"""What stands in `deploy/` is taken by the programs that it is written for."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.house.conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# `systemd-analyze security` gives 0 (closed) to 10 (open); a unit without any protection has 9.6.
MOST_EXPOSED = 2.5


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def units(tmp_path):
    """The units with the product where it is here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    product = tmp_path / "recobra"
    (product / ".venv/bin").mkdir(parents=True)
    (product / ".venv/bin/recobra").symlink_to(shutil.which("true"))
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/recobra", str(product))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", [unit.name for unit in UNITS])
def test_systemd_takes_the_unit_and_finds_it_closed(units, name):
    verified = _run("systemd-analyze", "verify", str(units / name))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    judged = _run("systemd-analyze", "security", "--offline=yes", "--no-pager", str(units / name))
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)[1])
    assert exposure <= MOST_EXPOSED


def test_a_unit_that_is_wrong_is_named(units):
    broken = units / UNITS[0].name
    broken.write_text(broken.read_text(encoding="utf-8").replace("Type=exec", "Type=always"), encoding="utf-8")
    assert "service type" in _run("systemd-analyze", "verify", str(broken)).stderr


@pytest.fixture
def certificate(tmp_path):
    """The paths of a certificate for a day and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cobranzas.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain, private = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


def test_nginx_takes_its_sample(tmp_path, certificate):
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    chain, private = certificate
    text = (DEPLOY / "proxy/nginx.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/ssl/recobra/fullchain.pem", str(chain))
    text = text.replace("/etc/ssl/recobra/privkey.pem", str(private))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n", encoding="utf-8")
    checked = _run("nginx", "-t", "-q", "-c", str(whole), "-e", str(tmp_path / "error.log"))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "name", ["systemd/recobra.env", "container/run.sh", "proxy/Caddyfile", "proxy/nginx.conf", "prometheus/recobra.yml"]
)
def test_every_setting_that_is_named_is_documented(name):
    documented = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"RECOBRA_[A-Z_]+", (DEPLOY / name).read_text(encoding="utf-8")))
    assert named
    assert {each for each in named if f"`{each}`" not in documented} == set()


def test_what_is_built_into_an_image_has_no_history():
    steps = (DEPLOY / "container/build.sh").read_text(encoding="utf-8")
    (copied,) = re.findall(r"^for part in (.*); do$", steps, re.MULTILINE)
    assert {"src", "requirements", "tools"} < set(copied.split())
    assert not {".", ".git", ".venv", "tests", "node_modules"} & set(copied.split())
    assert ".git\n" in (ROOT / ".containerignore").read_text(encoding="utf-8")


def test_what_prometheus_asks_is_yaml_with_a_target():
    scraped = yaml.safe_load((DEPLOY / "prometheus/recobra.yml").read_text(encoding="utf-8"))
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
