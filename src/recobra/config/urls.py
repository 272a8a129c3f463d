from django.urls import include, path

from recobra.api import health, metrics
from recobra.config.robots import show_robots

urlpatterns = [
    path("healthz", health.show_health, name="health"),
    path("metrics", metrics.show_metrics, name="metrics"),
    path("", include("recobra.console.urls")),
    path("d/", include("recobra.portal.urls")),
    path("api/", include("recobra.api.urls")),
    path("robots.txt", show_robots, name="robots"),
]
