"""Known fields of Gong's records: the JSON types that the schema check compares records with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from gong_assets.gong.field_types import Marker

Fields: TypeAlias = "str | list[Fields] | dict[str, Fields]"
"""Fields in the shape of the record. A list has one element, which stands for all of them. A leaf is one of
`KINDS`. It ends in `!` if every record has the field: its absence is then reported without older records to
compare with.
"""

# The JSON types of each leaf. Null is allowed everywhere.
KINDS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    # Ids and ranges: numbers in Gong's document, strings in its responses.
    "scalar": frozenset({"text", "number"}),
    # Data of the customer, whose content is not checked.
    "any": frozenset({"text", "number", "boolean", "list", "object"}),
}

_KIND_OF_TYPE = {
    str: "text",
    AwareDatetime: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    Any: "any",
}


def fields_of(model: type[BaseModel]) -> dict[str, Fields]:
    """Return the fields of a model of `gong/models.py`."""
    return {field.alias or name: _fields(field) for name, field in model.model_fields.items()}


def _fields(field: FieldInfo) -> Fields:
    fields = _fields_of_type(field.annotation, field.metadata)
    return f"{fields}!" if isinstance(fields, str) and Marker.ALWAYS_SENT in field.metadata else fields


def _fields_of_type(annotation: Any, metadata: Sequence[Any] = ()) -> Fields:
    for marker in (Marker.SCALAR, Marker.ANY):
        if marker in metadata:
            return str(marker.value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _fields_of_type(arguments[0], arguments[1:])
    if origin in (Union, UnionType):  # always with None
        return _fields_of_type(arguments[0])
    if origin is list:
        return [_fields_of_type(arguments[0])]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return fields_of(annotation)
    return _KIND_OF_TYPE[annotation]
