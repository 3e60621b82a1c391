"""Masking policies, tags and row access policies, by the rules of Snowflake's documentation."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector.errors import Error

from gong_assets_tests.local.snowflake.governance.conftest import Account, Run, failure

pytestmark = pytest.mark.slow


@pytest.fixture
def governed(account: Account) -> Account:
    """A table of people, which the role may read, with a policy that only accountadmin passes."""
    account.use_schema()
    account.admin("create table people (name varchar, age int, is_private boolean, doc variant)")
    account.admin("insert into people select 'Ann', 40, false, parse_json('{\"a\": 1}')")
    account.admin("insert into people select 'Bob', 50, true, parse_json('{\"a\": 2}')")
    account.admin(f"grant select on table people to role {account.role}")
    account.admin(
        "create masking policy hide as (val string) returns string -> "
        "case when is_role_in_session('ACCOUNTADMIN') then val else '***' end"
    )
    return account


NAMES = "select name from people order by age"
MASKED, CLEAR = [("***",), ("***",)], [("Ann",), ("Bob",)]


def test_a_policy_on_a_column_replaces_its_values(governed: Account) -> None:
    run = governed.session()
    assert run(NAMES) == CLEAR

    governed.admin("alter table people modify column name set masking policy hide")

    assert run(NAMES) == MASKED
    assert governed.admin(NAMES) == CLEAR
    governed.admin("alter table people modify column name unset masking policy")
    assert run(NAMES) == CLEAR


@pytest.mark.parametrize(
    "sql",
    [
        "select * exclude (age, is_private, doc) from people",
        "select p.name from people p",
        "select people.name from people",
        "with c as (select * from people) select name from c",
        "with recursive people as (select * from people) select name from people",
        "select max(name) from people group by age",
        "select (select max(name) from people)",
        "select a.name from people a join people b on a.age = b.age",
        "select name from people where age > 1 union all select name from people",
        "select name from (select * from people) where age > 0",
        "select listagg(name) within group (order by age) from people",
        "select name from identifier('people')",
        "select name from table('people')",
        "select p.name from (people p join (select 1 as one) o on o.one = 1)",
    ],
)
def test_no_form_of_a_query_shows_what_is_masked(governed: Account, sql: str) -> None:
    governed.admin("alter table people modify column name set masking policy hide")

    rows = governed.session()(sql)

    assert rows
    assert "Ann" not in str(rows)
    assert "Bob" not in str(rows)
    assert "***" in str(rows)


@pytest.mark.parametrize("name", ['"people"', '"tests".{schema}.people', 'tests."{lower}".people'])
def test_a_name_in_another_case_shows_nothing(governed: Account, name: str) -> None:
    governed.admin("alter table people modify column name set masking policy hide")
    sql = f"select name from {name.format(schema=governed.name, lower=governed.name.lower())}"

    assert failure(governed.session(), sql)[0] == 2003
    assert failure(governed.admin, sql)[0] == 2003


def test_a_condition_compares_the_masked_value(governed: Account) -> None:
    governed.admin("alter table people modify column name set masking policy hide")

    assert governed.session()("select count(*) from people where name = 'Ann'") == [(0,)]


def test_a_copy_has_the_masked_values(governed: Account) -> None:
    governed.admin("alter table people modify column name set masking policy hide")
    governed.admin(f"grant create table on schema tests.{governed.name} to role {governed.role}")
    run = governed.session()
    run("create table copied as select * from people")

    assert run("select distinct name from copied") == [("***",)]
    run("create table cloned clone people")
    assert run("select distinct name from cloned") == [("***",)]


def test_a_view_shows_masked_values_and_is_not_fixed_to_them(governed: Account) -> None:
    governed.admin("create view seen as select name, age from people")
    governed.admin("create view twice as select upper(name) as name, age from seen")
    governed.admin("alter table people modify column name set masking policy hide")
    governed.admin(f"grant select on view twice to role {governed.role}")

    assert governed.session()("select name from twice") == MASKED
    assert governed.admin("select name from twice order by age") == [("ANN",), ("BOB",)]


def test_invoker_role_is_the_owner_of_the_view_that_reads_the_table(governed: Account) -> None:
    governed.admin(
        "create masking policy by_view as (val string) returns string -> "
        "case when invoker_role() = 'ACCOUNTADMIN' then val else '***' end"
    )
    governed.admin("alter table people modify column name set masking policy by_view")
    governed.admin("create view seen as select name, age from people")
    governed.admin(f"grant select on view seen to role {governed.role}")
    run = governed.session()

    assert run(NAMES) == MASKED
    assert run("select name from seen order by age") == CLEAR
    governed.admin("alter view seen modify column name set masking policy by_view")
    assert run("select name from seen order by age") == MASKED


def test_a_tag_masks_columns_of_the_type_of_its_policies(governed: Account) -> None:
    governed.admin(
        "create masking policy hide_doc as (val variant) returns variant -> "
        "case when is_role_in_session('ACCOUNTADMIN') then val end"
    )
    governed.admin("create tag personal allowed_values 'name', 'document'")
    governed.admin("alter tag personal set masking policy hide, masking policy hide_doc")
    governed.admin("alter table people modify column name set tag personal = 'name'")
    governed.admin("alter table people modify column doc set tag personal = 'document'")
    governed.admin("alter table people modify column age set tag personal = 'name'")

    assert governed.session()("select name, age, doc from people order by age") == [
        ("***", 40, None),
        ("***", 50, None),
    ]
    assert (
        failure(governed.admin, "alter table people modify column age set tag personal = 'other'")[0]
        == 391417
    )


def test_a_tag_of_the_schema_masks_new_tables(governed: Account) -> None:
    governed.admin("create tag personal")
    governed.admin("alter tag personal set masking policy hide")
    governed.admin(f"alter schema tests.{governed.name} set tag personal = 'all'")
    governed.admin("create table later as select 'Eve' as name")
    governed.admin(f"grant select on table later to role {governed.role}")

    assert governed.session()("select name from later") == [("***",)]


def test_a_policy_on_the_column_takes_precedence_over_that_of_a_tag(governed: Account) -> None:
    governed.admin("create masking policy first as (val string) returns string -> left(val, 1)")
    governed.admin("create tag personal")
    governed.admin("alter tag personal set masking policy hide")
    governed.admin("alter table people modify column name set tag personal = 'x'")
    governed.admin("alter table people modify column name set masking policy first")

    assert governed.session()(NAMES) == [("A",), ("B",)]


def test_a_policy_may_depend_on_the_value_of_the_tag(governed: Account) -> None:
    governed.admin("create tag personal")
    governed.admin(
        "create masking policy by_value as (val string) returns string -> "
        f"case when system$get_tag_on_current_column('tests.{governed.name}.personal') = 'open' then val end"
    )
    governed.admin("alter tag personal set masking policy by_value")
    governed.admin("alter table people modify column name set tag personal = 'closed'")
    run = governed.session()

    assert run(NAMES) == [(None,), (None,)]
    governed.admin("alter table people modify column name set tag personal = 'open'")
    assert run(NAMES) == CLEAR


def test_a_tag_has_one_policy_for_each_type(governed: Account) -> None:
    governed.admin("create masking policy other as (val string) returns string -> null")
    governed.admin("create tag personal")
    governed.admin("alter tag personal set masking policy hide")

    assert failure(governed.admin, "alter tag personal set masking policy other")[0] == 3875
    governed.admin("alter tag personal set masking policy other force")
    governed.admin("alter table people modify column name set tag personal = 'x'")
    assert governed.session()(NAMES) == [(None,), (None,)]


@pytest.fixture
def rows(governed: Account) -> Run:
    governed.admin(
        "create row access policy open_rows as (private boolean) returns boolean -> "
        "not coalesce(private, false) or is_role_in_session('ACCOUNTADMIN')"
    )
    governed.admin("alter table people add row access policy open_rows on (is_private)")
    return governed.session()


def test_a_row_access_policy_hides_rows(governed: Account, rows: Run) -> None:
    assert rows(NAMES) == [("Ann",)]
    assert rows("select count(*) from people") == [(1,)]
    assert governed.admin(NAMES) == CLEAR
    governed.admin("alter table people drop row access policy open_rows")
    assert rows(NAMES) == CLEAR


def test_a_row_access_policy_applies_through_views(governed: Account, rows: Run) -> None:
    governed.admin("create view seen as select name from people")
    governed.admin(f"grant select on view seen to role {governed.role}")

    assert rows("select name from seen") == [("Ann",)]


def test_a_row_access_policy_may_read_a_mapping_table(governed: Account) -> None:
    name = f"tests.{governed.name}.owners"
    governed.admin(f"create table {name} as select 'Bob' as person, '{governed.user}' as login")
    governed.admin(
        "create row access policy mine as (who varchar) returns boolean -> exists "
        f"(select 1 from {name} o where o.person = who and o.login = current_user())"
    )
    governed.admin("alter table people add row access policy mine on (name)")

    assert governed.session()(NAMES) == [("Bob",)]
    assert governed.admin(NAMES) == []


def test_a_table_has_one_row_access_policy(governed: Account, rows: Run) -> None:
    assert (
        failure(governed.admin, "alter table people add row access policy open_rows on (is_private)")[0]
        == 3880
    )


def test_a_column_is_not_in_both_kinds_of_policies(governed: Account, rows: Run) -> None:
    governed.admin("create masking policy off as (val boolean) returns boolean -> null")
    sql = "alter table people modify column is_private set masking policy off"

    assert failure(governed.admin, sql)[0] == 3889


def test_a_change_of_a_governed_table_is_refused(governed: Account, rows: Run) -> None:
    governed.admin(f"grant delete on table people to role {governed.role}")

    with pytest.raises(Error, match="has policies for this role"):
        rows("delete from people")


def test_create_attaches_policies_and_tags_at_once(governed: Account, rows: Run) -> None:
    place = f"tests.{governed.name}"
    governed.admin("create tag personal")
    governed.admin("alter tag personal set masking policy hide")
    governed.admin(
        f"create or replace view seen (name with tag ({place}.personal = 'x') comment 'A name', is_private) "
        f"with row access policy {place}.open_rows on (is_private) copy grants comment = 'People' "
        "as select name, is_private from people"
    )
    governed.admin(f"grant select on view seen to role {governed.role}")
    governed.admin("alter table people drop all row access policies")

    assert rows("select name from seen") == [("***",)]


def test_a_replaced_view_loses_its_policies_and_a_dropped_one_leaves_none(governed: Account) -> None:
    governed.admin("create view seen as select name from people")
    governed.admin("alter view seen modify column name set masking policy hide")
    governed.admin(f"grant select on view seen to role {governed.role}")
    run = governed.session()
    assert run("select distinct name from seen") == [("***",)]

    governed.admin("create or replace view seen copy grants as select name from people")

    assert run("select count(distinct name) from seen") == [(2,)]
    governed.admin("drop view seen")
    governed.admin("drop masking policy hide")


def test_a_policy_in_use_cannot_be_dropped(governed: Account) -> None:
    governed.admin("alter table people modify column name set masking policy hide")

    assert failure(governed.admin, "drop masking policy hide")[0] == 3736


def test_attaching_needs_apply_and_ownership(governed: Account) -> None:
    sql = "alter table people modify column name set masking policy hide"
    run = governed.session()

    assert failure(run, sql)[0] == 3001
    governed.admin(f"grant apply on masking policy hide to role {governed.role}")
    assert failure(run, sql)[0] == 3001
    governed.admin(f"grant ownership on table people to role {governed.role} copy current grants")
    run(sql)


def test_policy_references_lists_where_a_policy_is(governed: Account, rows: Run) -> None:
    governed.admin("create tag personal")
    governed.admin("alter tag personal set masking policy hide")
    sql = "select ref_entity_domain, ref_entity_name, ref_arg_column_names from table(information_schema."
    place = f"tests.{governed.name}"

    assert governed.admin(f"{sql}policy_references(policy_name => '{place}.hide'))") == [
        ("TAG", "PERSONAL", None)
    ]
    assert governed.admin(f"{sql}policy_references(policy_name => '{place}.open_rows'))") == [
        ("TABLE", "PEOPLE", '["IS_PRIVATE"]')
    ]


def test_describe_shows_the_body_of_a_policy(governed: Account) -> None:
    ((name, signature, returns, body),) = governed.admin("describe masking policy hide")

    assert (name, signature, returns) == ("HIDE", "(VAL VARCHAR)", "VARCHAR")
    assert body.startswith("case when is_role_in_session")


def test_policies_apply_before_users_are_provisioned(own_server: Any) -> None:
    with own_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create table t as select 'Ann' as name")
        cursor.execute(
            "create masking policy hide as (v string) returns string -> "
            "case when current_role() = 'A' then v end"
        )
        cursor.execute("alter table t modify column name set masking policy hide")

        assert cursor.execute("select name from t").fetchall() == [(None,)]
        cursor.execute("use role a")
        assert cursor.execute("select name from t").fetchall() == [("Ann",)]
