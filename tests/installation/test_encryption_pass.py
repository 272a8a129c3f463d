"""Texts that were plain, or carry an earlier key, are encrypted in the background: a little at a time, never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from recobra.access.actors import Service, service_actor
from recobra.consent.models import ConsentEntry
from recobra.installation import encryption_pass
from recobra.installation.keys import rotate_data_keys
from recobra.installation.models import EncryptionPass
from recobra.journal.models import Entry
from recobra.kit import key_rotation, keys
from recobra.kit.encrypted_field import UNREADABLE, EncryptedValue
from recobra.messaging.models import Contact, Letter, Provider, WebhookCall
from recobra.sign_on.models import IdentityProvider

PLAIN = "Pague en la cuenta 191-55"
CALL = b'POST ?token=abc\r\n\r\n{"text": "hola \xff"}'


@pytest.fixture(autouse=True)
def own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path))


@pytest.fixture
def before(post, now):
    """Rows as they stood before texts were encrypted: contacts, a letter, a provider's call, a wish."""
    contacts = [post.sent(post.debtor()) for _number in range(5)]
    letter = Letter.objects.create(contact=contacts[0], reference="PE-1", content={"a": 1}, changed_at=now)
    provider = Provider.objects.create(
        code="wa", channel="whatsapp", kind="whatsapp", name="W", created_at=now, created_by="dario"
    )
    call = WebhookCall.objects.create(provider=provider, received_at=now, digest="d", body=CALL)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_contact SET subject = 'Su cuenta', body = %s, answer = 'enc1.', html = ''", [PLAIN]
        )
        cursor.execute('UPDATE messaging_letter SET content = \'{"how_to_pay": "191-55"}\'')
        cursor.execute("UPDATE messaging_webhookcall SET body = %s", [CALL])
        cursor.execute(
            """INSERT INTO consent_consententry (at, kind, value, channel, act, source, text_shown, said, actor)
            VALUES (%s, 'PHONE', '+511', '', 'OPTED_OUT', 'KEYWORD', '', 'BAJA 191-55', 'debtor')""",
            [now],
        )
    wish = ConsentEntry.objects.get()
    return contacts, letter, call, wish


def service(now):
    return service_actor(Service.SYSTEM, now=now)


def run(now, seconds=60.0):
    return encryption_pass.encrypt_waiting(seconds=seconds, actor=service(now))


