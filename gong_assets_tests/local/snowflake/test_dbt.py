"""dbt-snowflake with the server: incremental models with vectors, and other materializations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gong_assets_tests.local.snowflake.conftest import ServerProcess

Query = Callable[..., list[Any]]

MODELS = {
    "turns.sql": "{{ config(materialized='table') }} select column1::int as id, column2 as said from values "
    "(1, 'the price is too high'), (2, 'we love it') {% if var('more', false) %}, (2, 'we love it now'),"
    " (3, 'new') {% endif %}",
    "embedded.sql": """
        {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='id',
                  tmp_relation_type='transient', query_tag='dbt embeds') }}
        select id, said, ai_embed('e5-base-v2', said) as embedding, snowflake.cortex.sentiment(said) as score
        from {{ ref('turns') }} {% if is_incremental() %} where id > 1 {% endif %}
        qualify row_number() over (partition by id order by said desc) = 1
    """,
    "by_temporary_table.sql": """
        {{ config(materialized='incremental', incremental_strategy='append') }}
        select id from {{ ref('turns') }} {% if is_incremental() %} where id > 2 {% endif %}
    """,
    "merged.sql": """
        {{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}
        select id, max(said) as said from {{ ref('turns') }} group by id
    """,
    "similar.sql": """
        {{ config(materialized='view', secure=true) }}
        select id,
            vector_cosine_similarity(embedding, ai_embed('e5-base-v2', 'query: it costs too much'))
                as similarity
        from {{ ref('embedded') }}
    """,
    "models.yml": """
        models:
          - name: embedded
            description: Turns with their vectors
            columns: [{name: id, tests: [unique, not_null, {relationships: {to: ref('turns'), field: id}}]}]
    """,
}


def dbt(project: Path, *arguments: str) -> None:
    """Run dbt in this process, because starting another takes seconds."""
    from dbt.adapters.factory import cleanup_connections
    from dbt.cli.main import dbtRunner

    options = ["--project-dir", str(project), "--profiles-dir", str(project), "--quiet", "--no-use-colors"]
    result = dbtRunner().invoke([*arguments, *options])
    cleanup_connections()
    assert result.success, [r.message for r in getattr(result.result, "results", [])] or result.exception


@pytest.mark.slow
def test_incremental_models_run_twice_and_keep_their_vectors(
    server: ServerProcess, query: Query, schema: str, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    for name, text in MODELS.items():
        (tmp_path / "models" / name).write_text(text)
    (tmp_path / "dbt_project.yml").write_text(
        yaml.safe_dump(
            {
                "name": "probe",
                "version": "1.0",
                "profile": "probe",
                "flags": {"send_anonymous_usage_stats": False},
            }
        )
    )
    target = {"type": "snowflake", "threads": 4, **server.arguments(schema=schema)}
    target.pop("network_timeout")
    (tmp_path / "profiles.yml").write_text(
        yaml.safe_dump({"probe": {"target": "local", "outputs": {"local": target}}})
    )

    dbt(tmp_path, "build")
    dbt(tmp_path, "build", "--vars", "{more: true}")

    assert query("select id, said from embedded order by id") == [
        (1, "the price is too high"),
        (2, "we love it now"),
        (3, "new"),
    ]
    assert query("select id, said from merged order by id")[1:] == [(2, "we love it now"), (3, "new")]
    assert query("select id from by_temporary_table order by id") == [(1,), (2,), (3,)]
    assert {row[0]: row[1] for row in query("describe table embedded")}["EMBEDDING"] == "VECTOR(FLOAT, 768)"
    assert query("select id from similar order by similarity desc limit 1") == [(1,)]
    tagged = query(
        "select count(*) from snowflake.account_usage.cortex_ai_functions_usage_history"
        " where query_tag = 'dbt embeds'"
    )
    assert tagged == [(4,)]
