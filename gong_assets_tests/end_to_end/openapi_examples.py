"""Records put together from the `example` values of Gong's OpenAPI document, and from nothing else.

`from_openapi` makes them; `../data/gong_examples.json` keeps what it made, so that the document itself is not needed to test.
To make them again: `python -m gong_assets_tests.end_to_end.openapi_examples gong-openapi.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gong_assets_tests.end_to_end.gong_server import Gong, Record, held

EXAMPLES = Path(__file__).parents[1] / "data" / "gong_examples.json"

# The longest list of allowed values has four: as many calls have each value in one of them.
VARIANTS = 4


def examples() -> Record:
    """`calls`, `transcripts` and `users` as they were made; ids are numbers where the document has them as numbers."""
    documents: Record = json.loads(EXAMPLES.read_text())
    return documents


def example_gong() -> Gong:
    documents = examples()
    return Gong([held(call) for call in documents["calls"]], documents["transcripts"], documents["users"])


def from_openapi(document: Record) -> Record:
    """A call for each of `VARIANTS`, with its transcript, and a user.

    A property without an example is left out, except that one with a list of allowed values takes another of them in each
    variant. The variants need ids of their own: they are the other ids that the document has as examples.
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
    """Long numbers under `id`."""
    for schema in schemas.values():
        example = schema.get("properties", {}).get("id", {}).get("example")
        if isinstance(example, int) and example > 10**15:
            yield example


if __name__ == "__main__":
    made = from_openapi(json.loads(Path(sys.argv[1]).read_text()))
    EXAMPLES.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
