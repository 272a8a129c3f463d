"""Django settings. Everything that an installation may set comes from the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit

from recobra.kit import database, keys, zones
from recobra.kit.body_limits import FORM_BYTES_MAX

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = database.data_dir()


def _read_flag(name: str) -> bool:
    """Return whether a variable of the environment is 1; unset it is 0. Raises ValueError for any other value."""
    value = os.environ.get(name, "0")
    if value not in {"0", "1"}:
        raise ValueError(f"{name} is «{value}»; 0 or 1 was expected.")
    return value == "1"


def _read_count(name: str, *, default: int, most: int, least: int = 1) -> int:
    """Return a variable of the environment, a whole number in its range. Raises ValueError for another value."""
    value = os.environ.get(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ValueError(f"{name} is «{value}»; a whole number from {least} to {most} was expected.")
    return int(value)


def _read_list(name: str) -> list[str]:
    """Return a variable of the environment, texts between commas; unset there are none."""
    return [text.strip() for text in os.environ.get(name, "").split(",") if text.strip()]


def _read_time(name: str, *, default: str) -> time:
    """Return a variable of the environment, a time of day without an offset. Raises ValueError for another value."""
    value = os.environ.get(name, default)
    try:
        read = time.fromisoformat(value)
    except ValueError:
        read = None
    if read is None or read.tzinfo is not None:
        raise ValueError(f"{name} is «{value}»; a time such as 05:00 was expected.")
    return read


def _read_zone(name: str) -> str:
    """Return a variable of the environment, a time zone; unset it is ''. Raises ValueError for another value."""
    value = os.environ.get(name, "")
    if value and zones.find_zone(value) is None:
        raise ValueError(f"{name} is «{value}»; a time zone such as America/Lima was expected.")
    return value


def _read_networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return a variable of the environment, addresses or networks separated by commas; unset there are none.

    Raises ValueError for another value.
    """
    texts = [text.strip() for text in os.environ.get(name, "").split(",") if text.strip()]
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as error:
        raise ValueError(f"{name}: {error}; addresses or networks such as 10.0.0.0/8 were expected.") from error


def _read_choice(name: str, *choices: str) -> str:
    """Return a variable of the environment, one of the choices; unset the first. Raises ValueError for another."""
    value = os.environ.get(name, choices[0])
    if value not in choices:
        raise ValueError(f"{name} is «{value}»; one of {', '.join(choices)} was expected.")
    return value


def _read_scanner(name: str) -> str:
    """Return a variable of the environment, where a scanner listens; unset it is ''. Raises ValueError for another."""
    value = os.environ.get(name, "")
    if value and re.fullmatch(r"unix:/.+|tcp:[^:/]+:\d{1,5}", value) is None:
        raise ValueError(f"{name} is «{value}»; unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310 was expected.")
    return value


def _read_portal_url(name: str) -> str:
    """Return a variable of the environment, an address of a host alone; unset it is ''. Raises ValueError."""
    value = os.environ.get(name, "").rstrip("/")
    if value and re.fullmatch(r"https?://[^/?#@]+", value) is None:
        raise ValueError(f"{name} is «{value}»; an address such as https://pagos.example was expected.")
    return value


def _read_secret_key() -> str:
    """Return the secret key of the environment, else the newest of the folder of keys, drawn on the first start."""
    return os.environ.get("RECOBRA_SECRET_KEY") or keys.read_secret_keys()[0]


def _read_secret_key_fallbacks() -> list[str]:
    """Return the earlier keys that still count, newest first: of the environment, and of the folder of keys."""
    given = os.environ.get("RECOBRA_SECRET_KEY_FALLBACKS", "").split()
    return given if os.environ.get("RECOBRA_SECRET_KEY") else [*keys.read_secret_keys()[1:], *given]


