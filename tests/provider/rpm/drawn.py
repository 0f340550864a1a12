"""Small repositories and requests drawn by chance, of all that rpm's dependencies know; the same from the same seed."""

from __future__ import annotations

import random
from typing import Any

_VERSIONS = ("1", "1.1", "1.10", "2", "2~rc1", "2^git3", "3", "0.9", "2.0", "1.a", "10")
_SIGNS = ("<", "<=", "=", ">=", ">")
_CAPABILITIES = ("cap1", "cap2", "cap3", "lib.so.1()(64bit)", "perl(Foo)")
_FILES = ("/usr/bin/x", "/usr/bin/y", "/etc/conf", "/usr/share/data", "/opt/z", "/usr/lib/q")
_IN_PRIMARY = _FILES[:3]
_ODD_NAMES = ("{}-libs", "{}-2", "{}.x", "{}+", "kernel", "kernel-core", "{}-devel", "gtk-{}-3")
_WEAK = {"recommends": 0.25, "supplements": 0.12, "suggests": 0.1, "enhances": 0.1}


class Drawing:
    """One case, as the data cases have it."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        plain = [f"p{number}" for number in range(self._dice.randint(6, 16))]
        odd = [self._one(_ODD_NAMES).format(name) if self._chance(0.12) else name for name in plain]
        self._names = list(dict.fromkeys(odd))
        self._weak = self._chance(0.5)

    def case(self) -> dict[str, Any]:
        names = ["base", "more", "extra"][: self._one((1, 2, 2, 3))]
        repositories = {name: self._repository() for name in names}
        drawn: dict[str, Any] = {"repositories": repositories, "weak": self._weak}
        if self._chance(0.4):
            drawn["priorities"] = {name: self._one((0, 5, 10, -3)) for name in names}
        if self._chance(0.12):
            words = [self._one((self._name(), f"{self._name()}*", "p1*", "p[0-4]")) for _ in range(3)]
            drawn["allowed"] = {self._one(names): words}
        packages = [package for entry in repositories.values() for package in entry]
        drawn["asked"] = [[self._word(packages) for _ in range(self._one((1, 1, 2, 3)))] for _ in range(5)]
        return drawn

    def _one(self, choices: Any) -> Any:
        return self._dice.choice(choices)

    def _chance(self, part: float) -> bool:
        return self._dice.random() < part

    def _name(self) -> str:
        return str(self._one(self._names))

    def _repository(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name in self._names:
            for _ in range(self._one((1, 1, 2, 3)) if self._chance(0.75) else 0):
                package = self._package(name)
                found.setdefault(package["nevra"], package)
        return list(found.values())

    def _package(self, name: str) -> dict[str, Any]:
        architecture = self._one(("x86_64",) * 6 + ("noarch",) * 3 + ("i686",))
        epoch, release = self._one(("",) * 5 + ("1:", "2:")), self._one(("1", "1", "2", "1.azl3", "10"))
        package = {"nevra": f"{name}-{epoch}{self._one(_VERSIONS)}-{release}.{architecture}"}
        kinds = {
            "provides": (0.35, self._provided),
            "requires": (0.55, self._dependency),
            "pre": (0.08, self._simple),
            "conflicts": (0.1, self._dependency),
            "obsoletes": (0.12, lambda: self._versioned(self._one((*self._names, name, *_CAPABILITIES)), 0.7)),
            "files": (0.25, lambda: self._one(_FILES)),
            **({kind: (part, self._dependency) for kind, part in _WEAK.items()} if self._weak else {}),
        }
        for kind, (part, draw) in kinds.items():
            if self._chance(part):
                package[kind] = list(dict.fromkeys(draw() for _ in range(self._dice.randint(1, 2))))  # type: ignore[assignment]
        return package

    def _evr(self) -> str:
        release = f"-{self._one('12')}" if self._chance(0.3) else ""
        return f"{self._one(('', '', '', '1:', '0:'))}{self._one(_VERSIONS)}{release}"

    def _versioned(self, name: str, part: float) -> str:
        return f"{name} {self._one(_SIGNS)} {self._evr()}" if self._chance(part) else name

    def _provided(self) -> str:
        name = self._one((*_CAPABILITIES, *_CAPABILITIES, self._name(), self._one(_FILES)))
        return name if name.startswith("/") or self._chance(0.5) else f"{name} = {self._evr()}"

    def _simple(self, *, files: bool = True) -> str:
        if files and self._chance(0.1):
            return str(self._one(_FILES))
        name = self._one((self._name(), self._name(), self._name(), self._one(_CAPABILITIES)))
        return self._versioned("nothing" if self._chance(0.05) else name, 0.35)

    def _dependency(self) -> str:
        return self._rich() if self._chance(0.15) else self._simple()

    def _rich(self, depth: int = 0) -> str:
        kind = self._one(("and", "or", "or", "if", "unless", "with", "without"))
        if kind in ("with", "without"):
            return f"({self._simple(files=False)} {kind} {self._simple(files=False)})"
        parts = [
            self._rich(depth + 1) if depth < 2 and self._chance(0.25) else self._simple(files=False) for _ in range(3)
        ]
        if kind in ("and", "or"):
            return f"({f' {kind} '.join(parts[: self._one((2, 2, 3))])})"
        otherwise = f" else {parts[2]}" if self._chance(0.5) else ""
        return f"({parts[0]} {kind} {parts[1]}{otherwise})"

    def _word(self, packages: list[dict[str, Any]]) -> str:
        kind = self._dice.random()
        if kind < 0.55 or not packages:
            return self._name()
        if kind < 0.65:
            return self._versioned(self._one(_CAPABILITIES), 0.5)
        if kind < 0.7:
            return str(self._one(_IN_PRIMARY))
        full, _, architecture = self._one(packages)["nevra"].rpartition(".")
        name, version, release = full.rsplit("-", 2)
        plain = version.rpartition(":")[2]
        forms = (
            *(full, f"{full}.{architecture}", f"{name}-{version}", f"{name}.{architecture}", f"{name}-{plain}"),
            *(f"{name}-{plain}-{release}", f"{name}-{plain[0]}*", f"{name}-*-{release}", f"{full}.*", f"{full}.0"),
            *(f"{name}-0:{plain}-{release}", f"{name}-0{plain}-{release}", f"{name}-{plain}-{release}.{architecture}"),
        )
        return str(self._one(forms))
