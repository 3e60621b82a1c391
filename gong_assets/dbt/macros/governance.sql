{#-
    Tags and policies of a model, as the `meta` of its .yml file says: `personal_data` of a column, and
    `row_access` of a model with rows of private calls. `gong-assets provision` declares them. They are part of
    the statement that creates a view, so it is never without them.
-#}
{% macro governs() -%}
    {{ return(env_var('GONG_PROVISIONED', 'false') == 'true') }}
{%- endmacro %}

{% macro _place(name) -%}
    {{ return(model.database ~ '.' ~ model.schema ~ '.' ~ name) }}
{%- endmacro %}

{#- The tag of a column, or nothing. -#}
{% macro column_tag(column) -%}
    {%- set value = (column.config.meta if column.config else column.meta).get('personal_data') -%}
    {%- if value and governs() -%}
        {{ return(_place('personal_data') ~ ' = ' ~ text_literal(value)) }}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}

{#- The clause of CREATE VIEW, or nothing. -#}
{% macro row_access_clause() -%}
    {%- set access = model.config.meta.get('row_access') -%}
    {%- if access and governs() -%}
        {{ return('with row access policy ' ~ _place(access.policy) ~ ' on (' ~ access.columns | join(', ') ~ ')') }}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}

{#- The tags and policies as text, which is part of the definition. -#}
{% macro governance_definition() -%}
    {%- set parts = [row_access_clause()] -%}
    {%- for column in model.columns.values() -%}
        {%- do parts.append(column_tag(column)) -%}
    {%- endfor -%}
    {{ return(parts | select | join('\n')) }}
{%- endmacro %}

{#- Sets the tags of a table that was created or changed. -#}
{% macro tag_columns(table) %}
    {%- set changes = [] -%}
    {%- for column in model.columns.values() if column_tag(column) -%}
        {%- do changes.append('modify column ' ~ column.name ~ ' set tag ' ~ column_tag(column)) -%}
    {%- endfor -%}
    {%- for change in changes -%}
        {%- do run_query('alter table ' ~ table ~ ' ' ~ change) -%}
    {%- endfor -%}
{% endmacro %}

{#-
    An embedding for the readers of a view: NULL in a provisioned account. A masking policy cannot hide a vector,
    and a text can partly be reconstructed from it.
-#}
{% macro readable_embedding(column) -%}
    {{ return('null::vector(float, ' ~ embedding_dimension() ~ ')' if governs() else column) }}
{%- endmacro %}
