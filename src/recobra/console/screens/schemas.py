"""JSON schemas of documents, to download for an editor that completes and checks while one writes."""

from __future__ import annotations

from django.http import Http404, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import schemas


@require_GET
@needs(Right.SEE_BOARD)
def download_schema(request: StaffRequest, name: str) -> JsonResponse:
    """Return the schema of a document as a file."""
    del request
    try:
        schema = schemas.get_schema(name)
    except schemas.SchemaUnknown as unknown:
        raise Http404 from unknown
    response = JsonResponse(schema, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{name}.schema.json"'
    return response


urlpatterns = [path("esquemas/<slug:name>/", download_schema, name="schema")]
