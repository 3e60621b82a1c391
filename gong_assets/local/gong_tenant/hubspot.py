"""The CRM of the tenant in the format of HubSpot's data share for Snowflake.

It has the accounts, contacts and deals to which the calls refer. Tables and columns follow HubSpot's
documentation (https://knowledge.hubspot.com/reports/query-hubspot-data-in-snowflake) and published queries.
The columns of OWNERS, PIPELINES and PIPELINE_STAGES are not published and are assumed. V2_DAILY has tables
and V2_LIVE secure views of them.

As in the share, deleted records are absent, among them one deal to which calls refer. Merged records are
absent too: HubSpot replaces the two records with a new one that lists their ids. The current deal and a
contact of one account were merged, and calls refer to their old ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from gong_assets.local.gong_tenant.calls import HISTORY
from gong_assets.local.gong_tenant.company import PIPELINES, Company, Deal, Pipeline, Stage
from gong_assets.local.gong_tenant.reference_data import user_created

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

DATABASE = "HUBSPOT_SHARE"
SCHEMA = "V2_DAILY"
LIVE_SCHEMA = "V2_LIVE"

CONTACT, COMPANY, DEAL = "0-1", "0-2", "0-3"  # HubSpot's object type ids

# Positions in Company.accounts.
ACCOUNT_WITH_DELETED_DEAL = 1
ACCOUNT_WITH_MERGED_RECORDS = 2  # the current deal and the first contact

_OBJECT = {
    "OBJECTID": "NUMBER(38,0)",
    "OBJECTTYPEID": "VARCHAR",
    "UPDATEDAT": "TIMESTAMP_NTZ",
    "INGESTEDAT": "TIMESTAMP_NTZ",
}


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: dict[str, str]  # name to type
    rows: Sequence[tuple[Any, ...]]

    def ddl(self) -> str:
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"CREATE OR REPLACE TABLE {DATABASE}.{SCHEMA}.{self.name} ({columns})"

    def insert(self) -> str:
        """Return an INSERT with placeholders in the connector's default style."""
        places = ", ".join("%s" for _ in self.columns)
        return f"INSERT INTO {DATABASE}.{SCHEMA}.{self.name} ({', '.join(self.columns)}) VALUES ({places})"

    def live_view(self) -> str:
        return (
            f"CREATE OR REPLACE SECURE VIEW {DATABASE}.{LIVE_SCHEMA}.{self.name} "
            f"AS SELECT * FROM {DATABASE}.{SCHEMA}.{self.name}"
        )


def load(connection: SnowflakeConnection, company: Company, today: date) -> None:
    """Create or replace all tables and views of the share as of ``today``."""
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    for schema in (SCHEMA, LIVE_SCHEMA):
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.{schema}")
    for table in tables(company, today):
        cursor.execute(table.ddl())
        cursor.executemany(table.insert(), table.rows)
        cursor.execute(table.live_view())


def tables(company: Company, today: date) -> list[Table]:
    """Return the tables of the share on the morning of ``today``."""
    deals = list(_deals(company, today))
    ingested = datetime.combine(today, time(5, 0))
    merged = _merged_records(company, today)
    return [
        _deal_table(company, deals, merged, today, ingested),
        _contact_table(company, merged, ingested),
        _company_table(company, ingested),
        _owner_table(company),
        _pipeline_table(),
        _stage_table(),
        *_association_tables(company, deals, merged),
    ]


@dataclass(frozen=True, slots=True)
class MergedRecord:
    """The record with which HubSpot replaced two merged records."""

    id: str
    merged_ids: str  # in HubSpot's format


def _merged_records(company: Company, today: date) -> dict[str, MergedRecord]:
    """Return the new records by the old id to which calls refer."""
    account = company.accounts[ACCOUNT_WITH_MERGED_RECORDS]
    old_ids = {"deal": company.deal(account, today).id, "contact": account.contacts[0].id}
    return {
        old_id: MergedRecord(
            id=company.hubspot_id("merged", kind, old_id),
            merged_ids=f"{company.hubspot_id('duplicate', kind, old_id)};{old_id}",
        )
        for kind, old_id in old_ids.items()
    }


def _current_id(merged: Mapping[str, MergedRecord], old_id: str) -> int:
    return int(merged[old_id].id if old_id in merged else old_id)


def _merged_ids(merged: Mapping[str, MergedRecord], old_id: str) -> str | None:
    return merged[old_id].merged_ids if old_id in merged else None


