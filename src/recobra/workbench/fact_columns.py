"""What rules may ask about people's work; `recobra.strategy.fact_columns` gathers it."""

from django.db.models import Count

from recobra.portfolio.read_column import ReadColumn

from .models import Task

COLUMNS = (
    ReadColumn(
        name="open_tasks",
        type="integer",
        label_en="open tasks of the debtor",
        label_es="tareas abiertas del deudor",
        otherwise=0,
        rows=lambda _as_of: (
            Task.objects.filter(status=Task.Status.OPEN).values("debtor_id").annotate(open_tasks=Count("pk"))
        ),
    ),
)
