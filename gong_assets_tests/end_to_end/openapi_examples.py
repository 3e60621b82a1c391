"""Records made only of the `example` values in Gong's OpenAPI document.

`from_openapi` makes them. They are stored in `../data/gong_examples.json`, so that the tests do not need the
document. To make them again, run `python -m gong_assets_tests.end_to_end.openapi_examples gong-openapi.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gong_assets_tests.end_to_end.gong_records import Record, stored
from gong_assets_tests.end_to_end.gong_server import Gong

EXAMPLES = Path(__file__).parents[1] / "data" / "gong_examples.json"

# The longest list of allowed values has four entries, so with four calls each value occurs in one of them.
VARIANTS = 4


def examples() -> Record:
    """Return `calls`, `transcripts` and `users`. Ids are numbers if the document's examples are numbers."""
    documents: Record = json.loads(EXAMPLES.read_text())
    return documents


def example_gong() -> Gong:
    documents = examples()
    return Gong([stored(call) for call in documents["calls"]], documents["transcripts"], documents["users"])


def from_openapi(document: Record) -> Record:
    """Return `VARIANTS` calls with their transcripts, and one user.

    A property with a list of allowed values has a different one in each variant. Other properties without an
    example are omitted. The ids of the further variants are other example ids of the document.
    """
    schemas = document["components"]["schemas"]
    calls = [_example(schemas, "CallData", variant) for variant in range(VARIANTS)]
    transcripts = [_example(schemas, "CallTranscript", variant) for variant in range(VARIANTS)]
    own = calls[0]["metaData"]["id"]
    others = sorted(each for each in set(_example_ids(schemas)) if each != own)
    for call, transcript, other in zip(calls[1:], transcripts[1:], others[-3:], strict=True):
        call["metaData"]["id"] = transcript["callId"] = other
    return {"calls": calls, "transcripts": transcripts, "users": [_example(schemas, "UserMetadata", 0)]}


def _example(schemas: Record, name: str, variant: int) -> Record:
    properties = schemas[name].get("properties", {})
    values = {key: _value(schemas, schema, variant) for key, schema in properties.items()}
    return {key: value for key, value in values.items() if value is not None}


def _value(schemas: Record, schema: Record, variant: int) -> Any:
    if "$ref" in schema:
        return _example(schemas, schema["$ref"].rpartition("/")[2], variant) or None
    if "items" in schema:
        item = _value(schemas, schema["items"], variant)
        return None if item is None else [item]
    if allowed := schema.get("enum"):
        return allowed[variant % len(allowed)]
    return schema.get("example")


def _example_ids(schemas: Record) -> Iterator[int]:
    """Yield the long numbers among the examples for `id`."""
    for schema in schemas.values():
        example = schema.get("properties", {}).get("id", {}).get("example")
        if isinstance(example, int) and example > 10**15:
            yield example


if __name__ == "__main__":
    records = from_openapi(json.loads(Path(sys.argv[1]).read_text()))
    EXAMPLES.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n")
