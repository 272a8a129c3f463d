"""The addresses of the inbox."""

from django.urls import path

from . import attending, canned, reading, writing

urlpatterns = [
    path("conversaciones/", reading.index, name="inbox"),
    path("conversaciones/respuestas/", canned.index, name="inbox-canned"),
    path("conversaciones/respuestas/<int:canned_id>/retirar/", canned.retire, name="inbox-canned-retire"),
    path("conversaciones/<int:conversation_id>/", reading.detail, name="inbox-conversation"),
    path("conversaciones/<int:conversation_id>/hilo/", reading.thread, name="inbox-thread"),
    path("conversaciones/<int:conversation_id>/archivos/<int:attachment_id>/", reading.attachment, name="inbox-file"),
    path("conversaciones/<int:conversation_id>/lectura/", writing.check, name="inbox-check"),
    path("conversaciones/<int:conversation_id>/responder/", writing.reply, name="inbox-reply"),
    path("conversaciones/<int:conversation_id>/nota/", attending.note, name="inbox-note"),
    path("conversaciones/<int:conversation_id>/asignar/", attending.assign, name="inbox-assign"),
    path("conversaciones/<int:conversation_id>/bot/", attending.to_bot, name="inbox-bot"),
    path("conversaciones/<int:conversation_id>/cerrar/", attending.close, name="inbox-close"),
    path("conversaciones/<int:conversation_id>/silencio/", attending.silence, name="inbox-silence"),
    path("conversaciones/<int:conversation_id>/deudor/", attending.whose, name="inbox-whose"),
    path("ficha/<int:debtor_id>/escribir/", writing.compose, name="debtor-write"),
    path("ficha/<int:debtor_id>/escribir/lectura/", writing.check_compose, name="debtor-write-check"),
]
