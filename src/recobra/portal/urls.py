from django.urls import URLPattern, URLResolver, path

from .views import Unsubscribe

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [path("baja/<str:token>", Unsubscribe.as_view(), name="unsubscribe")]