def _deals(company: Company, today: date) -> Iterator[Deal]:
    """Yield all deals to which a call within the retention period may refer, except the deleted one."""
    for position, account in enumerate(company.accounts):
        deal = company.deal(account, today)
        if position == ACCOUNT_WITH_DELETED_DEAL:
            deal = company.previous_deal(deal)
        oldest = company.previous_deal(company.deal(account, today - HISTORY))
        while deal.opened >= oldest.opened:
            yield deal
            deal = company.previous_deal(deal)


def _deal_table(
    company: Company,
    deals: Iterable[Deal],
    merged: Mapping[str, MergedRecord],
    today: date,
    ingested: datetime,
) -> Table:
    columns = _OBJECT | {
        "PROPERTY_DEALNAME": "VARCHAR",
        "PROPERTY_AMOUNT": "NUMBER(38,2)",
        "PROPERTY_AMOUNT_IN_HOME_CURRENCY": "NUMBER(38,2)",
        "PROPERTY_DEAL_CURRENCY_CODE": "VARCHAR",
        "PROPERTY_DEALSTAGE": "VARCHAR",
        "PROPERTY_PIPELINE": "VARCHAR",
        "PROPERTY_DEALTYPE": "VARCHAR",
        "PROPERTY_CREATEDATE": "TIMESTAMP_NTZ",
        "PROPERTY_CLOSEDATE": "TIMESTAMP_NTZ",
        "PROPERTY_HUBSPOT_OWNER_ID": "VARCHAR",
        "PROPERTY_HS_IS_CLOSED_WON": "VARCHAR",
        "PROPERTY_HS_IS_CLOSED": "VARCHAR",
        "PROPERTY_HS_PRIMARY_ASSOCIATED_COMPANY": "NUMBER(38,0)",
        "PROPERTY_HS_MERGED_OBJECT_IDS": "VARCHAR",
    }
    rows = []
    for deal in deals:
        stage, closed = deal.stage(today), today >= deal.closes
        opened = datetime.combine(deal.opened, time(9, 0))
        updated = datetime.combine(deal.closes if closed else today - timedelta(days=1), time(17, 0))
        closes = datetime.combine(deal.closes, time(17, 0))
        rows.append(
            (
                *(_current_id(merged, deal.id), DEAL, min(updated, ingested), ingested),
                *(deal.name, deal.amount_on(today), deal.home_amount_on(today), deal.account.currency),
                *(stage.id, deal.pipeline.id, deal.deal_type),
                *(opened, closes, owner_id(company, deal.account.owner_id)),
                *(_text(closed and deal.won), _text(closed)),
                *(int(deal.account.id), _merged_ids(merged, deal.id)),
            )
        )
    return Table("OBJECTS_DEALS", columns, rows)


def _contact_table(company: Company, merged: Mapping[str, MergedRecord], ingested: datetime) -> Table:
    columns = _OBJECT | {
        "PROPERTY_FIRSTNAME": "VARCHAR",
        "PROPERTY_LASTNAME": "VARCHAR",
        "PROPERTY_EMAIL": "VARCHAR",
        "PROPERTY_JOBTITLE": "VARCHAR",
        "PROPERTY_COMPANY": "VARCHAR",
        "PROPERTY_LIFECYCLESTAGE": "VARCHAR",
        "PROPERTY_CREATEDATE": "TIMESTAMP_NTZ",
        "PROPERTY_HS_MERGED_OBJECT_IDS": "VARCHAR",
    }
    created = ingested - HISTORY
    rows = [
        (
            *(_current_id(merged, contact.id), CONTACT, ingested - timedelta(days=30), ingested),
            *(contact.first_name, contact.last_name, contact.email, contact.title),
            *(account.name, "customer" if position % 3 else "opportunity", created),
            _merged_ids(merged, contact.id),
        )
        for position, account in enumerate(company.accounts)
        for contact in account.contacts
    ]
    return Table("OBJECTS_CONTACTS", columns, rows)


