"""Values of the dbt project's vars from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets.settings import SettingsError, load_settings
from gong_assets.settings.dbt_vars import default_vars, merged_vars, var_ranges
from gong_assets.warehouse.embedding_models import embedding_models


def test_a_file_replaces_values_and_adds_to_mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "vars.yml"
    file.write_text(
        "risk_trackers: [pricing]\n"
        "cortex_prices: {AI_EXTRACT: {credits_per_million_tokens: 4, table: '6(a)', as_of: '2026-12-01'}}\n"
        "embedding_model: ours\n"
        "embedding_models: {ours: {dimension: 768, max_tokens: 512, query_prefix: 'q: '}}\n"
    )
    merged = merged_vars(file)
    defaults = default_vars()
    assert merged["risk_trackers"] == ["pricing"]
    price = {"credits_per_million_tokens": 4, "table": "6(a)", "as_of": "2026-12-01"}
    assert merged["cortex_prices"] == {**defaults["cortex_prices"], "AI_EXTRACT": price}
    assert merged["stalled_deal_days"] == defaults["stalled_deal_days"]
    # Agents, which have no settings, read the same values.
    monkeypatch.setenv("GONG_DBT_VARS_FILE", str(file))
    embedding_models.cache_clear()
    try:
        assert embedding_models()["ours"].query_prefix == "q: "
    finally:
        embedding_models.cache_clear()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("risk_tracker: [a]", "risk_tracker is not a var; did you mean risk_trackers?"),
        ("risk_trackers: churn", "risk_trackers must be a list of texts, not 'churn'"),
        ("stalled_deal_days: many", "stalled_deal_days must be a number, not 'many'"),
        ("enrichment_version: 2", "enrichment_version must be text; put 2 in quotes"),
        ("cortex_family: future", "cortex_family is 'future'; it must be one of: current, legacy"),
        ("embedding_model: word2vec", "embedding_model is 'word2vec'; it must be one of: e5-base-v2"),
        (
            "company_timezone: Berlin",
            "company_timezone is 'Berlin'; it must be a time zone such as Europe/Berlin",
        ),
        ("home_currency: Euro", "home_currency is 'Euro'; it must be a code of three letters, such as EUR"),
        ("match_calls_by_domain: 1", "match_calls_by_domain must be true or false, not 1"),
        ("cortex_prices: {AI_EXTRACT: 5}", "(AI_EXTRACT) needs credits_per_million_tokens, a number"),
        (
            "cortex_prices: {X: {credits_per_million_tokens: 5, table: a, as_of: 2026-12-01}}",
            "(X) needs as_of, a day in quotes such as '2026-11-22'",
        ),
        (
            "segment_max_words: 0",
            "segment_max_words is 0; it must be a whole number from 1 to 10000",
        ),
        ("stalled_deal_days: -5", "stalled_deal_days is -5; it must be a whole number from 1 to 3650"),
        ("stalled_deal_days: 2.5", "stalled_deal_days is 2.5; it must be a whole number from 1 to 3650"),
        ("cortex_connections: 0", "cortex_connections is 0; it must be a whole number from 1 to 100"),
        ("cortex_dollars_per_credit: -2", "cortex_dollars_per_credit is -2; it must be a number from 0"),
        ("cortex_credit_budget: .inf", "cortex_credit_budget is inf; it must be a number from 0"),
        (
            "sentiment_positive_above: 7",
            "sentiment_positive_above is 7; it must be a number from -1 to 1",
        ),
        (
            "sentiment_positive_above: .nan",
            "sentiment_positive_above is nan; it must be a number from -1 to 1",
        ),
        (
            "sentiment_positive_above: 0.8",
            "sentiment_positive_above is 0.8; it must not be above sentiment_very_positive_above, which is",
        ),
        (
            "enterprise_from_employees: 50",
            "mid_market_from_employees is 100; it must not be above enterprise_from_employees, which is 50",
        ),
        (
            "embedding_models: {ours: {dimension: x, max_tokens: 512}}",
            "embedding_models (ours): dimension must be a number, not 'x'",
        ),
        (
            "embedding_models: {ours: {dimension: 5000, max_tokens: 512}}",
            "embedding_models (ours): dimension is 5000; it must be a whole number from 1 to 4096",
        ),
        (
            "embedding_models: {ours: {dimension: 8, max_tokens: 9, prefix: x}}",
            "embedding_models (ours): prefix is not one of: dimension, max_tokens, passage_prefix",
        ),
        ("embedding_model: [e5-base-v2]", "embedding_model must be text"),
        (
            "cortex_prices: {X: {credits_per_million_tokens: -1, table: a, as_of: '2026-12-01'}}",
            "cortex_prices (X): credits_per_million_tokens is -1; it must be a number from 0",
        ),
        ("[1, 2]", "must have a line `name: value` for each var"),
    ],
)
def test_a_wrong_value_is_an_error_of_the_settings(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vars.yml").write_text(text)
    monkeypatch.setenv("GONG_DBT_VARS_FILE", str(tmp_path / "vars.yml"))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "GONG_DBT_VARS_FILE" in str(caught.value)
    assert problem in str(caught.value)


def test_each_number_declares_a_range_that_contains_its_default() -> None:
    numbers = {
        name: value
        for name, value in default_vars().items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert var_ranges().keys() == numbers.keys()
    assert all(value in var_ranges()[name] for name, value in numbers.items())


def test_thresholds_that_move_together_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "vars.yml"
    file.write_text("mid_market_from_employees: 2000\nenterprise_from_employees: 20000\n")
    assert merged_vars(file)["mid_market_from_employees"] == 2000


def test_a_missing_file_is_an_error_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_DBT_VARS_FILE", str(tmp_path / "none.yml"))
    with pytest.raises(SettingsError, match=r"none.yml cannot be read"):
        load_settings()
