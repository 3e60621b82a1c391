"""Users, roles and privileges, by the rules of Snowflake's documentation."""

from __future__ import annotations

import signal

import pytest
from snowflake.connector.errors import DatabaseError, Error

from gong_assets_tests.local.snowflake.conftest import ServerProcess
from gong_assets_tests.local.snowflake.governance.conftest import Account, failure

pytestmark = pytest.mark.slow

INSUFFICIENT, NOT_AUTHORIZED = 3001, 2003


def test_without_users_everybody_may_do_everything(own_server: ServerProcess) -> None:
    with own_server.connect(user="anybody", role="ANYTHING") as connection, connection.cursor() as cursor:
        cursor.execute("create table t as select 1 as n")

        assert cursor.execute("select n, current_role() from t").fetchall() == [(1, "ANYTHING")]


def test_the_first_user_and_what_is_older_do_not_belong_to_everybody(own_server: ServerProcess) -> None:
    with own_server.connect() as connection:
        for sql in (
            "create warehouse old_wh",
            "create role old_role",
            "create user somebody password = 'secret'",
        ):
            connection.cursor().execute(sql)
    with own_server.connect(user="somebody", password="secret", database=None, schema=None) as connection:
        run = connection.cursor().execute
        for sql in (
            "alter user somebody set password = 'other'",
            "alter warehouse old_wh set warehouse_size = large",
            "grant role old_role to user somebody",
            "drop role old_role",
        ):
            with pytest.raises(DatabaseError) as raised:
                run(sql)
            assert raised.value.errno == INSUFFICIENT, sql


def test_the_state_survives_a_crash(own_server: ServerProcess) -> None:
    with own_server.connect(user="local") as connection, connection.cursor() as cursor:
        cursor.execute("create role kept")
        cursor.execute("create user someone password = 'secret'")
        cursor.execute("grant role kept to user someone")
    own_server.stop(signal.SIGKILL)
    own_server.start()

    with own_server.connect(user="someone", password="secret", role="KEPT") as connection:
        assert connection.role == "KEPT"


def test_an_object_without_privileges_does_not_exist(account: Account) -> None:
    account.admin("create table t (n int)")
    account.use_schema()

    code, message = failure(account.session(), "select * from t")

    assert code == NOT_AUTHORIZED
    assert message.endswith(f"Object 'TESTS.{account.name}.T' does not exist or not authorized.")


def test_a_schema_and_a_database_need_usage(account: Account) -> None:
    account.admin("create table t (n int)")
    account.admin(f"grant select on table t to role {account.role}")
    run = account.session()
    name = f"tests.{account.name}.t"

    assert "Database 'TESTS' does not exist" in failure(run, f"select * from {name}")[1]
    account.admin(f"grant usage on database tests to role {account.role}")
    assert "Schema" in failure(run, f"select * from {name}")[1]
    account.admin(f"grant usage on schema tests.{account.name} to role {account.role}")
    assert run(f"select * from {name}") == []


@pytest.mark.parametrize(
    ("privilege", "sql"),
    [
        ("insert", "insert into t select 1"),
        ("update", "update t set n = 2"),
        ("delete", "delete from t"),
        ("truncate", "truncate table t"),
        ("delete", "insert overwrite into t select 1"),
        ("delete", "merge into t using (select 1 as n) s on t.n = s.n when matched then delete"),
    ],
)
def test_each_change_needs_its_privilege(account: Account, privilege: str, sql: str) -> None:
    account.admin("create table t (n int)")
    account.use_schema()
    held = "insert, select" if "overwrite" in sql else "select"
    account.admin(f"grant {held} on table t to role {account.role}")
    run = account.session()

    assert failure(run, sql)[0] == INSUFFICIENT
    account.admin(f"grant {privilege} on table t to role {account.role}")
    run(sql)


@pytest.mark.parametrize(
    "sql", ["drop table t", "alter table t add column m int", "create or replace table t (m int)",
            "comment on table t is 'x'", "alter table t alter column n comment 'x'",
            "alter table t rename to u"]
)  # fmt: skip
def test_a_change_of_the_object_itself_needs_ownership(account: Account, sql: str) -> None:
    account.admin("create table t (n int)")
    account.use_schema()
    account.admin(f"grant all privileges on table t to role {account.role}")
    account.admin(f"grant create table on schema tests.{account.name} to role {account.role}")
    run = account.session()

    assert failure(run, sql)[0] == INSUFFICIENT
    account.admin(f"grant ownership on table t to role {account.role} copy current grants")
    run(sql)


