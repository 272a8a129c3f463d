from django.urls import URLPattern, URLResolver, path

from .webhooks import Webhook

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("webhooks/<slug:provider_code>/", Webhook.as_view(), name="webhook"),
]
