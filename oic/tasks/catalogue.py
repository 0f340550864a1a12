"""The tasks that a user asks for by name, beside the stages of a build: what each does, and of which kind it is."""

from __future__ import annotations

DOCS = {
    "validate": "check the recipe and say what of it cannot be built yet",
    "config": "print the whole recipe, defaults and all, as a recipe",
    "explain": "say which stages a build would run, and which line of the recipe makes it",
    "update": "fetch metadata anew, solve again, say which packages change",
    "lock": "write the solved packages beside the recipe, to build exactly these from then on",
    "why": "say why package=NAME is in the image",
    "log": "print what the programs of a stage said, of stage=NAME or of the last that failed",
    "reproduce": "build twice, a day apart by the programs' clock, and name what differs and who made it",
    "sign-import": "take the programs that were signed elsewhere, from=DIRECTORY, so that the build goes on",
    "boot-test": "boot the image in qemu, log in, compare its packages with the lock",
}
OF_NO_IMAGE = {
    "recipes": "list the recipes here: what they are for, their use cases and keywords",
    "new": "write a recipe to begin with, which builds as it is",
    "verify-cache": "hold every blob and layer of the cache against its digest, move damaged ones away",
    "prune": "remove the layers and packages that no image of the cache names any more, and say how much that freed",
}

BUILT = ("explain", "update", "lock", "why", "log", "reproduce", "sign-import", "boot-test")
"""Those of an image that is, or can be, built."""
ANSWERS = ("validate", "config", "explain", "why", "log", "new", "recipes")
"""Those that say something at once, and nothing of how they come to it."""