@pytest.mark.parametrize("before", ["", "/* x */ ", "-- x\n", "// x\n"])
def test_a_comment_hides_no_change_that_sqlglot_does_not_parse(account: Account, before: str) -> None:
    account.admin("create table t (n int)")
    account.use_schema()
    account.admin(f"grant select on table t to role {account.role}")

    assert failure(account.session(), f"{before}alter table t set sorted by (n)")[0] == INSUFFICIENT


@pytest.mark.parametrize(
    "sql",
    [
        'drop table "t"',
        'update "t" set n = 2',
        'delete from "t"',
        'truncate table "t"',
        'insert into "t" values (2)',
        'alter table "t" rename to other',
        'create or replace table "t" (m int)',
        'create or replace view "t" as select 2 as n',
    ],
)
def test_a_name_in_another_case_is_not_that_of_the_table(account: Account, sql: str) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    for kind in ("table", "view"):
        account.admin(f"grant create {kind} on schema tests.{account.name} to role {account.role}")

    assert failure(account.session(), sql)[0] == NOT_AUTHORIZED
    assert account.admin("select n from t") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "drop schema tests.{name}",
        "drop schema {name} cascade",
        "create or replace schema tests.{name}",
        "comment on schema tests.{name} is 'x'",
        "create or replace database tests",
        "drop database tests",
    ],
)
def test_a_change_of_a_schema_or_database_needs_ownership(account: Account, sql: str) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    account.admin(f"grant create schema on database tests to role {account.role}")

    assert failure(account.session(), sql.format(name=account.name))[0] == INSUFFICIENT
    assert account.admin(f"select n from tests.{account.name}.t") == [(1,)]


def test_a_new_schema_needs_the_privilege_on_the_database(account: Account) -> None:
    account.use_schema()
    run = account.session()

    run(f"create schema if not exists tests.{account.name}")
    assert failure(run, f"create schema tests.{account.name}_own")[0] == INSUFFICIENT
    account.admin(f"grant create schema on database tests to role {account.role}")
    run(f"create schema tests.{account.name}_own")
    run(f"create or replace schema tests.{account.name}_own")
    run(f"drop schema tests.{account.name}_own")


def test_creating_needs_the_privilege_on_the_schema_and_gives_ownership(account: Account) -> None:
    account.use_schema()
    run = account.session()

    assert failure(run, "create table mine (n int)")[0] == INSUFFICIENT
    account.admin(f"grant create table on schema tests.{account.name} to role {account.role}")
    run("create table mine (n int)")

    granted = run(f"show grants to role {account.role}")
    assert ("OWNERSHIP", "TABLE", f"TESTS.{account.name}.MINE") in {row[1:4] for row in granted}


def test_a_temporary_table_needs_only_usage_of_the_schema(account: Account) -> None:
    account.use_schema()
    run = account.session()

    run("create temporary table scratch as select 1 as n")

    assert run("select n from scratch") == [(1,)]