SECRET_KEY = _read_secret_key()
SECRET_KEY_FALLBACKS = _read_secret_key_fallbacks()
DEBUG = _read_flag("RECOBRA_DEBUG")
DEMO = _read_flag("RECOBRA_DEMO")
ALLOWED_HOSTS = os.environ.get("RECOBRA_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
# A proxy on this machine is the rule; nothing else of the network reaches the console.
LISTEN = os.environ.get("RECOBRA_LISTEN", "127.0.0.1")
PUBLIC_URL = os.environ.get("RECOBRA_PUBLIC_URL", "http://localhost:8000")
# The pages of debtors under a host name of their own; '' where they share the console's.
PORTAL_URL = _read_portal_url("RECOBRA_PORTAL_URL")
PORTAL_HOST = urlsplit(PORTAL_URL).hostname or ""
if PORTAL_HOST and urlsplit(PUBLIC_URL).hostname == PORTAL_HOST:
    raise ValueError(f"RECOBRA_PORTAL_URL and RECOBRA_PUBLIC_URL name one host, «{PORTAL_HOST}»; two were expected.")
ALLOWED_HOSTS += [PORTAL_HOST] if PORTAL_HOST else []
CSRF_TRUSTED_ORIGINS = list(filter(None, [PUBLIC_URL, PORTAL_URL]))
TRUSTED_PROXIES = _read_networks("RECOBRA_TRUSTED_PROXIES")
PROXY_HEADERS = _read_choice("RECOBRA_PROXY_HEADERS", "x-forwarded", "forwarded")
OUTGOING_HOSTS = _read_list("RECOBRA_OUTGOING_HOSTS")
INNER_HOSTS = _read_list("RECOBRA_INNER_HOSTS")
SMTP_URL = os.environ.get("RECOBRA_SMTP_URL", "")
MAIL_FROM = os.environ.get("RECOBRA_MAIL_FROM", "Cobranzas <cobranzas@localhost>")
ANTIVIRUS = _read_scanner("RECOBRA_ANTIVIRUS")
METRICS_TOKEN = os.environ.get("RECOBRA_METRICS_TOKEN", "")
LLM_URL = os.environ.get("RECOBRA_LLM_URL", "")
LLM_MODEL = os.environ.get("RECOBRA_LLM_MODEL", "")
LLM_KEY = os.environ.get("RECOBRA_LLM_KEY", "")

_seal_file = os.environ.get("RECOBRA_SEAL_FILE", str(DATA_DIR / "journal-seals.jsonl"))
SEAL_FILE = Path(_seal_file) if _seal_file else None  # set to nothing, no file is kept
SEAL_MAIL = [each.strip() for each in os.environ.get("RECOBRA_SEAL_MAIL", "").split(",") if each.strip()]
SEAL_WEBHOOK = os.environ.get("RECOBRA_SEAL_WEBHOOK", "")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "recobra.journal",
    "recobra.access",
    "recobra.approvals",
    "recobra.portfolio",
    "recobra.payments",
    "recobra.intake",
    "recobra.policy",
    "recobra.consent",
    "recobra.messaging",
    "recobra.agreements",
    "recobra.conversations",
    "recobra.compliance",
    "recobra.workbench",
    "recobra.strategy",
    "recobra.insight",
    "recobra.installation",
    "recobra.sign_on",
    "recobra.console",
    "recobra.portal",
    "recobra.config",
]
MIDDLEWARE = [
    "recobra.kit.request_metrics.CountRequests",
    "recobra.kit.proxies.TrueAddress",
    "django.middleware.security.SecurityMiddleware",
    "recobra.config.middleware.SecurityHeaders",
    "recobra.config.middleware.LimitBody",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "recobra.config.middleware.KeepNothing",
    "recobra.config.portal_host.PortalHost",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "recobra.access.sessions.SessionLimits",
    "recobra.access.refusals.RecordRefusals",
    "recobra.config.middleware.RefuseOddText",
    "recobra.config.middleware.LeadToPage",
    "recobra.console.duties.Duties",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "recobra.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "recobra.console.context.shell",
            ],
        },
    }
]
WSGI_APPLICATION = "recobra.config.wsgi.application"
DATABASES = {"default": database.django_settings(database.database_url())}
AUTH_USER_MODEL = "access.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "recobra.access.passwords.TooLong"},
    {"NAME": "recobra.access.passwords.KnownFromBreach"},
    {
        "NAME": "recobra.access.passwords.MadeOfWordsOfTheContext",
        "OPTIONS": {"company_words": "recobra.portfolio.queries.company_words"},
    },
]
# Who may use a password at all; the sign-in itself knows nothing of the company's provider.
PASSWORD_SIGN_IN_RULE = "recobra.sign_on.queries.may_use_password"  # noqa: S105 - the name of a function
# Of django-allauth the tables and checks of second factors are used; its addresses, forms and mails are not.
MFA_ADAPTER = "recobra.access.factor_adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Recobra"
# Browsers know passkeys behind https and on this machine alone, whatever is let through here.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PUBLIC_URL.startswith("https://")
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "console:sign-in"
LOGIN_REDIRECT_URL = "console:home"
LOGOUT_REDIRECT_URL = "console:sign-in"
SECURE_COOKIES = PUBLIC_URL.startswith("https://")
# Browsers take a cookie of such a name from this very host only, and never over plain HTTP.
_COOKIE_PREFIX = "__Host-" if SECURE_COOKIES else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
SESSION_ENGINE = "recobra.access.session_store"
SESSION_IDLE_MINUTES = _read_count("RECOBRA_SESSION_IDLE_MINUTES", default=60, most=24 * 60)
SESSION_HOURS = _read_count("RECOBRA_SESSION_HOURS", default=12, most=7 * 24)
SESSION_COOKIE_AGE = SESSION_HOURS * 60 * 60
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
LANGUAGE_COOKIE_NAME = f"{_COOKIE_PREFIX}django_language"
LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
LANGUAGE_COOKIE_HTTPONLY = True
UPLOAD_COOKIE_NAME = f"{_COOKIE_PREFIX}upload"
DEVICE_COOKIE_NAME = f"{_COOKIE_PREFIX}device"
HSTS_SECONDS = _read_count("RECOBRA_HSTS_DAYS", default=365, least=0, most=730) * 86_400 if SECURE_COOKIES else 0
X_FRAME_OPTIONS = "SAMEORIGIN"
# Nothing inline and nothing from elsewhere. The style sheet of Tabler has pictures of its own in it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "upgrade-insecure-requests": SECURE_COOKIES,
    }
}

LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# One dispatcher for each core up to two: beside them the database and the mail server work.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
DISPATCHERS = _read_count("RECOBRA_DISPATCHERS", default=min(2, _CORES), most=16)
# What the child process that reads a file may hold; what stays free of the disk; what a person's uploads may take.
READ_MEMORY_MB = _read_count("RECOBRA_READ_MEMORY_MB", default=2_500, most=1_000_000)
DISK_RESERVE_MB = _read_count("RECOBRA_DISK_RESERVE_MB", default=1_024, most=10_000_000)
UPLOAD_QUOTA_MB = _read_count("RECOBRA_UPLOAD_QUOTA_MB", default=2_048, most=10_000_000)
CYCLE_TIME = _read_time("RECOBRA_CYCLE_TIME", default="05:00")
CYCLE_TIME_ZONE = _read_zone("RECOBRA_CYCLE_TIME_ZONE")
BACKUP_DIR = os.environ.get("RECOBRA_BACKUP_DIR", "")
BACKUP_TIME = _read_time("RECOBRA_BACKUP_TIME", default="03:00")
BACKUP_PUBLIC_KEY = os.environ.get("RECOBRA_BACKUP_PUBLIC_KEY", "")
BACKUP_PASSPHRASE_FILE = os.environ.get("RECOBRA_BACKUP_PASSPHRASE_FILE", "")
BACKUP_KEEP_DAYS = _read_count("RECOBRA_BACKUP_KEEP_DAYS", default=30, most=36_500)
BACKUP_KEEP_AT_LEAST = _read_count("RECOBRA_BACKUP_KEEP_AT_LEAST", default=7, most=10_000)

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there
STATICFILES_FINDERS = ["recobra.config.static_files.VendorFinder", "recobra.config.static_files.OwnAppsFinder"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA_DIR / "files"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None
# Imported by whoever works jobs off or queues one by its name, not by every command.
PROCRASTINATE_IMPORT_PATHS = [f"recobra.{path.parent.name}.jobs" for path in sorted(BASE_DIR.glob("*/jobs.py"))]
# Fields of a form, without files; larger bodies are refused before (kit/body_limits.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = FORM_BYTES_MAX
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(levelname)s %(name)s %(process)d %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": True,
            "static_fields": {"service": "recobra"},
            "json_ensure_ascii": False,
        },
    },
    "filters": {"private": {"()": "recobra.kit.private_log.RedactingFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["private"],
            "formatter": _read_choice("RECOBRA_LOG_FORMAT", "plain", "json"),
        }
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("RECOBRA_LOG", "WARNING")},
}
