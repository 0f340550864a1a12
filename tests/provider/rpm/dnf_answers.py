"""Ask dnf itself, in the system's own Python: requests as JSON on stdin, its answers as JSON on stdout.

Each request: repositories (name, url, priority, allowed), what to install, weak dependencies or not, perhaps what is
excluded. Each answer:
the packages as name-epoch:version-release.arch@repository, or null where dnf refuses, with its words.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import dnf  # type: ignore[import-not-found]


def answer(request: dict[str, Any], cache: str) -> dict[str, Any]:
    base = dnf.Base()
    conf = base.conf
    conf.installroot = tempfile.mkdtemp(dir=cache)
    conf.cachedir = f"{cache}/{request['cache']}"
    conf.persistdir = f"{conf.installroot}/persist"
    conf.logdir = conf.installroot
    conf.config_file_path = ""
    conf.reposdir = [f"{cache}/none"]
    conf.substitutions.update({"arch": "x86_64", "basearch": "x86_64", "releasever": "1"})
    conf.install_weak_deps = request["recommends"]
    conf.best = False
    conf.obsoletes = True
    conf.installonlypkgs = []
    conf.ignorearch = False
    conf.excludepkgs = request.get("excluded", [])
    for entry in request["repositories"]:
        repository = base.repos.add_new_repo(entry["name"], conf, baseurl=[entry["url"]], gpgcheck=False)
        repository.priority = -entry["priority"]
        if entry["allowed"]:
            repository.includepkgs = entry["allowed"]
        if entry.get("sslcacert"):
            repository.sslcacert = entry["sslcacert"]
    try:
        base.fill_sack(load_system_repo=False)
        for word in request["install"]:
            base.install(word)
        base.resolve()
    except dnf.exceptions.Error as error:
        return {"packages": None, "words": str(error)}
    else:
        packages = [
            f"{one.name}-{one.epoch}:{one.version}-{one.release}.{one.arch}@{one.reponame}"
            for one in base.transaction.install_set
        ]
        return {"packages": sorted(packages), "words": ""}
    finally:
        base.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        json.dump([answer(request, cache) for request in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
