"""Addresses of the inbox."""

from django.urls import path

from recobra.console.screens.inbox import actions, canned, compose, pages

urlpatterns = [
    path("conversaciones/", pages.list_conversations, name="inbox"),
    path("conversaciones/respuestas/", canned.edit_canned, name="inbox-canned"),
    path("conversaciones/respuestas/<int:canned_id>/retirar/", canned.retire_canned, name="inbox-canned-retire"),
    path("conversaciones/<int:conversation_id>/", pages.show_conversation, name="inbox-conversation"),
    path("conversaciones/<int:conversation_id>/hilo/", pages.show_thread, name="inbox-thread"),
    path(
        "conversaciones/<int:conversation_id>/archivos/<int:attachment_id>/",
        pages.download_attachment,
        name="inbox-file",
    ),
    path("conversaciones/<int:conversation_id>/lectura/", compose.check_reply, name="inbox-check"),
    path("conversaciones/<int:conversation_id>/responder/", compose.send_reply, name="inbox-reply"),
    path("conversaciones/<int:conversation_id>/nota/", actions.add_note, name="inbox-note"),
    path("conversaciones/<int:conversation_id>/asignar/", actions.assign_conversation, name="inbox-assign"),
    path("conversaciones/<int:conversation_id>/bot/", actions.return_to_bot, name="inbox-bot"),
    path("conversaciones/<int:conversation_id>/cerrar/", actions.close_conversation, name="inbox-close"),
    path("conversaciones/<int:conversation_id>/silencio/", actions.silence_number, name="inbox-silence"),
    path("conversaciones/<int:conversation_id>/deudor/", actions.assign_debtor, name="inbox-whose"),
    path("ficha/<int:debtor_id>/escribir/", compose.compose_message, name="debtor-write"),
    path("ficha/<int:debtor_id>/escribir/lectura/", compose.check_message, name="debtor-write-check"),
]
