"""Keys are rotated while others read and write: nothing is lost, and no value carries a retired key."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from recobra.access.actors import Service, service_actor
from recobra.installation.keys import rotate_data_keys
from recobra.kit import key_rotation, keys
from recobra.kit.encrypted_field import EncryptedValue
from recobra.kit.encryption import decrypt_text, encrypt_text
from recobra.messaging.models import Provider
from recobra.portfolio.models import Creditor
from tests import people

PROVIDERS = 12
OTHER_PROCESS = """
import sys
import django
django.setup()
from django.db import connection
from recobra.messaging.models import Provider
connection.settings_dict["NAME"] = sys.argv[1]
for line in sys.stdin:
    code, value = line.split()
    provider = Provider.objects.get(code=code)
    provider.secrets = {"auth_token": provider.secrets["auth_token"], "app_secret": value}
    provider.save(update_fields=["secrets"])
    print(provider.secrets["auth_token"], flush=True)
"""


@pytest.fixture(autouse=True)
def own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path))


@pytest.fixture
def filled(db, now):
    """Providers with secrets and a creditor with an account."""
    people.create_company()
    Creditor.objects.get().save()
    for number in range(PROVIDERS):
        Provider.objects.create(
            code=f"p{number}",
            channel="sms",
            kind="twilio_sms",
            name="P",
            secrets={"auth_token": f"t{number}"},
            created_at=now,
            created_by="dario",
        )


def command(now):
    return service_actor(Service.COMMAND, now=now)


def rotate(now, **options):
    return rotate_data_keys(is_drawn=False, actor=command(now), **options)


def ids_in_use():
    return {key_id for key_id, count in key_rotation.count_values().items() if count}


def test_everything_is_encrypted_with_the_new_key_and_the_old_one_goes(filled, now):
    (old,) = ids_in_use()
    creditor = Creditor.objects.get()
    creditor.payment_instructions = "Cuenta 191-555"
    creditor.save()
    rotation = rotate(now)
    assert (rotation.rewritten, rotation.unreadable, rotation.retired) == (PROVIDERS + 1, 0, (old,))
    assert ids_in_use() == {rotation.key_id}
    assert Creditor.objects.get().payment_instructions == "Cuenta 191-555"
    assert {each.secrets["auth_token"] for each in Provider.objects.all()} == {f"t{n}" for n in range(PROVIDERS)}
    assert rotate(now + timedelta(minutes=5)).destroyed == (), "a statement may still be under way"
    third = rotate(now + timedelta(hours=2))
    assert old in third.destroyed
    assert keys.read_key_ring().find(old) is None
    assert {each.secrets["auth_token"] for each in Provider.objects.all()} == {f"t{n}" for n in range(PROVIDERS)}


def test_a_value_of_another_installation_stays_and_is_counted(filled, now):
    Provider.objects.filter(code="p0").update(secrets=EncryptedValue("enc1.00000000.AAAA"))
    rotation = rotate(now)
    assert (rotation.rewritten, rotation.unreadable) == (PROVIDERS - 1 + 1, 1), "the creditor too"
    Provider.objects.get(code="p0").save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM messaging_provider WHERE code = 'p0'")
        assert cursor.fetchone() == ("enc1.00000000.AAAA",)


def test_a_key_is_not_retired_while_a_value_carries_it(filled, now, monkeypatch):
    (old,) = ids_in_use()
    late = encrypt_text(json.dumps({"auth_token": "tarde"}), context="messaging_provider.secrets:p1")
    encrypt_anew = key_rotation.encrypt_anew
    passes = []

    def encrypt_anew_and_be_overtaken():
        done = encrypt_anew()
        if not passes:
            Provider.objects.filter(code="p1").update(secrets=EncryptedValue(late))
        passes.append(done)
        return done

    monkeypatch.setattr(key_rotation, "encrypt_anew", encrypt_anew_and_be_overtaken)
    assert rotate(now).retired == (old,)
    assert len(passes) == 2, "what came behind its back was found by another pass"
    assert Provider.objects.get(code="p1").secrets == {"auth_token": "tarde"}


def test_a_vault_puts_the_new_key_first_itself(filled, now, tmp_path):
    (old,) = ids_in_use()
    file = tmp_path / keys.DATA_KEYS
    file.write_text(keys.draw_key_line(now=now) + "\n" + file.read_text())
    rotation = rotate_data_keys(is_drawn=True, actor=command(now))
    assert rotation.retired == (old,)
    assert ids_in_use() == {rotation.key_id}


@pytest.mark.django_db(transaction=True)
def test_others_read_and_write_meanwhile(filled, now):
    """Another process and threads of this one read and write without a pause while keys are rotated three times."""
    name = connection.settings_dict["NAME"]
    stopped = threading.Event()
    wrong: list[str] = []
    rounds: list[int] = []
    child = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def write_elsewhere() -> None:
        count = 0
        while not stopped.is_set():
            number = count % PROVIDERS
            child.stdin.write(f"p{number} e{count}\n")
            child.stdin.flush()
            if child.stdout.readline().strip() != f"t{number}":
                wrong.append(f"process {count}")
            count += 1
        rounds.append(count)

    def read_here() -> None:
        count = 0
        while not stopped.is_set():
            for number, provider in enumerate(Provider.objects.order_by("pk")):
                if provider.secrets["auth_token"] != f"t{number}":
                    wrong.append(f"thread {number}")
                count += 1
        rounds.append(count)
        connections.close_all()

    threads = [threading.Thread(target=write_elsewhere), threading.Thread(target=read_here)]
    for thread in threads:
        thread.start()
    retired = []
    try:
        while not wrong and child.poll() is None and len(retired) < 3:
            retired += rotate(now).retired
    finally:
        stopped.set()
        for thread in threads:
            thread.join(30)
        child.stdin.close()
        child.wait(30)
        child.stdout.close()
    assert (wrong, len(retired) >= 3, min(rounds) > 0) == ([], True, True)
    assert ids_in_use() <= {key.id for key in keys.read_key_ring().keys}
    assert [each.secrets["auth_token"] for each in Provider.objects.order_by("pk")] == [
        f"t{number}" for number in range(PROVIDERS)
    ]


def test_a_json_column_of_a_library_is_rotated_too(filled, now, monkeypatch):
    place = key_rotation.EncryptedJson(model="messaging.provider", column="settings", context="mfa")
    monkeypatch.setattr(key_rotation, "_json_places", lambda: iter([place]))
    Provider.objects.filter(code="p2").update(
        settings={"secret": encrypt_text("JBSW", context="mfa"), "codes": [encrypt_text("1234", context="mfa"), "x"]}
    )
    rotation = rotate(now)
    stored = Provider.objects.get(code="p2").settings
    assert [decrypt_text(stored["secret"], context="mfa"), decrypt_text(stored["codes"][0], context="mfa")] == [
        "JBSW",
        "1234",
    ]
    assert ids_in_use() == {rotation.key_id}
