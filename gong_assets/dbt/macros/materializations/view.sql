{#- A view is created if its definition changed. -#}
{% materialization view, adapter='snowflake' %}
    {%- do set_query_tag() -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none and existing.is_view and is_up_to_date(target) -%}
        {%- do store_raw_result('main', message='UNCHANGED', code='UNCHANGED', rows_affected=0) -%}
    {%- else -%}
        {%- if existing is not none and not existing.is_view -%}
            {%- do adapter.drop_relation(existing) -%}
        {%- endif -%}
        {%- do get_assert_columns_equivalent(sql) -%}
        {%- set columns = [] -%}
        {%- for column in model.columns.values() -%}
            {%- set tag = column_tag(column) -%}
            {%- set tagged = ' with tag (' ~ tag ~ ')' if tag else '' -%}
            {%- do columns.append(column.name ~ tagged ~ ' comment ' ~ text_literal(column.description)) -%}
        {%- endfor -%}
        {%- call statement('main') -%}
            create or replace view {{ target }} (
                {{ columns | join(',\n                ') }}
            )
            {{ row_access_clause() }}
            copy grants
            comment = {{ text_literal(definition_comment()) }}
            as
            {{ get_select_subquery(sql) }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
