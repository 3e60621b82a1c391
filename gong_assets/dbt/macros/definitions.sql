{#-
    Whether the table or view of a model has the definition that the project has now.

    A relation's comment is the description of its model, followed by a hash of the definition. So one
    statement tells for all models of a command which of them have to be created or documented again, and a
    run over unchanged models sends no DDL, no DESCRIBE and no query for the contract.
-#}

{#- A hash of the SQL and the documented columns. Only a view has the compiled SQL: a table's has the days. -#}
{% macro definition_hash() -%}
    {%- set parts = [compiled_code if model.config.materialized == 'view' else model.raw_code] -%}
    {%- do parts.append(model.description) -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append([column.name, column.data_type, column.description] | join(' ')) -%}
        {%- do parts.append(column.constraints | map(attribute='type') | join(' ')) -%}
    {%- endfor -%}
    {%- if governance_definition() -%}
        {%- do parts.append(governance_definition()) -%}
    {%- endif -%}
    {{ return(local_md5(parts | join('\n'))[:12]) }}
{%- endmacro %}

{% macro definition_comment() -%}
    {{ return(model.description | trim ~ ' [dbt ' ~ definition_hash() ~ ']') }}
{%- endmacro %}

{#- True if the relation exists with this comment. -#}
{% macro is_up_to_date(relation) -%}
    {%- set comments = command_state('comments') -%}
    {%- set schema = relation.without_identifier() | string -%}
    {%- if schema not in comments -%}
        {%- set rows = run_query(
            'select table_name, comment from ' ~ relation.information_schema('tables')
            ~ " where table_schema = upper('" ~ relation.schema ~ "')"
        ).rows -%}
        {%- set by_name = {} -%}
        {%- for name, comment in rows -%}{%- do by_name.update({name | upper: comment}) -%}{%- endfor -%}
        {%- do comments.update({schema: by_name}) -%}
    {%- endif -%}
    {{ return(comments[schema].get(relation.identifier | upper) == definition_comment()) }}
{%- endmacro %}

{% macro text_literal(text) -%}
    {{ return("'" ~ text | replace('\\', '\\\\') | replace("'", "''") ~ "'") }}
{%- endmacro %}

{#- Two statements: CREATE TABLE AS SELECT takes no comments. -#}
{% macro document_table(relation) %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append('column ' ~ column.name ~ ' comment ' ~ text_literal(column.description)) -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' alter ' ~ columns | join(', ')) -%}
    {%- do tag_columns(relation) -%}
    {%- do run_query('comment on table ' ~ relation ~ ' is ' ~ text_literal(definition_comment())) -%}
{% endmacro %}

{#- The columns of the contract, as names. -#}
{% macro contract_columns() -%}
    {{ return(model.columns.keys() | join(', ')) }}
{%- endmacro %}
