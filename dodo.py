"""``doit build image=edge.yml``: the tasks of an image. The graph is in oic/plan, its wiring in oic/tasks."""

import doit

from oic.tasks import command_line, reporter

DOIT_CONFIG = {
    "backend": "oic",
    "dep_file": str(command_line.cache() / "doit.db"),
    "cleanforget": True,
    "default_tasks": ["build"],
    "minversion": "0.37.0",
    "reporter": reporter.Reporter,
    "verbosity": 2,
}


def task_oic():  # noqa: ANN201 - doit wants no annotation, and the file is read by users
    """Yield every task of the recipe that ``image=`` names; without it, of those marked ``default: true``."""
    yield from command_line.tasks(doit.get_initial_workdir())
