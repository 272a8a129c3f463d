"""Carry what waits for a second person, and what people decided, to the approvals."""

from django.db import migrations

# What a person compares of a version, as `messaging.templates.approval` keeps it.
_WORDS = """jsonb_build_object(
    'name', {row}.name, 'subject', {row}.subject, 'text', {row}.text, 'html', {row}.html, 'stage', {row}.stage,
    'legal', CASE WHEN {row}.legal THEN '✓' ELSE '' END,
    'buttons', coalesce((
        SELECT string_agg(concat_ws(' · ', nullif(button ->> 'key', ''), nullif(button ->> 'title', '')), E'\\n')
        FROM jsonb_array_elements({row}.buttons) AS button), ''))"""

FORWARD = f"""
INSERT INTO approvals_approval (
    kind, subject, portfolio_code, old, new, author, author_id, asked_at, asked_by, asked_by_id,
    decision, decided_at, decided_by, decided_by_id, reason, alone)
SELECT 'template', version.id::text, '', coalesce(before.words, '{{}}'), {_WORDS.format(row="version")},
    version.created_by, version.created_by_id,
    coalesce(asked.at, version.created_at), coalesce(asked.actor, version.created_by), asked.actor_id,
    CASE version.status WHEN 'SUBMITTED' THEN 'WAITING' ELSE version.status END,
    version.decided_at, version.decided_by, decided.actor_id, version.decision_note,
    version.decided_at IS NOT NULL AND (version.created_by = version.decided_by
        OR (version.created_by_id = decided.actor_id) IS TRUE)
FROM messaging_template version
LEFT JOIN LATERAL (
    SELECT entry.at, entry.actor, entry.actor_id FROM journal_entry entry
    WHERE entry.kind = 'template.submitted' AND (entry.payload ->> 'template_id')::bigint = version.id
    ORDER BY entry.id DESC LIMIT 1) asked ON true
LEFT JOIN LATERAL (
    SELECT entry.actor_id FROM journal_entry entry
    WHERE entry.kind IN ('template.approved', 'template.rejected')
        AND (entry.payload ->> 'template_id')::bigint = version.id
    ORDER BY entry.id DESC LIMIT 1) decided ON true
LEFT JOIN LATERAL (
    SELECT {_WORDS.format(row="older")} AS words FROM messaging_template older
    WHERE older.status = 'APPROVED' AND older.retired_at IS NULL AND older.version < version.version
        AND (older.code, older.channel, older.language, older.country, older.tone, older.variant)
            = (version.code, version.channel, version.language, version.country, version.tone, version.variant)
    ORDER BY older.version DESC LIMIT 1) before ON true
WHERE (version.status = 'SUBMITTED' AND version.retired_at IS NULL)
    OR (version.status IN ('APPROVED', 'REJECTED') AND version.decided_at IS NOT NULL
        AND version.decided_by NOT IN ('', 'library'))
"""

BACKWARD = """
UPDATE messaging_template version
SET decided_at = approval.decided_at, decided_by = approval.decided_by, decision_note = approval.reason
FROM approvals_approval approval
WHERE approval.kind = 'template' AND approval.subject = version.id::text
    AND approval.decision IN ('APPROVED', 'REJECTED');
DELETE FROM approvals_approval WHERE kind = 'template'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0001_initial"),
        ("approvals", "0001_initial"),
        ("journal", "0001_initial"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
