from django.urls import include, path

urlpatterns = [
    path("", include("recobra.console.urls")),
    path("d/", include("recobra.portal.urls")),
    path("api/", include("recobra.api.urls")),
]
