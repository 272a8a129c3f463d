from django.urls import URLPattern, URLResolver, path

from .statement import Statement
from .views import Unsubscribe

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("baja/<str:token>", Unsubscribe.as_view(), name="unsubscribe"),
    path("estado/<str:token>", Statement.as_view(), name="statement"),
]
