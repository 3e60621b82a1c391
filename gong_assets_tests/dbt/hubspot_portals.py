"""SQL of an invented HubSpot portal, in each shape."""

from __future__ import annotations

from gong_assets.settings import HubSpotShape
from gong_assets.warehouse.hubspot_tables import required_tables

TABLES = required_tables()
CHANGED = "2026-11-01 10:00:00"

# The portal:
#   deal 8070190       has two contacts and two companies; the company with the higher id is primary
#   deal 8070301       only its stage says that it is won; its contact and company were merged, its owner is
#                      unknown, and its currency is foreign (the others are in euros)
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
            iff(column1 = 8070301, 'USD', 'eur') as property_deal_currency_code,
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
            iff(column1 = 8070301, 'USD', 'EUR') as property_deal_currency_code,
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
            iff(column1 = '8070301', 'USD', 'EUR') as properties_deal_currency_code,
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
                "amount_in_home_currency": "5",
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
    # Ids and numbers are texts that were floats. Some columns have lists or objects.
    "PLAIN": f"""
        create or replace table portal.plain.deals as
        select column1 as deal_id, column2 as deal_name, column3 as deal_stage_id, column4 as deal_stage,
            'Sales Pipeline' as pipeline_name, column5 as deal_amount, column6 as close_date,
                '2026-10-01'::date as create_date,
            column7 as deal_owner, column8 as deal_owner_email,
            parse_json('{{"label": "newbusiness", "value": "new"}}') as deal_type,
            column9 as associated_contact_id, column10 as associated_company_id, column11 as is_won,
                column12 as is_deleted,
            column13 as merged_object_ids, column14 as deal_amount_in_home_currency,
            '{CHANGED}' as updated_at,
            iff(column2 = 'Expansion', ' usd ', 'EUR') as deal_currency_code
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
                'true', null, null, '5');
        create or replace table portal.plain.contacts as
        select column1 as contact_id, 'Carl' as first_name, column2 as last_name,
            'Carl@Customer.example' as email,
            parse_json('["Customer"]')::array as company_name, parse_json('"CTO"') as job_title,
                parse_json('[{{"name": "customer"}}]')::array as lifecycle_stage,
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
