"""The graph of references names what is dead in small products, and nothing that a door leads to."""

from __future__ import annotations

import ast
from pathlib import PurePath
from textwrap import dedent

import pytest

from .reachability import ENTRANCES, find_unreached, reach_from, read_graph, words_of_templates

SHOP = {
    "config/settings.py": """
        ROOT_URLCONF = "recobra.config.urls"
        MIDDLEWARE = ["recobra.shop.middleware.count_requests"]
        INSTALLED_APPS = ["recobra.shop"]
        """,
    "config/urls.py": """
        urlpatterns = [path("", include("recobra.shop.urls"))]
        """,
    "shop/__init__.py": "",
    "shop/urls.py": """
        from . import views

        urlpatterns = [path("", views.show)]
        """,
    "shop/views.py": """
        from . import operations

        def show(request):
            return operations.sell(request)
        """,
    "shop/operations/__init__.py": """
        from .selling import refund, sell

        __all__ = ["refund", "sell"]
        """,
    "shop/operations/selling.py": """
        def sell(request):
            return _price()

        def refund(request):
            return _price()

        def _price(): ...
        """,
    "shop/middleware.py": """
        def count_requests(get_response): ...
        """,
    "cli/main.py": """
        from recobra.cli import bench, stock

        GROUPS = (bench, stock)

        def main():
            for module in GROUPS:
                module.add()
        """,
    "cli/stock.py": """
        def add():
            from recobra.shop import warehouse
            warehouse.count()
        """,
    "shop/warehouse.py": """
        def count(): ...
        """,
    "cli/bench/__init__.py": """
        from recobra.shop.operations import refund

        def add():
            refund(1)
        """,
}
"""A view that sells in two hops and a re-export, a command that counts; only the bench and a test pay back."""

TEST = {
    "tests/test_shop.py": """
        from recobra.shop.operations import refund

        def test_refund():
            refund(1)
        """,
}
REFUND = "shop.operations.selling.refund"


def unreached(added, templates=()):
    """Return what is dead in the shop with files added to it, `refund` apart, which always is."""
    files = {f"src/recobra/{path}": text for path, text in (SHOP | added).items()}
    packages = {f"{folder}/__init__.py": "" for path in files for folder in map(str, PurePath(path).parents[:-2])}
    files = packages | files | TEST
    texts = {path: dedent(text) for path, text in files.items()}
    graph = read_graph({path: (text, ast.parse(text, path)) for path, text in texts.items()})
    words = words_of_templates(templates)
    names = [name.removeprefix("recobra.") for name in find_unreached(graph, reach_from(graph, ENTRANCES, words))]
    assert REFUND in names
    return [name for name in names if name != REFUND]


def test_what_doors_reach_is_not_named_and_what_only_a_test_and_the_bench_call_is():
    """`unreached` asserts the second."""
    assert unreached({}) == []


DEAD = {
    "named by nothing": ({"shop/gifts.py": "def wrap(): ..."}, ["shop.gifts.wrap"]),
    "named by one another": (
        {"shop/gifts.py": "def knot(): wrap()\ndef wrap(): knot()"},
        ["shop.gifts.knot", "shop.gifts.wrap"],
    ),
    "in a registry that nothing reads": (
        {"shop/gifts.py": "def wrap(): ...\nKINDS = {'wrap': wrap}"},
        ["shop.gifts.wrap"],
    ),
    "a class that nothing names": ({"shop/gifts.py": "class Gift:\n    def wrap(self): ..."}, ["shop.gifts.Gift"]),
    "a method that nothing looks up": (
        {
            "shop/gifts.py": "class Gift:\n    def wrap(self): ...",
            "shop/middleware.py": "from .gifts import Gift\ndef count_requests(x): Gift()",
        },
        ["shop.gifts.Gift.wrap"],
    ),
    "a table that is only written": (
        {"shop/models.py": "class Gift(Model): ...\nSQL = 'DELETE FROM shop_gift'"},
        ["shop.models.Gift"],
    ),
    "a task that nothing puts into the queue": (
        {"shop/jobs.py": "from procrastinate.contrib.django import app\n@app.task(name='wrap')\ndef wrap(): ..."},
        ["shop.jobs.wrap"],
    ),
    "a tag that no template uses": (
        {"shop/templatetags/shop.py": "register = Library()\n@register.filter\ndef ribbon(text): ..."},
        ["shop.templatetags.shop.ribbon"],
    ),
    "hidden by names of a function's own": (
        {
            "shop/gifts.py": "def wrap(): ...",
            "shop/middleware.py": "from .gifts import wrap\ndef count_requests(x, wrap): return wrap() or [wrap for wrap in x]",
        },
        ["shop.gifts.wrap"],
    ),
    "a module that no registry names": (
        {
            "shop/gifts/__init__.py": """
                KINDS = {"small": "box"}
                def wrap(kind): return importlib.import_module(f"{__name__}.{KINDS[kind]}").tie()
                """,
            "shop/gifts/box.py": "def tie(): ...",
            "shop/gifts/bag.py": "def tie(): ...",
            "shop/middleware.py": "from . import gifts\ndef count_requests(x): gifts.wrap(x)",
        },
        ["shop.gifts.bag.tie"],
    ),
}


