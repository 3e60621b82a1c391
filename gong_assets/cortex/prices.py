"""Prices of the Cortex functions, from the var `cortex_prices`, each with its source and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gong_assets.cortex.functions import Function

SOURCE = "https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf"
MAX_AGE_DAYS = 180


@dataclass(frozen=True)
class Price:
    """Price of a function, or of an embedding model.

    Attributes:
        credits: per million tokens.
        table: table of Snowflake's Service Consumption Table.
        as_of: day on which the price was read there.
    """

    name: str
    credits: float
    table: str
    as_of: date


@dataclass(frozen=True)
class Prices:
    """All prices."""

    prices: Mapping[str, Price]
    dollars_per_credit: float

    @classmethod
    def of_vars(cls, variables: Mapping[str, Any]) -> Prices:
        entries: Mapping[str, Mapping[str, Any]] = variables["cortex_prices"]
        return cls(
            {
                name: Price(
                    name,
                    float(entry["credits_per_million_tokens"]),
                    str(entry["table"]),
                    date.fromisoformat(str(entry["as_of"])),
                )
                for name, entry in entries.items()
            },
            float(variables["cortex_dollars_per_credit"]),
        )

    def of(self, function: Function) -> Price | None:
        """Return the price of a function; of embeddings, that of the model. None if it is unknown."""
        return self.prices.get(function.model or function.name)

    def dollars(self, function: Function, tokens: float) -> float:
        """Return the cost of tokens; 0 if the price is unknown."""
        price = self.of(function)
        return 0.0 if price is None else tokens / 1_000_000 * price.credits * self.dollars_per_credit

    def outdated(self, functions: Iterable[Function], today: date) -> list[Price]:
        """Return the prices of these functions that are older than MAX_AGE_DAYS, oldest first."""
        used = {price.name: price for function in functions if (price := self.of(function))}
        old = [price for price in used.values() if (today - price.as_of).days > MAX_AGE_DAYS]
        return sorted(old, key=lambda price: price.as_of)
