{#-
    Replaces the days of the run in one transaction.

    Rows that a run no longer produces are deleted from its days, so that a call that was deleted in Gong
    disappears from every layer. On other days only rows of the run's own calls are deleted. Otherwise a call
    that moved to another day would leave rows behind, such as topics that it no longer has. The model needs
    CALL_ID and CALL_DATE. Rows are ordered by day, so that Snowflake prunes by it.
-#}
{% macro replace_days(target, source) %}
    {#- By name, because source() fails in models that do not depend on it directly. -#}
    {%- set calls = target.incorporate(path={'identifier': 'gong_calls_raw'}) -%}
    {%- set statements = ['delete from ' ~ target ~ ' where ' ~ in_run_window('call_date')] -%}
    {%- if run_has_window() -%}
        {#- A statement of its own, because with OR Snowflake would not prune the partitions of other days. -#}
        {%- do statements.append(
            'delete from ' ~ target ~ ' where call_id in (select call_id from ' ~ source
            ~ ' union select call_id from ' ~ calls ~ ' where ' ~ in_run_window('call_date') ~ ')'
        ) -%}
    {%- endif -%}
    {%- do statements.append(
        'insert into ' ~ target ~ ' (' ~ contract_columns() ~ ') select ' ~ contract_columns() ~ ' from ' ~ source
        ~ ' order by call_date'
    ) -%}
    {%- do run_in_transaction(statements) -%}
{% endmacro %}
