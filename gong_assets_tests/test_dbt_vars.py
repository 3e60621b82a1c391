"""Values of the dbt project's vars from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets.settings import SettingsError, load_settings
from gong_assets.settings.dbt_vars import default_vars, merged_vars
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


def test_a_missing_file_is_an_error_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_DBT_VARS_FILE", str(tmp_path / "none.yml"))
    with pytest.raises(SettingsError, match=r"none.yml cannot be read"):
        load_settings()
