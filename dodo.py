"""``doit build image=edge.yml``: the tasks of an image. The graph is in oic/plan, its wiring in oic/tasks."""

from oic.tasks import command_line

REQUEST = command_line.of_doit()
DOIT_CONFIG = command_line.configuration(REQUEST.cache)


def task_oic():  # noqa: ANN201 - doit wants no annotation, and the file is read by users
    """Yield every task of the recipe that ``image=`` names; without it, of those marked ``default: true``."""
    yield from command_line.tasks(REQUEST)
