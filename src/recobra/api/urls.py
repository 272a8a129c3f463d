from django.urls import URLPattern, URLResolver, path

from .voice import Voice
from .webhooks import Webhook

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("webhooks/<slug:provider_code>/", Webhook.as_view(), name="webhook"),
    path("voice/<slug:provider_code>/<str:token>/", Voice.as_view(), name="voice"),
]
