"""The addresses of the inbox."""

from django.urls import path

from recobra.console.screens.inbox import actions, canned, compose, pages

urlpatterns = [
    path("conversaciones/", pages.index, name="inbox"),
    path("conversaciones/respuestas/", canned.index, name="inbox-canned"),
    path("conversaciones/respuestas/<int:canned_id>/retirar/", canned.retire, name="inbox-canned-retire"),
    path("conversaciones/<int:conversation_id>/", pages.detail, name="inbox-conversation"),
    path("conversaciones/<int:conversation_id>/hilo/", pages.thread, name="inbox-thread"),
    path("conversaciones/<int:conversation_id>/archivos/<int:attachment_id>/", pages.attachment, name="inbox-file"),
    path("conversaciones/<int:conversation_id>/lectura/", compose.check, name="inbox-check"),
    path("conversaciones/<int:conversation_id>/responder/", compose.reply, name="inbox-reply"),
    path("conversaciones/<int:conversation_id>/nota/", actions.note, name="inbox-note"),
    path("conversaciones/<int:conversation_id>/asignar/", actions.assign, name="inbox-assign"),
    path("conversaciones/<int:conversation_id>/bot/", actions.to_bot, name="inbox-bot"),
    path("conversaciones/<int:conversation_id>/cerrar/", actions.close, name="inbox-close"),
    path("conversaciones/<int:conversation_id>/silencio/", actions.silence, name="inbox-silence"),
    path("conversaciones/<int:conversation_id>/deudor/", actions.whose, name="inbox-whose"),
    path("ficha/<int:debtor_id>/escribir/", compose.compose, name="debtor-write"),
    path("ficha/<int:debtor_id>/escribir/lectura/", compose.check_compose, name="debtor-write-check"),
]
