{#-
    HubSpot's tables that were lost: the share was unmounted, a grant was revoked, or a connector emptied a
    table to load it again. A table is lost if it has no rows or cannot be read, and a staged column still has
    values of it. The models that read a lost table keep their rows, because without deals, stages or owners a
    month or a rep would lose revenue. The check `hubspot_is_shared` reports it as an error. A model that is
    dropped, or built with --full-refresh, is built from the tables that exist.
-#}

{#- Returns whether the model reads a lost table. -#}
{% macro reads_lost_hubspot_table() -%}
    {%- set tables = _staged_hubspot_tables() -%}
    {%- if not tables.keys() | select('in', model.depends_on.nodes) | list -%}{{ return(false) }}{%- endif -%}
    {%- set found = command_state('lost_hubspot_tables') -%}
    {%- if 'ids' not in found -%}
        {%- do found.update({'ids': _lost_hubspot_tables(tables)}) -%}
    {%- endif -%}
    {{ return(found.ids | select('in', model.depends_on.nodes) | list | length > 0) }}
{%- endmacro %}

{#- Returns the sources of the shape that have a staged column, by unique id. -#}
{% macro _staged_hubspot_tables() -%}
    {%- set tables = {} -%}
    {%- for table in graph.sources.values() if table.source_name == 'hubspot' -%}
        {%- set meta = table.config.meta -%}
        {%- if meta.get('staged_in') and hubspot_shape() in meta.shapes -%}
            {%- do tables.update({table.unique_id: table}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}

{#- Returns the ids of lost tables, with one statement that reads at most a row of each table. -#}
{% macro _lost_hubspot_tables(tables) -%}
    {%- set columns, ids = [], [] -%}
    {%- for unique_id, table in tables.items() -%}
        {%- set model_name, column = table.config.meta.staged_in.split('.') -%}
        {%- set staged = load_relation(this.incorporate(path={'identifier': model_name})) -%}
        {%- set read = load_relation(
            api.Relation.create(database=table.database, schema=table.schema, identifier=table.identifier)
        ) -%}
        {%- if staged is not none -%}
            {%- do ids.append(unique_id) -%}
            {%- set rows = _has_rows(read, 'true') if read is not none else 0 -%}
            {%- do columns.append(_has_rows(staged, column ~ ' is not null') ~ ' > ' ~ rows) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not ids -%}{{ return([]) }}{%- endif -%}
    {%- set is_lost = run_query('select ' ~ columns | join(', ')).rows[0] -%}
    {%- set lost = [] -%}
    {%- for unique_id in ids -%}
        {%- if is_lost[loop.index0] -%}
            {%- do lost.append(unique_id) -%}
            {%- do exceptions.warn(
                tables[unique_id].relation_name ~ ' has no rows or cannot be read: the staged rows are kept.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lost) }}
{%- endmacro %}

{% macro _has_rows(relation, condition) -%}
    {{ return(
        '(select count(*) from (select 1 as found from ' ~ relation ~ ' where ' ~ condition
        ~ ' limit 1) as one_row)'
    ) }}
{%- endmacro %}

{#- Keeps the rows of a table, except those of contacts that were erased since they were staged. -#}
{% macro keep_table(table) -%}
    {%- do store_raw_result('main', message='KEPT', code='KEPT', rows_affected=none) -%}
    {%- if 'contact_id' in model.columns and 'email' in model.columns -%}
        {%- do run_query(
            'delete from ' ~ table ~ ' where contact_id in (' ~ erased_contacts(table.identifier) ~ ')'
        ) -%}
    {%- endif -%}
{%- endmacro %}