@pytest.mark.parametrize(("files", "dead"), DEAD.values(), ids=DEAD)
def test_what_is_dead_is_named(files, dead):
    assert unreached(files) == dead


ALIVE = {
    "in a registry": "def give(x): KINDS[x]()\ndef wrap(): ...\nKINDS = {'wrap': wrap}",
    "entered into a registry": "def give(x): KINDS[x]()\ndef wrap(): ...\nKINDS = {}\nKINDS['wrap'] = wrap",
    "by a dotted string": "def give(x): import_string('recobra.shop.gifts.wrap')\ndef wrap(): ...",
    "a method": "def give(x): Gift().wrap()\nclass Gift:\n    def wrap(self): self._knot()\n    def _knot(self): ...",
    "a method by a string": "def give(x): getattr(Gift(), 'wrap')\nclass Gift:\n    def wrap(self): ...",
    "a method of a base": "def give(x): Box().wrap()\nclass Box(Gift): ...\nclass Gift:\n    def wrap(self): ...",
    "a view of a class": "def give(x): Gift.as_view()\nclass Gift(View):\n    def get(self, request): ...",
    "a table in SQL": "def give(x): run('SELECT id FROM shop_gift')\nclass Gift(Model): ...",
    "a table behind a key": "def give(x): x.gifts\nclass Gift(Model):\n    shop = ForeignKey('Shop', related_name='gifts')",
    "at import": "def give(x): ...\ndef wrap(): ...\nif True:\n    wrap()",
    "in a lambda": "def give(x): return lambda: wrap()\ndef wrap(): ...",
    "in a function inside": "def give(x):\n    def inner(): wrap()\n    inner()\ndef wrap(): ...",
    "a decorator": "@tied\ndef give(x): ...\ndef tied(function): ...",
    "a default": "def give(x, by=wrap): ...\ndef wrap(): ...",
}


@pytest.mark.parametrize("gifts", ALIVE.values(), ids=ALIVE)
def test_what_a_door_leads_to_is_not_named(gifts):
    door = "from . import gifts\ndef count_requests(x): gifts.give(x)"
    assert unreached({"shop/gifts.py": gifts, "shop/middleware.py": door}) == []


TASK = "from procrastinate.contrib.django import app\nfrom .gifts import wrap\n{}@app.task(name='wrap')\ndef work(): wrap()"
STARTED = {
    "a periodic job": {"shop/jobs.py": TASK.format("@app.periodic(cron='* * * * *')\n")},
    "a task by its name": {
        "shop/jobs.py": TASK.format(""),
        "shop/middleware.py": "def count_requests(x): configure_task('wrap').defer()",
    },
    "an app that is ready": {
        "shop/apps.py": """
            class Shop(AppConfig):
                def ready(self):
                    from .gifts import wrap
                    react("gift.sold", wrap)
            """,
    },
    "a migration": {
        "shop/migrations/0001_initial.py": "from recobra.shop.gifts import wrap\nclass Migration:\n    run = wrap",
    },
    "a tag of a template": {
        "shop/templatetags/shop.py": """
            from recobra.shop.gifts import wrap
            register = Library()
            @register.filter
            def tied(text): return wrap()
            """,
    },
}


@pytest.mark.parametrize("files", STARTED.values(), ids=STARTED)
def test_what_runs_by_itself_is_a_door(files):
    assert unreached(files | {"shop/gifts.py": "def wrap(): ..."}, templates=["<b>{{ gift|tied }}</b>"]) == []