def _company_table(company: Company, ingested: datetime) -> Table:
    columns = _OBJECT | {
        "PROPERTY_NAME": "VARCHAR",
        "PROPERTY_DOMAIN": "VARCHAR",
        "PROPERTY_INDUSTRY": "VARCHAR",
        "PROPERTY_CITY": "VARCHAR",
        "PROPERTY_ANNUALREVENUE": "NUMBER(38,2)",
        "PROPERTY_NUMBEROFEMPLOYEES": "NUMBER(38,0)",
        "PROPERTY_HUBSPOT_OWNER_ID": "VARCHAR",
        "PROPERTY_HS_MERGED_OBJECT_IDS": "VARCHAR",
    }
    rows = [
        (
            *(int(account.id), COMPANY, ingested - timedelta(days=30), ingested),
            *(account.name, account.domain, account.industry, account.city),
            *(account.revenue, account.employees, owner_id(company, account.owner_id), None),
        )
        for account in company.accounts
    ]
    return Table("OBJECTS_COMPANIES", columns, rows)


def _owner_table(company: Company) -> Table:
    columns = {
        "OWNERID": "NUMBER(38,0)",
        "USERID": "NUMBER(38,0)",
        "EMAIL": "VARCHAR",
        "FIRSTNAME": "VARCHAR",
        "LASTNAME": "VARCHAR",
        "CREATEDAT": "TIMESTAMP_NTZ",
    }
    rows = [
        (
            *(int(owner_id(company, user.id)), int(company.hubspot_id("user", user.id))),
            *(user.email, user.first_name, user.last_name),
            user_created(company, user).astimezone(UTC).replace(tzinfo=None),
        )
        for user in company.users
    ]
    return Table("OWNERS", columns, rows)


def _pipeline_table() -> Table:
    columns = {
        "PIPELINEID": "VARCHAR",
        "LABEL": "VARCHAR",
        "OBJECTTYPEID": "VARCHAR",
        "DISPLAYORDER": "NUMBER(38,0)",
    }
    rows = [(pipeline.id, pipeline.label, DEAL, order) for order, pipeline in enumerate(PIPELINES)]
    return Table("PIPELINES", columns, rows)


def _stage_table() -> Table:
    columns = {
        "PIPELINEID": "VARCHAR",
        "STAGEID": "VARCHAR",
        "LABEL": "VARCHAR",
        "DISPLAYORDER": "NUMBER(38,0)",
        "METADATA": "VARCHAR",
    }
    rows = [
        (pipeline.id, stage.id, stage.label, order, _stage_metadata(pipeline, stage))
        for pipeline in PIPELINES
        for order, stage in enumerate(pipeline.stages)
    ]
    return Table("PIPELINE_STAGES", columns, rows)


def _stage_metadata(pipeline: Pipeline, stage: Stage) -> str:
    is_closed = _text(stage in pipeline.stages[-2:])
    return f'{{"isClosed": "{is_closed}", "probability": "{stage.probability}"}}'


def _association_tables(
    company: Company, deals: Sequence[Deal], merged: Mapping[str, MergedRecord]
) -> Iterator[Table]:
    is_main = {"ISMAINASSOCIATIONDEFINITION": "BOOLEAN"}
    deal_ids = {deal.id: _current_id(merged, deal.id) for deal in deals}
    yield Table(
        "ASSOCIATIONS_DEALS_TO_COMPANIES",
        {"DEAL_OBJECTID": "NUMBER(38,0)", "COMPANY_OBJECTID": "NUMBER(38,0)"} | is_main,
        [(deal_ids[deal.id], int(deal.account.id), True) for deal in deals],
    )
    yield Table(
        "ASSOCIATIONS_DEALS_TO_CONTACTS",
        {"DEAL_OBJECTID": "NUMBER(38,0)", "CONTACT_OBJECTID": "NUMBER(38,0)"} | is_main,
        [
            (deal_ids[deal.id], _current_id(merged, contact.id), True)
            for deal in deals
            for contact in deal.account.contacts
        ],
    )
    yield Table(
        "ASSOCIATIONS_CONTACTS_TO_COMPANIES",
        {"CONTACT_OBJECTID": "NUMBER(38,0)", "COMPANY_OBJECTID": "NUMBER(38,0)"} | is_main,
        [
            (_current_id(merged, contact.id), int(account.id), True)
            for account in company.accounts
            for contact in account.contacts
        ],
    )


def owner_id(company: Company, user_id: str) -> str:
    """Return HubSpot's owner id of a user, which differs from Gong's user id."""
    return company.hubspot_id("owner", user_id)


def _text(flag: bool) -> str:
    """Return a flag as text, as HubSpot's sample queries compare it."""
    return "true" if flag else "false"
