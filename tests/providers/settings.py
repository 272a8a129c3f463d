"""Banco Sur's accounts with the providers, as saved settings."""

from __future__ import annotations

from recobra.messaging.channels.adapter import Config

HOOK = "https://cobros.example/api/webhooks"
ACCOUNT_SID = "AC" + "0a" * 16
SENDGRID_KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="


def sendgrid(url="", **settings):
    defaults = {
        "base_url": url,
        "mail_from": "Cobranzas Banco Sur <avisos@bancosur.example>",
        "webhook_key": SENDGRID_KEY,
    }
    return Config(
        provider_id=2,
        code="sg",
        settings={**defaults, **settings},
        secrets={"api_key": "SG.llave"},
        webhook_url=f"{HOOK}/sg/",
    )


def twilio(url="", **settings):
    defaults = {"account_sid": ACCOUNT_SID, "from_number": "+5115550100", "base_url": url}
    return Config(
        provider_id=3,
        code="tw",
        settings={**defaults, **settings},
        secrets={"auth_token": "12345"},
        webhook_url=f"{HOOK}/tw/",
    )


def whatsapp(url="", **settings):
    defaults = {"phone_number_id": "1122334455667", "account_id": "5467539754836534", "base_url": url}
    return Config(
        provider_id=4,
        code="wa",
        settings={**defaults, **settings},
        secrets={"token": "EAAB", "app_secret": "app-secret-1", "verify_token": "palabra"},
        webhook_url=f"{HOOK}/wa/",
    )
