from django.urls import include, path

from recobra.config.robots import show_robots

urlpatterns = [
    path("", include("recobra.console.urls")),
    path("d/", include("recobra.portal.urls")),
    path("api/", include("recobra.api.urls")),
    path("robots.txt", show_robots, name="robots"),
]