def stored(column, table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [value for (value,) in cursor]


def check_texts(contacts, letter, call, wish):
    for contact in Contact.objects.all():
        assert (contact.subject, contact.body, contact.html, contact.answer) == ("Su cuenta", PLAIN, "", "enc1.")
    assert Letter.objects.get(pk=letter.pk).content == {"how_to_pay": "191-55"}
    assert WebhookCall.objects.get(pk=call.pk).body == CALL
    assert ConsentEntry.objects.get(pk=wish.pk).said == "BAJA 191-55"
    assert len(contacts) == Contact.objects.count()


def test_texts_are_read_as_they_stand_and_encrypted_in_the_background(before, now):
    check_texts(*before)
    assert key_rotation.count_values()[key_rotation.PLAIN] == 5 * 3 + 3
    assert encryption_pass.count_left() > 0
    run(now)
    check_texts(*before)
    assert set(key_rotation.count_values()) == {keys.read_key_ring().current.id}
    assert all(value.startswith("enc") for value in stored("body", "messaging_contact"))
    assert bytes(stored("body", "messaging_webhookcall")[0]).startswith(b"enc1.")
    assert encryption_pass.count_left() == 0


def test_it_goes_on_where_it_stopped_and_looks_at_nothing_twice(before, now, monkeypatch):
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    looked_at = []
    encrypt_batch = key_rotation.encrypt_batch

    def encrypt_and_note(model, *, after):
        batch = encrypt_batch(model, after=after)
        if model is Contact:
            looked_at.append(batch and int(batch.last_pk))
        return batch

    monkeypatch.setattr(key_rotation, "encrypt_batch", encrypt_and_note)
    runs = 0
    while encryption_pass.count_left():
        run(now, seconds=0.0)
        runs += 1
        check_texts(*before)
    assert runs > 4
    pks = [contact.pk for contact in before[0]]
    assert looked_at == [pks[1], pks[3], pks[4], None]
    run(now)
    assert len(looked_at) == 4, "what is done is not looked at again"


def test_a_rotation_that_was_broken_off_is_finished_and_its_keys_go(before, now):
    run(now)
    old = keys.read_key_ring().current.id
    new = keys.add_key(now=now)  # the command ended here
    assert encryption_pass.count_left() > 0
    run(now)
    check_texts(*before)
    assert set(key_rotation.count_values()) == {new.id}
    assert keys.read_key_ring().find(old).retired_at == now
    fact = Entry.objects.filter(kind="keys.rotated").latest("id")
    assert (fact.payload["key"], fact.payload["retired"]) == (new.id, [old])
    rotated = rotate_data_keys(is_drawn=False, actor=service_actor(Service.COMMAND, now=now + timedelta(hours=2)))
    assert (rotated.retired, rotated.destroyed) == ((new.id,), (old,))
    check_texts(*before)


def test_what_came_behind_its_back_is_found_before_a_key_goes(before, now):
    run(now)
    old = keys.read_key_ring().current
    late = Contact._meta.get_field("body").seal("Tarde", row=before[0][0].public_id)
    new = keys.add_key(now=now)
    EncryptionPass.objects.exclude(table="*").update(key_id=new.id, finished_at=now)
    Contact.objects.filter(pk=before[0][0].pk).update(body=EncryptedValue(late))
    run(now)
    assert keys.read_key_ring().find(old.id).retired_at is None
    run(now)
    assert keys.read_key_ring().find(old.id).retired_at == now
    assert Contact.objects.get(pk=before[0][0].pk).body == "Tarde"


def test_a_text_of_a_lost_key_is_shown_as_such_and_never_lost(before, now):
    run(now)
    Contact.objects.filter(pk=before[0][0].pk).update(body=EncryptedValue("enc1.00000000.AAAA"))
    contact = Contact.objects.get(pk=before[0][0].pk)
    assert contact.body == str(UNREADABLE)
    contact.save()
    assert stored("body", "messaging_contact")[0] == "enc1.00000000.AAAA"
    rotated = rotate_data_keys(is_drawn=False, actor=service_actor(Service.COMMAND, now=now))
    assert rotated.unreadable == 1
    assert stored("body", "messaging_contact")[0] == "enc1.00000000.AAAA"


def test_a_text_does_not_open_in_another_row(before, now):
    run(now)
    first, second = before[0][:2]
    Contact.objects.filter(pk=second.pk).update(body=EncryptedValue(stored("body", "messaging_contact")[0]))
    assert Contact.objects.get(pk=first.pk).body == PLAIN
    assert Contact.objects.get(pk=second.pk).body == str(UNREADABLE)


def test_the_ledger_of_consent_still_lets_nobody_put_words_into_it(before, now):
    with pytest.raises(Exception, match="only grows"), connection.cursor() as cursor:
        cursor.execute("UPDATE consent_consententry SET said = 'Acepto'")


def test_a_table_whose_key_is_a_word_is_carried_over_and_rotated_too(db, now):
    IdentityProvider.objects.create(client_secret="muy-secreto")
    keys.add_key(now=now)
    assert encryption_pass.count_left() > 0
    run(now)
    assert encryption_pass.count_left() == 0
    rotated = rotate_data_keys(is_drawn=False, actor=service_actor(Service.COMMAND, now=now))
    assert (rotated.rewritten, rotated.unreadable) == (1, 0)
    assert IdentityProvider.objects.get().client_secret == "muy-secreto"


def test_only_rows_that_wait_are_counted(before, now, post):
    run(now)
    assert encryption_pass.count_left() == 0
    rotate_data_keys(is_drawn=False, actor=service_actor(Service.COMMAND, now=now))
    assert encryption_pass.count_left() == 0, "a rotation leaves nothing, before any pass has looked"
    keys.add_key(now=now)
    waiting = encryption_pass.count_left()
    post.sent(post.debtor())
    assert encryption_pass.count_left() == waiting, "what is written now is under the key in use"


def test_a_value_that_was_altered_keeps_its_key_and_is_not_looked_for_again_and_again(before, now, monkeypatch):
    run(now)
    old = keys.read_key_ring().current
    first, second = before[0][:2]
    Contact.objects.filter(pk=second.pk).update(body=EncryptedValue(stored("body", "messaging_contact")[0]))
    new = keys.add_key(now=now)
    for _minute in range(3):
        run(now)
    assert EncryptionPass.objects.get(table="*").key_id == new.id
    assert keys.read_key_ring().find(old.id).retired_at is None
    assert Contact.objects.get(pk=first.pk).body == PLAIN
    monkeypatch.setattr(key_rotation, "encrypt_batch", None)  # is not called any more
    assert run(now) == 0
