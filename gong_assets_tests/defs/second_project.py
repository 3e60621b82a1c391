"""A Dagster project to which the component is added, with names that the graph uses too.

It has an executor, resources `snowflake` and `dbt`, ops `orders` and `dbt_models`, assets in the groups
`raw` and `staging`, and a dbt model `stg_hubspot_deals`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent

import gong_assets
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine

FILES = {
    "pyproject.toml": """
        [tool.dg]
        directory_type = "project"

        [tool.dg.project]
        root_module = "sales"
        """,
    "sales/__init__.py": "",
    "sales/definitions.py": """
        from pathlib import Path

        import dagster as dg


        @dg.definitions
        def defs() -> dg.Definitions:
            return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
        """,
    "sales/defs/__init__.py": "",
    "sales/defs/resources.py": """
        import os
        from pathlib import Path

        import dagster as dg
        from dagster_dbt import DbtCliResource
        from dagster_snowflake import SnowflakeResource

        @dg.definitions
        def resources() -> dg.Definitions:
            return dg.Definitions(
                # One process per step, forked from one that has imported the definitions, which takes 20 s.
                executor=dg.multiprocess_executor.configured(
                    {"start_method": {"forkserver": {"preload_modules": ["sales.definitions"]}}}
                ),
                resources={
                    "snowflake": SnowflakeResource(
                        account=dg.EnvVar("ACCOUNT"),
                        user=dg.EnvVar("LOGIN"),
                        password=dg.EnvVar("SECRET"),
                        database="SALES_WAREHOUSE",
                        schema="ORDERS",
                        # They must not change how the graph works.
                        autocommit=False,
                        paramstyle="qmark",
                        additional_snowflake_connection_args={
                            "host": os.environ["HOST"], "port": int(os.environ["PORT"]), "protocol": "http",
                        },
                    ),
                    "dbt": DbtCliResource(project_dir=str(Path(__file__).parents[2] / "dbt")),
                },
            )
        """,
    "sales/defs/assets.py": """
        from pathlib import Path

        import dagster as dg
        from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
        from dagster_snowflake import SnowflakeResource

        project = DbtProject(Path(__file__).parents[2] / "dbt")


        @dg.asset(group_name="raw", tags={"layer": "raw"})
        def orders(snowflake: SnowflakeResource) -> None:
            with snowflake.get_connection() as connection:
                connection.cursor().execute("CREATE OR REPLACE TABLE ORDERS AS SELECT 1 AS ORDER_ID")


        @dbt_assets(manifest=project.manifest_path)
        def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource):
            yield from dbt.cli(["build"], context=context).stream()


        nightly = dg.define_asset_job("nightly", dg.AssetSelection.groups("raw", "staging"))
        """,
    "dbt/dbt_project.yml": """
        name: sales
        version: "1.0"
        config-version: 2
        profile: sales
        model-paths: [models]
        models:
          sales:
            +meta: {dagster: {group: staging}}
        """,
    "dbt/profiles.yml": """
        sales:
          target: dev
          outputs:
            dev:
              type: snowflake
              account: "{{ env_var('ACCOUNT') }}"
              user: "{{ env_var('LOGIN') }}"
              password: "{{ env_var('SECRET') }}"
              host: "{{ env_var('HOST') }}"
              port: "{{ env_var('PORT') | int }}"
              protocol: http
              database: SALES_WAREHOUSE
              schema: ORDERS
              threads: 1
        """,
    "dbt/models/stg_hubspot_deals.sql": "select 1 as deal_id",
}

# The key prefix is for the model that both have; the group prefix keeps the assets out of the job `nightly`.
DEFS_YAML = """
type: gong_assets.GongAssets
attributes:
  key_prefix: gong
  group_prefix: gong_
  owners: [team:sales]
  tags: {{domain: sales}}
  settings:
    gong_assets_source: simulated
    gong_start_date: "{start}"
    snowflake_database: SALES_WAREHOUSE
    snowflake_schema: "{{{{ env.GONG_SCHEMA }}}}"
  schedules:
    ingestion: {{cron: "0 6 * * *", timezone: Europe/Berlin}}
    hubspot: {{enabled: false}}
  sensors:
    transformation: {{enabled: false}}
    missing_transcripts: {{interval_seconds: 1800}}
  resource_keys: {{snowflake: snowflake}}
"""


def write_project(directory: Path, warehouse: Warehouse, home: Path) -> CommandLine:
    """Write the project without the component, and return its commands."""
    for name, text in FILES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip())
    warehouse.query("CREATE DATABASE IF NOT EXISTS SALES_WAREHOUSE")
    warehouse.query("CREATE SCHEMA IF NOT EXISTS SALES_WAREHOUSE.ORDERS")
    (directory / "dagster").mkdir()
    (directory / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    arguments = warehouse.arguments
    return CommandLine(
        directory,
        {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "ACCOUNT": str(arguments["account"]),
            "LOGIN": str(arguments["user"]),
            "SECRET": str(arguments["password"]),
            "HOST": str(arguments["host"]),
            "PORT": str(arguments["port"]),
            "GONG_SCHEMA": "GONG",
            "GONG_ASSETS_HOME": str(home),
            "DAGSTER_HOME": str(directory / "dagster"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "PYTHONPATH": os.pathsep.join([str(directory), str(Path(gong_assets.__file__).parents[1])]),
        },
    )
