"""What every answer tells the browser: nothing inline, nothing from elsewhere, nothing kept."""

import runpy
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler

from recobra.kit.utf8_requests import read_as_utf8
from recobra.messaging.models import MailboxMessage

POLICY = {
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
}
PAGES = {
    "a page of the console": ("ana", "/cartera/"),
    "the sign-in": ("nobody", "/entrar/"),
    "a page of the portal": ("nobody", "/d/estado/no-es-un-enlace"),
    "a page that is not there": ("ana", "/no-hay/"),
    "a page that is refused": ("ana", "/auditoria/"),
    "a call of a provider": ("nobody", "/api/webhooks/nadie/"),
}


def read_settings(monkeypatch, **environment):
    """Return the product's settings as a new process would read them."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(settings.BASE_DIR / "config" / "settings.py"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_forbids_what_is_inline_and_is_kept_nowhere(at_desk, world, name):
    person, address = PAGES[name]
    client = Client() if person == "nobody" else at_desk(person)
    answer = client.get(address)
    assert set(answer["Content-Security-Policy"].split("; ")) == POLICY
    assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert "noindex" in answer["X-Robots-Tag"]
    assert "Access-Control-Allow-Origin" not in answer, "no other site may read it"
    if answer.content:
        assert answer["Content-Type"] in {"text/html; charset=utf-8", "text/plain; charset=utf-8"}
    assert "Strict-Transport-Security" not in answer, "this installation is not reached by https"


def test_the_html_of_a_message_is_shown_apart_where_nothing_in_it_runs(at_desk, world):
    html = '<p style="color:red">Hola</p><script>alert(1)</script>'
    letter = MailboxMessage.objects.create(
        received_at=world.sent.sent_at,
        contact_public_id=str(world.sent.public_id),
        sender="cobranzas@sur.example",
        recipients="maria@correo.example",
        subject="Su cuota",
        raw=f"Subject: Su cuota\nContent-Type: text/html\n\n{html}".encode(),
    )
    page = at_desk("carla").get(f"/mensajes/buzon/{letter.pk}/")
    assert f'<iframe class="letter" sandbox="" src="/mensajes/buzon/{letter.pk}/html/"' in page.content.decode()
    framed = at_desk("carla").get(f"/mensajes/buzon/{letter.pk}/html/")
    assert html in framed.content.decode()
    assert framed["Content-Security-Policy"].endswith("frame-ancestors 'self'; sandbox")
    assert "script-src" not in framed["Content-Security-Policy"]
    assert "default-src 'none'" in framed["Content-Security-Policy"]


def test_behind_https_cookies_belong_to_this_host_and_browsers_never_go_back(monkeypatch):
    read = read_settings(monkeypatch, RECOBRA_PUBLIC_URL="https://cobranzas.example")
    names = [read[f"{cookie}_COOKIE_NAME"] for cookie in ("SESSION", "CSRF", "LANGUAGE")]
    assert names == ["__Host-sessionid", "__Host-csrftoken", "__Host-django_language"]
    assert all(read[f"{cookie}_COOKIE_SECURE"] for cookie in ("SESSION", "CSRF", "LANGUAGE"))
    assert read["CSRF_COOKIE_HTTPONLY"]
    assert read["HSTS_SECONDS"] == 365 * 86_400
    assert read["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["upgrade-insecure-requests"]


def test_how_long_browsers_insist_on_https_is_a_setting(monkeypatch, settings, client):
    read = read_settings(monkeypatch, RECOBRA_PUBLIC_URL="https://cobranzas.example", RECOBRA_HSTS_DAYS="0")
    assert read["HSTS_SECONDS"] == 0
    settings.HSTS_SECONDS = 86_400
    assert client.get("/robots.txt")["Strict-Transport-Security"] == "max-age=86400; includeSubDomains"


def test_robots_are_told_to_stay_away(client):
    answer = client.get("/robots.txt")
    assert (answer.status_code, answer.content.decode()) == (200, "User-agent: *\nDisallow: /\n")


def test_the_language_is_remembered_where_no_script_reads_it(client, db):
    cookie = client.post("/idioma/", {"language": "en"}).cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    "name", ["vendor/.package-lock.json", "vendor/htmx.org/package.json", "vendor/axe-core/axe.js"]
)
def test_nothing_is_served_that_no_page_uses(name):
    assert Client().get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://elsewhere.example"}], ids=["no token", "from elsewhere"])
def test_a_form_from_elsewhere_or_without_its_token_is_refused(world, cast, headers):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast["ana"])
    assert client.post("/cartera/vistas/", {"name": "Mías"}, headers=headers).status_code == 403


ENCODINGS = ("zlib", "utf-16", "idna", "unicode_escape", "undefined", "nobody-knows")


def ask_server(method, address, content_type):
    """Return the status with which the whole application answers, as a web server would call it."""
    path, _mark, query = address.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_TYPE": content_type}
    setup_testing_defaults(environ)
    statuses = []

    def serve(environ, start_response):
        answer = ClientHandler(enforce_csrf_checks=True)(environ)
        start_response(f"{answer.status_code} {answer.reason_phrase}", [])
        return answer

    read_as_utf8(serve)(environ, lambda status, _headers: statuses.append(int(status[:3])))
    return statuses[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_says_that_it_is_in_another_encoding_is_refused_and_never_an_error_of_ours(db, encoding):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        for parameter in (f"charset={encoding}", f"charset*=utf-8''{encoding}", "x*=nobody-knows''y"):
            named = f"{kind}; {parameter}"
            assert ask_server("GET", "/entrar/?q=%41", named) == 400
            assert ask_server("POST", "/d/baja/no-es-un-enlace?q=%41", named) == 400
            # Nobody knows the provider: the call itself was looked at.
            assert ask_server("POST", "/api/webhooks/nadie/?q=%41", named) == 404


@pytest.mark.parametrize("encoding", ["utf8", "UTF-8", '"utf-8"'])
def test_a_form_may_say_in_any_spelling_that_it_is_in_utf_8(db, encoding):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert ask_server("GET", "/entrar/?q=%41", f"{kind}; charset={encoding}") == 200
        assert ask_server("POST", "/entrar/", f"{kind}; charset={encoding}") == 403, "no token came with it"
