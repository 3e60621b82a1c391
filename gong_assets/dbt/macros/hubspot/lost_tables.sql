{#-
    HubSpot's tables that were lost: the share was unmounted, a grant was revoked, or a connector has emptied a
    table to load it again. A model of a lost table is kept as it is, because without its rows a month would
    lose its revenue. `hubspot_is_shared` reports it as an error. A table that is dropped, or rebuilt with
    --full-refresh, is made from what is there.
-#}

{#- Whether the model reads a table that has no rows, or cannot be read, while its staged model has rows. -#}
{% macro reads_lost_hubspot_table() -%}
    {%- set tables = _hubspot_tables_of_records() -%}
    {%- if not tables.keys() | select('in', model.depends_on.nodes) | list -%}{{ return(false) }}{%- endif -%}
    {%- set found = command_state('lost_hubspot_tables') -%}
    {%- if 'ids' not in found -%}
        {%- do found.update({'ids': _lost_hubspot_tables(tables)}) -%}
    {%- endif -%}
    {{ return(found.ids | select('in', model.depends_on.nodes) | list | length > 0) }}
{%- endmacro %}

{#- The sources of the shape with a row for each record, by unique id. -#}
{% macro _hubspot_tables_of_records() -%}
    {%- set tables = {} -%}
    {%- for table in graph.sources.values() if table.source_name == 'hubspot' -%}
        {%- set meta = table.config.meta -%}
        {%- if meta.get('staged') and hubspot_shape() in meta.shapes -%}
            {%- do tables.update({table.unique_id: table}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}

{#- One statement for all tables. It reads at most a row of each. -#}
{% macro _lost_hubspot_tables(tables) -%}
    {%- set columns, ids = [], [] -%}
    {%- for unique_id, table in tables.items() -%}
        {%- set staged = load_relation(this.incorporate(path={'identifier': table.config.meta.staged})) -%}
        {%- set read = load_relation(
            api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier)
        ) -%}
        {%- if staged is not none -%}
            {%- do ids.append(unique_id) -%}
            {%- do columns.append(_has_rows(staged) ~ ' > ' ~ (_has_rows(read) if read is not none else 0)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not ids -%}{{ return([]) }}{%- endif -%}
    {%- set is_lost = run_query('select ' ~ columns | join(', ')).rows[0] -%}
    {%- set lost = [] -%}
    {%- for unique_id in ids -%}
        {%- if is_lost[loop.index0] -%}
            {%- do lost.append(unique_id) -%}
            {%- do exceptions.warn(
                tables[unique_id].relation_name ~ ' has no rows or cannot be read: what was staged is kept.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lost) }}
{%- endmacro %}

{% macro _has_rows(relation) -%}
    {{ return('(select count(*) from (select 1 as found from ' ~ relation ~ ' limit 1) as one_row)') }}
{%- endmacro %}

{#- Keeps a table, but for the contacts that were erased since. -#}
{% macro keep_table(table) -%}
    {%- do store_raw_result('main', message='KEPT', code='KEPT', rows_affected=none) -%}
    {%- if 'contact_id' in model.columns and 'email' in model.columns -%}
        {%- do run_query(
            'delete from ' ~ table ~ ' where contact_id in (' ~ erased_contacts(table.identifier) ~ ')'
        ) -%}
    {%- endif -%}
{%- endmacro %}