def test_a_view_reads_with_the_rights_of_its_owner(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.admin("create view v as select n from t")
    account.use_schema()
    account.admin(f"grant select on view v to role {account.role}")
    run = account.session()

    assert run("select n from v") == [(1,)]
    assert failure(run, "select n from t")[0] == NOT_AUTHORIZED


def test_a_view_can_be_made_only_of_what_its_owner_reads(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    account.admin(f"grant create view on schema tests.{account.name} to role {account.role}")

    assert failure(account.session(), "create view v as select * from t")[0] == NOT_AUTHORIZED


@pytest.mark.parametrize(
    "sql",
    [
        "select * from (select * from t) as x",
        "with c as (select * from t) select * from c",
        "select (select max(n) from t)",
        "select 1 where exists (select 1 from t)",
        "create temporary table copied as select * from t",
        "select 1 union all select n from t",
        # The name of a CTE is a table elsewhere in the statement.
        "select * from t where n in (with t as (select 1 as n) select n from t)",
        "with t as (select * from t) select * from t",
        # RECURSIVE is a word for the whole WITH: a CTE without UNION reads the table of its name.
        "with recursive t as (select * from t) select * from t",
        "with t as (select n from t except select 0), "
        "c as (select 1 as n union all select n + 1 from c where n < 3) select t.n from t, c",
        'select * from "T"',
        'select * from "t"',
        'create temporary table copied as select * from "t"',
        "select sql from duckdb_tables",
        "select * from pragma_database_list",
        "select name from sqlite_master",
        "select * from pg_catalog.pg_tables",
        "create temporary table cloned clone t",
        "select * from identifier('t')",
        "select * from table('t')",
        "select * from table(result_scan(last_query_id())), t",
    ],
)
def test_no_form_of_a_query_reads_without_select(account: Account, sql: str) -> None:
    account.admin("create table t as select 42 as n")
    account.use_schema()
    run = account.session()

    with pytest.raises(Error):
        print(run(sql))


def test_the_result_of_another_user_cannot_be_scanned(account: Account) -> None:
    with account.connect(user="local").cursor() as cursor:
        query_id = cursor.execute("select 'secret' as n").sfqid
        scan = f"select * from table(result_scan('{query_id}'))"
        assert cursor.execute(scan).fetchall() == [("secret",)]

    assert failure(account.session(), scan)[0] == 709
    assert account.admin(scan) == [("secret",)]


def test_the_pattern_of_show_parameters_is_a_text(account: Account) -> None:
    account.admin("create table t as select 'secret' as n")
    account.use_schema()
    run = account.session()

    assert run(r"show parameters like '\'' union all select n, n, n, n, n, n from t --'") == []
    assert [row[0] for row in run("show parameters like 'time%'")] == ["TIMEZONE"]


def test_privileges_are_inherited_through_roles(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    account.admin(f"create role {account.name}_reader")
    account.admin(f"grant select on table t to role {account.name}_reader")
    run = account.session()

    assert failure(run, "select n from t")[0] == NOT_AUTHORIZED
    account.admin(f"grant role {account.name}_reader to role {account.role}")
    assert run("select n from t") == [(1,)]
    assert run(f"select is_role_in_session('{account.name}_READER'), is_role_in_session('SYSADMIN')") == [
        (True, False)
    ]
    account.admin(f"revoke role {account.name}_reader from role {account.role}")
    assert failure(run, "select n from t")[0] == NOT_AUTHORIZED


def test_roles_cannot_be_granted_in_a_circle(account: Account) -> None:
    account.admin(f"create role {account.name}_b")
    account.admin(f"grant role {account.name}_b to role {account.role}")

    assert failure(account.admin, f"grant role {account.role} to role {account.name}_b")[0] == 3012


def test_future_grants_apply_to_new_objects_only(account: Account) -> None:
    account.use_schema()
    account.admin("create table old_t as select 1 as n")
    account.admin(f"grant select on future tables in schema tests.{account.name} to role {account.role}")
    account.admin("create table new_t as select 2 as n")
    run = account.session()

    assert run("select n from new_t") == [(2,)]
    assert failure(run, "select n from old_t")[0] == NOT_AUTHORIZED
    account.admin(f"grant select on all tables in schema tests.{account.name} to role {account.role}")
    assert run("select n from old_t") == [(1,)]


def test_future_grants_of_the_schema_take_precedence_over_those_of_the_database(account: Account) -> None:
    account.use_schema()
    account.admin(f"grant select on future tables in database tests to role {account.role}")
    account.admin(f"create role {account.name}_other")
    account.admin(
        f"grant insert on future tables in schema tests.{account.name} to role {account.name}_other"
    )
    account.admin("create table t as select 1 as n")

    assert failure(account.session(), "select n from t")[0] == NOT_AUTHORIZED
    account.admin(f"revoke select on future tables in database tests from role {account.role}")


def test_a_replaced_object_loses_its_grants_unless_they_are_copied(account: Account) -> None:
    account.use_schema()
    account.admin("create view v as select 1 as n")
    account.admin(f"grant select on view v to role {account.role}")
    run = account.session()

    account.admin("create or replace view v copy grants as select 2 as n")
    assert run("select n from v") == [(2,)]
    account.admin("create or replace view v as select 3 as n")
    assert failure(run, "select n from v")[0] == NOT_AUTHORIZED


def test_a_role_must_be_granted_to_the_user(account: Account) -> None:
    run = account.session()

    assert failure(run, "use role accountadmin") == (
        3013,
        "SQL access control error: Requested role 'ACCOUNTADMIN' is not assigned to the executing user. "
        "Specify another role to activate.",
    )
    with pytest.raises(DatabaseError, match="ACCOUNTADMIN' specified in the connect string does not exist"):
        account.session(role="ACCOUNTADMIN")


def test_use_role_changes_what_a_session_may_do(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    account.admin(f"create role {account.name}_reader")
    account.admin(f"grant role {account.name}_reader to user {account.user}")
    for privilege in (
        "usage on database tests",
        f"usage on schema tests.{account.name}",
        "select on table t",
    ):
        account.admin(f"grant {privilege} to role {account.name}_reader")
    run = account.session()

    assert failure(run, "select n from t")[0] == NOT_AUTHORIZED
    run(f"use role {account.name}_reader")
    assert run("select n, current_role() from t") == [(1, f"{account.name}_READER")]
    run(f"use role {account.role}")
    assert failure(run, "select n from t")[0] == NOT_AUTHORIZED
    run("use secondary roles all")
    assert run("select n from t") == [(1,)]


def test_a_query_needs_a_warehouse_that_the_role_may_use(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    account.admin(f"grant select on table t to role {account.role}")
    account.admin(f"create warehouse {account.name}_wh")
    run = account.session(warehouse=f"{account.name}_WH")

    assert failure(run, "select n from t")[0] == 606
    assert failure(run, f"use warehouse {account.name}_wh")[0] == 2043
    account.admin(f"grant usage on warehouse {account.name}_wh to role {account.role}")
    run(f"use warehouse {account.name}_wh")
    assert run("select n from t") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "create role another",
        "create user another",
        "create warehouse another",
        "create database another",
        "create network policy another allowed_ip_list = ('10.0.0.0/8')",
        "create masking policy hide as (v varchar) returns varchar -> null",
        "grant role accountadmin to role public",
        "grant select on table t to role public",
        "alter user local_other set password = 'x'",
    ],
)
def test_account_statements_need_privileges(account: Account, sql: str) -> None:
    account.admin("create table t (n int)")
    account.admin("create user if not exists local_other password = 'y'")
    account.use_schema()

    assert failure(account.session(), sql)[0] == INSUFFICIENT


def test_a_privilege_with_grant_option_may_be_granted(account: Account) -> None:
    account.admin("create table t as select 1 as n")
    account.use_schema()
    run = account.session()
    account.admin(f"grant select on table t to role {account.role} with grant option")

    run("grant select on table t to role public")


def test_ownership_needs_a_choice_about_current_grants(account: Account) -> None:
    account.admin("create table t (n int)")
    account.admin("grant select on table t to role public")

    assert failure(account.admin, f"grant ownership on table t to role {account.role}")[0] == 3036
    account.admin(f"grant ownership on table t to role {account.role} revoke current grants")
    (owner,) = account.admin("show grants on table t")
    assert (owner[1], owner[5]) == ("OWNERSHIP", account.role)


def test_cortex_needs_the_privilege_and_the_database_role(account: Account) -> None:
    run = account.session()
    run("select ai_sentiment('good')")

    account.admin("revoke database role snowflake.cortex_user from role public")
    try:
        assert failure(run, "select ai_sentiment('good')")[0] == INSUFFICIENT
        account.admin(f"grant database role snowflake.cortex_user to role {account.role}")
        run("select ai_sentiment('good')")
    finally:
        account.admin("grant database role snowflake.cortex_user to role public")


@pytest.mark.parametrize(
    "sql",
    [
        "select \"AI_SENTIMENT\"('good')",
        "select snowflake.cortex.\"SENTIMENT\"('good')",
        "select $$'$$, ai_sentiment('good'), $$'$$",
        'select 1 as "\'", ai_sentiment($$good$$) as "x\'"',
        "select _cortex_sentiment(['', 'good'])",
        "create temporary table answers as select ai_sentiment('good') as answer",
    ],
)
def test_no_form_of_a_call_reaches_cortex_without_the_privilege(account: Account, sql: str) -> None:
    account.use_schema()
    run = account.session()
    account.admin("revoke database role snowflake.cortex_user from role public")
    try:
        assert failure(run, sql)[0] == INSUFFICIENT
        assert run("select ai_count_tokens('ai_sentiment', 'good'), 'AI_SENTIMENT(1)'")
    finally:
        account.admin("grant database role snowflake.cortex_user to role public")


def test_account_usage_needs_a_database_role(account: Account) -> None:
    run = account.session()
    sql = "select count(*) from snowflake.account_usage.cortex_ai_functions_usage_history"

    assert failure(run, sql)[0] == NOT_AUTHORIZED
    account.admin(f"grant database role snowflake.usage_viewer to role {account.role}")
    run(sql)


def test_a_session_has_no_database_that_does_not_exist(account: Account) -> None:
    connection = account.connect(
        user=account.user, password="secret", role=account.role, database="NO_SUCH", schema="PUBLIC"
    )

    assert connection.database is None


def test_show_lists_what_there_is(account: Account) -> None:
    account.use_schema()
    account.admin(
        f"create warehouse {account.name}_wh warehouse_size = small auto_suspend = 60 auto_resume = true"
    )
    account.admin(f"grant select on future views in schema tests.{account.name} to role {account.role}")

    assert account.role in {row[1] for row in account.admin("show roles")}
    (user,) = account.admin(f"show users like '{account.user}'")
    assert (user[0], user[4]) == (account.user, None)
    (warehouse,) = account.admin(f"show warehouses like '{account.name}_wh'")
    assert warehouse[3:6] == ("Small", "60", "true")
    (future,) = account.admin(f"show future grants to role {account.role}")
    assert future[1:4] == ("SELECT", "VIEW", f"TESTS.{account.name}.<VIEW>")
    (held,) = account.admin(f"show grants to user {account.user}")
    assert held[1] == account.role
