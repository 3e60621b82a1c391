"""HubSpot shapes: one invented portal produces the same staged tables in each shape.

The other tests use V2_DAILY, the tables of HubSpot's share. Here each shape is staged in a separate schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from gong_assets.defs.checks.hubspot import TABLES
from gong_assets.settings import HubSpotShape
from gong_assets.warehouse.hubspot_tables import hubspot_tables
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import FULL
from gong_assets_tests.dbt.test_sql import SNOWFLAKE_FUNCTIONS
from gong_assets_tests.dbt.warehouse import Tables, Warehouse
from gong_assets_tests.snowflake_sql import functions, refusals

pytestmark = pytest.mark.xdist_group("dbt")

MODELS = {
    "stg_hubspot_deals": "DEAL_ID",
    "stg_hubspot_contacts": "CONTACT_ID",
    "stg_hubspot_companies": "COMPANY_ID",
    "stg_hubspot_merged_records": "MERGED_RECORD_ID",
}
CHANGED = "2026-11-01 10:00:00"

# The portal:
#   deal 8070190       has two contacts and two companies; the company with the higher id is primary
#   deal 8070301       only its stage says that it is won; its contact and company were merged, its owner is
#                      unknown, and its currency is foreign
#   deal 8070302       a merge of 8070303, which a connector keeps, and 8070304; its amount is absurd
#   deal 8070307       closed, in a deleted stage; only its count or its probability says that it is won
#   deals 8070305/6    deleted; 8070306 was changed after it was first read
#   contact 8804       a merge of 8803; contact 8805 was deleted
#   company 999        a merge of 998; company 997 was deleted

PORTALS: dict[str, str] = {
    # HubSpot's share omits deleted records and has numeric ids.
    "V2_LIVE": f"""
        create or replace table portal.v2_daily.objects_deals as
        select column1::number(38, 0) as objectid, '0-3' as objecttypeid, column2 as property_dealname,
            column3::number(38, 2) as property_amount, column4 as property_dealstage,
                'default' as property_pipeline,
            column5::timestamp_ntz as property_closedate,
                '2026-10-01 00:30:00'::timestamp_ntz as property_createdate,
            column6::number(38, 0) as property_hubspot_owner_id, column7 as property_hs_is_closed_won,
            column8 as property_hs_is_closed, column9::number(38, 0) as property_hs_closed_won_count,
            column10 as property_hs_merged_object_ids,
                column11::number(38, 2) as property_amount_in_home_currency,
            'newbusiness' as property_dealtype, '{CHANGED}'::timestamp_ntz as updatedat,
                '{CHANGED}'::timestamp_ntz as ingestedat
        from values
            (8070190, 'Renewal 2027', 15000.5, 'closedwon', '2026-11-12 23:30:00', 77, 'true', 'true', 1,
                null, null),
            (8070301, 'Expansion', 7, '8070199', '2026-11-13 00:00:00', 78, null, null, null, null, 6.5),
            (8070302, 'Merged', 1e14, '8070191', '2099-01-01 00:00:00', 77, 'false', 'false', 0,
                '8070303;8070304', 1e14),
            (8070307, 'Closed', 5, '8070198', '2026-11-13 00:00:00', 77, null, 'true', 1, null, 5);
        create or replace table portal.v2_daily.objects_contacts as
        select column1::number(38, 0) as objectid, 'Carl' as property_firstname, column2 as property_lastname,
            'Carl@Customer.example' as property_email, 'CTO' as property_jobtitle,
                'customer' as property_lifecyclestage,
            'Customer' as property_company, '2026-10-01 00:30:00'::timestamp_ntz as property_createdate,
            column3 as property_hs_merged_object_ids, column4 as property_hs_calculated_merged_vids,
            '{CHANGED}'::timestamp_ntz as updatedat
        from values (8801, 'One', null, null), (8802, 'Two', null, null),
            (8804, 'Four', null, '8803:1700000000000;8804:1700000000001');
        create or replace table portal.v2_daily.objects_companies as
        select column1::number(38, 0) as objectid, column2 as property_name,
            'Customer.example' as property_domain,
            'SOFTWARE' as property_industry, 2000000::number(38, 2) as property_annualrevenue,
            250::number(38, 0) as property_numberofemployees, column3 as property_hs_merged_object_ids,
            '{CHANGED}'::timestamp_ntz as updatedat
        from values (111, 'Partner', null), (555, 'Customer Limited', null), (999, 'Both', '998');
        create or replace table portal.v2_daily.owners as
        select 77::number(38, 0) as ownerid, 'Olga@Seller.example' as email, 'Olga' as firstname,
            'Owner' as lastname;
        create or replace table portal.v2_daily.pipelines as
        select column1 as pipelineid, column2 as label, column3 as objecttypeid
        from values ('default', 'Sales Pipeline', '0-3'), ('default', 'A Ticket Pipeline', '0-5');
        create or replace table portal.v2_daily.pipeline_stages as
        select 'default' as pipelineid, column1 as stageid, column2 as label, column3 as metadata
        from values ('closedwon', 'Closed Won', '{{"isClosed": "true", "probability": "1.0"}}'),
            ('8070191', 'Contract Sent', '{{"isClosed": "false", "probability": "0.9"}}'),
            ('8070199', 'Renewed', '{{"isClosed": "true", "probability": "1.0"}}');
        create or replace table portal.v2_daily.associations_deals_to_contacts as
        select column1::number(38, 0) as deal_objectid, column2::number(38, 0) as contact_objectid,
            true as ismainassociationdefinition
        from values (8070190, 8802), (8070190, 8801), (8070301, 8803);
        create or replace table portal.v2_daily.associations_deals_to_companies as
        select column1::number(38, 0) as deal_objectid, column2::number(38, 0) as company_objectid,
            column3 as ismainassociationdefinition
        from values (8070190, 111, false), (8070190, 555, true), (8070301, 998, true);
    """
    + "".join(
        f"create or replace secure view portal.v2_live.{table} as select * from portal.v2_daily.{table};\n"
        for table in TABLES["share"]
    ),
    # Float ids, Fivetran's property types, and deleted rows that are kept.
    "FIVETRAN": f"""
        create or replace table portal.fivetran.deal as
        select column1::float as deal_id, column2 as property_dealname, column3::float as property_amount,
            column4 as deal_pipeline_stage_id, 'default' as deal_pipeline_id,
                column5::timestamp_tz as property_closedate,
            '2026-09-30 17:30:00-07:00'::timestamp_tz as property_createdate, column6::float as owner_id,
            column7 as property_hs_is_closed_won,
                iff(column1 = 8070307, true, column7) as property_hs_is_closed,
            'newbusiness' as property_dealtype, column8 as is_deleted,
                column9::timestamp_tz as property_hs_lastmodifieddate,
            column10::float as property_hs_deal_stage_probability,
                column11::float as property_amount_in_home_currency
        from values
            (8070190, 'Renewal 2027', 15000.5, 'closedwon', '2026-11-12 15:30:00-08:00', 77, true, false,
                '{CHANGED}+00:00', 1, null),
            (8070301, 'Expansion', 7, '8070199', '2026-11-13 00:00:00+00:00', 78, null, false,
                '{CHANGED}+00:00', null, 6.5),
            (8070302, 'Merged', 1e14, '8070191', '2099-01-01 00:00:00+00:00', 77, false, false,
                '{CHANGED}+00:00', 1, 1e14),
            (8070303, 'Merged', null, '8070191', '2099-01-01 00:00:00+00:00', 77, false, false,
                '{CHANGED}+00:00', 0.9, null),
            (8070305, 'Deleted', 1, '8070191', null, 77, false, true, '{CHANGED}+00:00', 0.9, 1),
            (8070306, 'Deleted', 1, '8070191', null, 77, false, true, '{CHANGED}+00:00', 0.9, 1),
            (8070307, 'Closed', 5, '8070198', '2026-11-13 00:00:00+00:00', 77, null, false, '{CHANGED}+00:00',
                1, 5);
        create or replace table portal.fivetran.merged_deal as
        select 8070302::number(38, 0) as deal_id,
            column1::number(38, 0) as merged_deal_id from values (8070303), (8070304);
        create or replace table portal.fivetran.contact as
        select column1::number(38, 0) as id, 'Carl' as property_firstname, column2 as property_lastname,
            'Carl@Customer.example' as property_email, 'CTO' as property_jobtitle,
                'customer' as property_lifecyclestage,
            'Customer' as property_company, '2026-10-01 00:30:00+00:00'::timestamp_tz as property_createdate,
            column3 as property_hs_calculated_merged_vids, column4 as _fivetran_deleted,
            '{CHANGED}+00:00'::timestamp_tz as property_lastmodifieddate
        from values (8801, 'One', null, false), (8802, 'Two', null, null), (8803, 'Three', null, true),
            (8804, 'Four', '8803:1700000000000;8804:1700000000001', false), (8805, 'Five', null, true);
        create or replace table portal.fivetran.company as
        select column1::number(38, 0) as id, column2 as property_name, 'Customer.example' as property_domain,
            'SOFTWARE' as property_industry, 2000000::float as property_annualrevenue,
                250::float as property_numberofemployees,
            column3 as property_hs_merged_object_ids, column4 as is_deleted, false as _fivetran_deleted,
            '{CHANGED}+00:00'::timestamp_tz as property_hs_lastmodifieddate
        from values (111, 'Partner', null, false), (555, 'Customer Limited', null, false),
            (999, 'Both', '998', false),
            (997, 'Deleted', null, true);
        create or replace table portal.fivetran.owner as
        select 77::number(38, 0) as owner_id, 'Olga@Seller.example' as email, 'Olga' as first_name,
            'Owner' as last_name;
        create or replace table portal.fivetran.deal_pipeline as
        select 'default' as pipeline_id, column1 as label, column2 as _fivetran_deleted
        from values ('A Deleted Pipeline', true), ('Sales Pipeline', false);
        create or replace table portal.fivetran.deal_pipeline_stage as
        select 'default' as pipeline_id, column1 as stage_id, column2 as label, column3 as closed_won,
            column3 as is_closed,
            column4 as _fivetran_deleted
        from values ('closedwon', 'Closed Won', true, false), ('8070191', 'Contract Sent', false, false),
            ('8070199', 'Renewed', true, true);
        create or replace table portal.fivetran.deal_contact as
        select column1::number(38, 0) as deal_id, column2::number(38, 0) as contact_id, 3 as type_id
        from values (8070190, 8802), (8070190, 8801), (8070301, 8803);
        create or replace table portal.fivetran.deal_company as
        select column1::number(38, 0) as deal_id, column2::number(38, 0) as company_id,
            column3::number(38, 0) as type_id,
            column4 as category
        from values (8070190, 111, 5, 'USER_DEFINED'), (8070190, 111, 341, 'HUBSPOT_DEFINED'),
            (8070190, 555, 5, 'HUBSPOT_DEFINED'), (8070301, 998, 5, 'HUBSPOT_DEFINED');
    """,
    # Deals have texts in an object, contacts typed columns and a smaller object, and companies only columns.
    "AIRBYTE": f"""
        create or replace table portal.airbyte.deals as
        select column1 as id, parse_json(column2) as properties, column3 as archived,
            parse_json(column4) as contacts,
            parse_json(column5) as companies, coalesce(column6, '{CHANGED}+00:00')::timestamp_tz as updatedat
        from values
            ('8070190', '{{"dealname": "Renewal 2027", "amount": "15000.5", "dealstage": "closedwon",
                "pipeline": "default",
                "closedate": "2026-11-12T23:30:00.000Z", "createdate": "2026-10-01T00:30:00Z",
                    "hubspot_owner_id": "77",
                "hs_is_closed": "true", "hs_is_closed_won": "true", "dealtype": "newbusiness",
                "hs_primary_associated_company": "555"}}', false, '[8802, 8801]', '[111, 555]', null),
            ('8070190', '{{"dealname": "Renewal"}}', false, '[8800]', '[110]', '2026-10-01 00:30:00+00:00'),
            ('8070301', '{{"dealname": "Expansion", "amount": "7", "dealstage": "8070199",
                "pipeline": "default",
                "closedate": "2026-11-13", "createdate": "2026-10-01T00:30:00Z", "hubspot_owner_id": 78.0,
                "hs_is_closed": "", "dealtype": "newbusiness", "amount_in_home_currency": "6.5"}}', false,
                    '[8803]', '[998]', null),
            ('8070302', '{{"dealname": "Merged", "amount": "much", "dealstage": "8070191",
                "pipeline": "default",
                "closedate": "2099-01-01T00:00:00Z", "createdate": "2026-10-01T00:30:00Z",
                    "hubspot_owner_id": "77",
                "hs_is_closed": "false", "hs_is_closed_won": "false", "dealtype": "newbusiness",
                "hs_merged_object_ids": "8070303;8070304"}}', false, null, '[]', null),
            ('8070303', '{{"dealname": "Merged"}}', false, '[]', '[]', null),
            ('8070305', '{{"dealname": "Deleted"}}', true, '[]', '[]', null),
            ('8070306', '{{"dealname": "Deleted"}}', false, '[]', '[]', null),
            ('8070307', '{{"dealname": "Closed", "amount": "5", "dealstage": "8070198", "pipeline": "default",
                "closedate": "2026-11-13", "createdate": "2026-10-01T00:30:00Z", "hubspot_owner_id": "77",
                "hs_is_closed": "true", "hs_deal_stage_probability": "1.0",
                    "dealtype": "newbusiness"}}', false, '[]', '[]', null);
        create or replace table portal.airbyte.deals_archived as
        select column1 as id, column2::timestamp_tz as archivedat, true as archived
        from values ('8070306', '2026-11-02 00:00:00+00:00'), ('8070306', '2026-09-01 00:00:00+00:00'),
            ('8070190', '2026-09-01 00:00:00+00:00');
        create or replace table portal.airbyte.contacts as
        select column1 as id, 'Carl' as properties_firstname, column2 as properties_lastname,
            parse_json('{{"email": "Carl@Customer.example", "jobtitle": "CTO",
                "firstname": "Not this"}}') as properties,
            'customer' as properties_lifecyclestage, 'Customer' as properties_company,
            '2026-10-01 00:30:00+00:00'::timestamp_tz as properties_createdate,
            column3 as properties_hs_merged_object_ids, column4 as archived,
                '{CHANGED}+00:00'::timestamp_tz as updatedat
        from values ('8801', 'One', null, false), ('8802', 'Two', null, null),
            ('8804', 'Four', '8803', false),
            ('8805', 'Five', null, true);
        create or replace table portal.airbyte.companies as
        select column1 as id, column2 as properties_name, 'Customer.example' as properties_domain,
            'SOFTWARE' as properties_industry, 2000000::float as properties_annualrevenue,
            250::number(38, 0) as properties_numberofemployees, column3 as properties_hs_merged_object_ids,
            column4 as archived, '{CHANGED}+00:00'::timestamp_tz as updatedat
        from values ('111', 'Partner', null, false), ('555', 'Customer Limited', null, false),
            ('999', 'Both', '998', false),
            ('997', 'Deleted', null, true);
        create or replace table portal.airbyte.owners as
        select '77' as id, 'Olga@Seller.example' as email, 'Olga' as firstname, 'Owner' as lastname;
        create or replace table portal.airbyte.deal_pipelines as
        select 'default' as pipelineid, 'Sales Pipeline' as label, parse_json('[
            {{"stageId": "closedwon", "label": "Closed Won",
                "metadata": {{"isClosed": "true", "probability": "1.0"}}}},
            {{"stageId": "8070191", "label": "Contract Sent",
                "metadata": {{"isClosed": "false", "probability": "0.9"}}}},
            {{"id": 8070199, "label": "Renewed",
                "metadata": {{"isClosed": "true", "probability": "1.0"}}}}]') as stages;
    """,
    # Ids and numbers are texts that were floats.
    "PLAIN": f"""
        create or replace table portal.plain.deals as
        select column1 as deal_id, column2 as deal_name, column3 as deal_stage_id, column4 as deal_stage,
            'Sales Pipeline' as pipeline_name, column5 as deal_amount, column6 as close_date,
                '2026-10-01'::date as create_date,
            column7 as deal_owner, column8 as deal_owner_email, 'newbusiness' as deal_type,
            column9 as associated_contact_id, column10 as associated_company_id, column11 as is_won,
                column12 as is_deleted,
            column13 as merged_object_ids, column14 as deal_amount_in_home_currency, '{CHANGED}' as updated_at
        from values
            ('8070190.0', 'Renewal 2027', 'closedwon', 'Closed Won', '15000.50', '2026-11-12', 'Olga Owner',
                'Olga@Seller.example', '8801.0', '555', 'true', 'false', null, null),
            ('8.070301e+06', 'Expansion', '8070199', 'Renewed', '7', '2026-11-13', null, null, '8803', '998',
                'true',
                null, null, '6.5'),
            ('8070302', 'Merged', '8070191', 'Contract Sent', '1e14', '2099-01-01', 'Olga Owner',
                'Olga@Seller.example',
                null, null, 'false', 'false', '8070303;8070304', ''),
            ('8070303', 'Merged', '8070191', 'Contract Sent', '', null, null, null, null, null, null, null,
                null, null),
            ('8070305', 'Deleted', '8070191', 'Contract Sent', '1', null, null, null, null, null, null,
                'true', null, null),
            ('8070307', 'Closed', '8070198', '8070198', '5', '2026-11-13', 'Olga Owner',
                'Olga@Seller.example', null, null,
                'true', null, null, null);
        create or replace table portal.plain.contacts as
        select column1 as contact_id, 'Carl' as first_name, column2 as last_name,
            'Carl@Customer.example' as email,
            'Customer' as company_name, 'CTO' as job_title, 'customer' as lifecycle_stage,
                '2026-10-01' as create_date,
            column3 as merged_object_ids, '{CHANGED}'::timestamp_ntz as updated_at
        from values (8801.0::float, 'One', null), (8802.0::float, 'Two', null),
            (8804.0::float, 'Four', '8803');
        create or replace table portal.plain.companies as
        select column1::number(38, 2) as company_id, column2 as company_name, 'Customer.example' as domain,
            'SOFTWARE' as industry, '2e6' as annual_revenue, '250' as number_of_employees,
                column3 as merged_object_ids,
            '{CHANGED}'::timestamp_ntz as updated_at
        from values (111, 'Partner', null), (555, 'Customer Limited', null), (999, 'Both', '998');
    """,
}
# The same share with other column names of labels and owners.
PORTALS["OTHER_NAMES"] = (
    PORTALS["V2_LIVE"]
    + "".join(
        f"create or replace view portal.other_names.{table} as "
        f"select {columns} from portal.v2_daily.{table};\n"
        for table, columns in {
            **dict.fromkeys(TABLES["share"], "*"),
            "OWNERS": "ownerid as id, email, firstname as first_name, lastname as last_name",
            "PIPELINES": "pipelineid as id, label, objecttypeid as object_type_id",
            "PIPELINE_STAGES": "pipelineid as pipeline_id, stageid as stage_id, label, metadata",
        }.items()
    )
)  # fmt: skip
SHAPES: dict[str, HubSpotShape] = {
    "V2_LIVE": "share",
    "OTHER_NAMES": "share",
    "FIVETRAN": "fivetran",
    "AIRBYTE": "airbyte",
    "PLAIN": "plain",
}

DEALS = [
    {
        "DEAL_ID": "8070190", "DEAL_NAME": "Renewal 2027", "DEAL_STAGE": "Closed Won",
        "DEAL_STAGE_ID": "closedwon",
        "DEAL_AMOUNT": Decimal("15000.50"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("15000.50"),
        "CLOSE_DATE": date(2026, 11, 12), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": "8801",
        "ASSOCIATED_COMPANY_ID": "555",
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070301", "DEAL_NAME": "Expansion", "DEAL_STAGE": "Renewed", "DEAL_STAGE_ID": "8070199",
        "DEAL_AMOUNT": Decimal("7.00"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("6.50"),
        "CLOSE_DATE": date(2026, 11, 13), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": None, "DEAL_OWNER_EMAIL": None,
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": "8804",
        "ASSOCIATED_COMPANY_ID": "999",
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070302", "DEAL_NAME": "Merged", "DEAL_STAGE": "Contract Sent",
        "DEAL_STAGE_ID": "8070191",
        "DEAL_AMOUNT": None, "DEAL_AMOUNT_IN_HOME_CURRENCY": None, "CLOSE_DATE": date(2099, 1, 1),
        "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": None,
        "ASSOCIATED_COMPANY_ID": None,
        "DEAL_STATUS": "In Progress", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070307", "DEAL_NAME": "Closed", "DEAL_STAGE": "8070198", "DEAL_STAGE_ID": "8070198",
        "DEAL_AMOUNT": Decimal("5.00"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("5.00"),
        "CLOSE_DATE": date(2026, 11, 13), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": None,
        "ASSOCIATED_COMPANY_ID": None,
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
]  # fmt: skip
CONTACTS = [
    {
        "CONTACT_ID": contact_id, "FIRST_NAME": "Carl", "LAST_NAME": last_name,
        "EMAIL": "carl@customer.example",
        "COMPANY_NAME": "Customer", "JOB_TITLE": "CTO", "LIFECYCLE_STAGE": "customer",
        "CREATE_DATE": date(2026, 10, 1),
        "UPDATED_AT": datetime.fromisoformat(CHANGED),
    }
    for contact_id, last_name in (("8801", "One"), ("8802", "Two"), ("8804", "Four"))
]  # fmt: skip
COMPANIES = [
    {
        "COMPANY_ID": company_id, "COMPANY_NAME": name, "DOMAIN": "customer.example", "INDUSTRY": "SOFTWARE",
        "ANNUAL_REVENUE": Decimal("2000000.00"), "NUMBER_OF_EMPLOYEES": 250,
        "COMPANY_SIZE_CATEGORY": "Mid-Market",
        "REVENUE_CATEGORY": "Low", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    }
    for company_id, name in (("111", "Partner"), ("555", "Customer Limited"), ("999", "Both"))
]  # fmt: skip
MERGED = {
    ("Account", "998"): "999",
    ("Contact", "8803"): "8804",
    ("Opportunity", "8070303"): "8070302",
    ("Opportunity", "8070304"): "8070302",
}
# These columns depend on the day of the build.
CLOCKED = {"DAYS_SINCE_CREATED", "DAYS_TO_CLOSE", "LAST_REFRESHED"}


@dataclass(frozen=True)
class Staged:
    tables: Tables
    output: str
    compiled: dict[str, str]
    sources: set[str]  # that the models read

    def rows(self, model: str) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name not in CLOCKED}
            for _, row in sorted(self.tables[model].items())
        ]


@pytest.fixture(scope="module")
def stage(warehouse: Warehouse, project: DbtProject) -> Iterator[Callable[..., Staged]]:
    def staged(schema: str, **environment: str) -> Staged:
        output = project.succeed(
            "run", "--select", *MODELS, SNOWFLAKE_SCHEMA=f"STAGED_{schema}", **environment
        )
        manifest = project.manifest()
        sources = {
            manifest["sources"][key]["name"].upper()
            for name in MODELS
            for key in manifest["parent_map"][f"model.gong_assets.{name}"]
            if key.startswith("source.")
        }
        tables = {name: warehouse.rows(f"staged_{schema}.{name}", key) for name, key in MODELS.items()}
        compiled = {name: sql for name, sql in project.compiled().items() if name in MODELS}
        return Staged(tables, output, compiled, sources)

    yield staged
    warehouse.query("use schema sophia_ai.gong_data")


@pytest.fixture(scope="module", params=SHAPES)
def staged(request: pytest.FixtureRequest, warehouse: Warehouse, stage: Callable[..., Staged]) -> Staged:
    schema: str = request.param
    warehouse.query("create database if not exists portal")
    for name in {schema, "V2_DAILY", "V2_LIVE"}:
        warehouse.query(f"create schema if not exists portal.{name}")
    for statement in filter(str.strip, PORTALS[schema].split(";\n")):
        warehouse.query(statement)
    warehouse.query("use schema sophia_ai.gong_data")
    return stage(schema, HUBSPOT_SHAPE=SHAPES[schema], HUBSPOT_DATABASE="PORTAL", HUBSPOT_SCHEMA=schema)


def test_deals_have_labels_owners_and_main_records_and_deleted_ones_are_absent(
    staged: Staged,
) -> None:
    assert staged.rows("stg_hubspot_deals") == DEALS


def test_contacts_are_the_same_in_every_shape(staged: Staged) -> None:
    assert staged.rows("stg_hubspot_contacts") == CONTACTS


def test_companies_are_the_same_in_every_shape(staged: Staged) -> None:
    assert staged.rows("stg_hubspot_companies") == COMPANIES


def test_merged_ids_map_to_their_survivors(staged: Staged) -> None:
    found = staged.tables["stg_hubspot_merged_records"].values()
    assert {(row["OBJECT_TYPE"], row["MERGED_ID"]): row["SURVIVOR_ID"] for row in found} == MERGED


def test_no_shape_misses_a_table_or_calls_an_unknown_function(staged: Staged) -> None:
    assert "does not exist" not in staged.output
    unknown = {name: functions(sql) - SNOWFLAKE_FUNCTIONS for name, sql in staged.compiled.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    assert [refusals(sql) for sql in staged.compiled.values()] == [[]] * len(MODELS)


def test_the_models_read_exactly_the_tables_of_the_shape(
    staged: Staged, request: pytest.FixtureRequest
) -> None:
    shape = SHAPES[request.node.callspec.params["staged"]]
    assert staged.sources == {table.name for table in hubspot_tables() if shape in table.shapes}


def test_every_shape_of_the_settings_has_tables() -> None:
    assert set(get_args(HubSpotShape)) == set(TABLES)


@pytest.mark.parametrize("shape", TABLES)
def test_the_documentation_lists_the_tables_of_each_shape(shape: str) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "hubspot.md").read_text("utf-8")
    section = documentation.partition(f"### `{shape}`\n")[2].partition("\n#")[0]
    listed = set(re.findall("`([A-Z_]+)`", section.partition("Tables: ")[2].partition("\n\n")[0]))
    assert listed == {table.name for table in hubspot_tables() if shape in table.shapes}


def test_without_its_database_hubspot_is_empty_and_dbt_names_the_missing_tables(
    stage: Callable[..., Staged],
) -> None:
    without = stage("NOTHING", HUBSPOT_DATABASE="NOT_MOUNTED")
    assert without.tables == {name: {} for name in MODELS}
    for table in TABLES["share"]:
        assert f"NOT_MOUNTED.V2_DAILY.{table.lower()} does not exist" in without.output


def test_without_hubspot_the_graph_is_built_and_calls_keep_their_deals_from_gong(
    warehouse: Warehouse, project: DbtProject, built: Tables
) -> None:
    warehouse.query("create schema if not exists without_hubspot")
    warehouse.query("use schema without_hubspot")
    try:
        warehouse.land_everything()
        project.succeed(
            *("build", "--exclude-resource-type", "unit_test"),
            HUBSPOT_DATABASE="NOT_MOUNTED",
            SNOWFLAKE_SCHEMA="WITHOUT_HUBSPOT",
        )
        tables = warehouse.tables()
    finally:
        warehouse.query("use schema gong_data")

    calls = tables["vw_enriched_gong_calls"]
    assert calls.keys() == built["vw_enriched_gong_calls"].keys()
    assert {call["DEAL_OUTCOME"] for call in calls.values()} == {None}
    assert (calls[FULL]["HUBSPOT_DEAL_ID"], calls[FULL]["DEAL_NAME"]) == ("8070190", "Customer Ltd renewal")
    assert tables["vw_deal_risk"] == {}
    months = tables["vw_sales_performance_analysis"].values()
    assert sum(month["TOTAL_CALLS"] for month in months) == len(calls)
    assert {(month["DEALS_WON"], month["REVENUE_WON"]) for month in months} == {(0, 0)}
    assert {event["EVENT_TYPE"] for event in tables["vw_account_timeline"].values()} == {"Call"}
    assert tables["vw_coaching_opportunities"].keys() == built["vw_coaching_opportunities"].keys()


def test_an_unknown_shape_is_rejected_by_name(project: DbtProject) -> None:
    rejected = project.command("parse", HUBSPOT_SHAPE="fancy")
    assert rejected.returncode != 0
    assert "HUBSPOT_SHAPE is 'fancy'; it must be one of: share, fivetran, airbyte, plain" in rejected.stdout
