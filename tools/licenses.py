"""Prints the licence of each package that is installed in this environment, for a review of dependencies."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distributions


def licence(package: Distribution) -> str:
    """Return the licence that a package declares: its SPDX expression, classifiers, or first line."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    declared = (metadata.get("License") or "").strip().splitlines()
    return ", ".join(classifiers) or (declared[0] if declared else "not declared")


def main() -> None:
    packages = {str(package.metadata["Name"]): package for package in distributions()}
    for name, package in sorted(packages.items(), key=lambda item: item[0].lower()):
        sys.stdout.write(f"{name} {package.version}: {licence(package)}\n")


if __name__ == "__main__":
    main()
