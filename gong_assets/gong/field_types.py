"""Base class and field types of the models in `models.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_camel


class GongModel(BaseModel):
    """Read-only model that maps Gong's camelCase to snake_case."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        coerce_numbers_to_str=True,
        extra="ignore",
    )


class Marker(Enum):
    """Properties of Gong's JSON that a field's type does not state. `ingestion/known_fields.py` reads
    them."""

    SCALAR = "scalar"  # a string or a number
    ANY = "any"  # data of any type
    ALWAYS_SENT = "always sent"  # present and not null in every record


def _none_unless_valid(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


def _empty_unless_valid(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return _none_unless_valid(value, validate) or []


def _require_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a time must be a text: a number would be taken for seconds since 1970")
    return value


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is beyond the years 1 to 9999 in UTC") from error


T = TypeVar("T")

# Gong's ids have up to 20 digits. The warehouse's columns hold 255 characters.
MAX_ID_LENGTH = 100

# Gong's document has most ids as numbers, its responses have them as strings.
Scalar = Annotated[str, Marker.SCALAR]
Id = Annotated[Scalar, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH)]
UtcTime = Annotated[AwareDatetime, BeforeValidator(_require_text), AfterValidator(_to_utc)]
# None or empty if missing or invalid.
Maybe = Annotated[T | None, Field(default=None), WrapValidator(_none_unless_valid)]
Many = Annotated[list[T], Field(default_factory=list), WrapValidator(_empty_unless_valid)]
Sent = Annotated[T, Marker.ALWAYS_SENT]
