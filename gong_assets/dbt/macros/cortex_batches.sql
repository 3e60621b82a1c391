{#- The table GONG_CORTEX_BATCHES: planned and sent batches, their estimated costs, and the token budget. -#}

{#- Not a model, so that the record of spending survives every rebuild. -#}
{% macro create_cortex_batches() %}
    {%- set name = 'gong_cortex_batches' -%}
    {%- set tables = command_state('tables') -%}
    {%- if name not in tables and load_cached_relation(this.incorporate(path={'identifier': name})) is none -%}
        {%- do run_query(_create_batches_statement()) -%}
    {%- endif -%}
    {%- do tables.update({name: true}) -%}
{% endmacro %}

{% macro _create_batches_statement() %}
    create table if not exists {{ cortex_batches() }} (
        run_key varchar,
        invocation_id varchar,
        model_name varchar,
        batch number(38, 0),
        function_name varchar,
        cortex_model varchar,
        calls number(38, 0),
        input_tokens number(38, 0),
        output_tokens number(38, 0),
        estimated_credits float,
        estimated_dollars float,
        status varchar,
        planned_at timestamp_ltz,
        sent_at timestamp_ltz,
        answered_at timestamp_ltz
    )
{% endmacro %}

{% macro cortex_batches() -%}
    {{ target.database }}.{{ target.schema }}.gong_cortex_batches
{%- endmacro %}

{#- The scope of the token budget: the Dagster run and step, or the dbt invocation. -#}
{% macro cortex_run_key() -%}
    {{ (env_var('GONG_ASSETS_QUERY_TAG', '') or invocation_id) | replace("'", "''") }}
{%- endmacro %}

{% macro _is_current_run() -%}
    run_key = '{{ cortex_run_key() }}'
{%- endmacro %}

{% macro cortex_token_budget() -%}
    {{ (env_var('GONG_CORTEX_TOKEN_BUDGET', '') or var('cortex_token_budget')) | int }}
{%- endmacro %}

{#-
    SQL of the tokens that this run may still send: a row with TOKENS_LEFT. The batches that were planned and
    not sent are those of an attempt that failed.
-#}
{% macro cortex_tokens_left() -%}
    select {{ cortex_token_budget() }} - coalesce(sum(input_tokens + output_tokens), 0) as tokens_left
    from {{ cortex_batches() }}
    where
        {{ _is_current_run() }}
        and status <> 'Over Budget'
        and not (model_name = '{{ this.identifier }}' and status = 'Planned')
{%- endmacro %}

{#- A retry of this run plans these batches again. -#}
{% macro delete_unsent_batches() %}
    delete from {{ cortex_batches() }}
    where
        {{ _is_current_run() }}
        and model_name = '{{ this.identifier }}'
        and status in ('Planned', 'Over Budget')
{% endmacro %}

{% macro _plan_batches(queue, capabilities) %}
    insert into {{ cortex_batches() }} (
        run_key, invocation_id, model_name, batch, function_name, cortex_model, calls, input_tokens,
        output_tokens, estimated_credits, estimated_dollars, status, planned_at
    )
    {%- for capability in capabilities %}
    {%- set function = cortex_function(capability) %}
    {%- set input_tokens = function.calls ~ ' * sum(' ~ capability ~ '_tokens)' %}
    {%- set output_tokens = cortex_output_tokens(capability, capability ~ '_tokens') %}
    {%- set output_tokens = function.calls ~ ' * sum(' ~ output_tokens ~ ')' %}
    {%- set price = var('cortex_credits_per_million_tokens').get(function.name) %}
    {%- set tokens = '(' ~ input_tokens ~ ' + ' ~ output_tokens ~ ')' %}
    {%- set credits = 'null' if price is none else tokens ~ ' / 1000000 * ' ~ price %}
    {{ 'union all' if not loop.first }}
    select
        '{{ cortex_run_key() }}',
        '{{ invocation_id }}',
        '{{ this.identifier }}',
        batch,
        '{{ function.name }}',
        nullif('{{ function.model }}', ''),
        {{ function.calls }} * count(*),
        {{ input_tokens }},
        {{ output_tokens }},
        {{ credits }},
        {{ credits }} * {{ var('cortex_dollars_per_credit') }},
        iff(batch is null, 'Over Budget', 'Planned'),
        current_timestamp()
    from {{ queue }}
    group by batch
    {%- endfor %}
{% endmacro %}

{#- Logs the planned calls with their estimated cost, and returns the number of batches to send. -#}
{% macro log_cost_estimate() -%}
    {%- set planned = run_query(
        'select status, function_name, sum(calls), sum(input_tokens + output_tokens), sum(estimated_credits),'
        ~ ' sum(estimated_dollars), coalesce(max(batch), 0) from ' ~ cortex_batches()
        ~ ' where ' ~ _is_current_run() ~ " and model_name = '" ~ this.identifier ~ "'"
        ~ " and status in ('Planned', 'Over Budget') group by 1, 2 order by 1 desc, 2"
    ) -%}
    {%- set batches = [0] -%}
    {%- for status, function, calls, tokens, credits, dollars, last in planned.rows -%}
        {%- set price = 'an unknown price' if credits is none else
            '%.4f credits ($%.2f)' | format(credits | float, dollars | float) -%}
        {%- do log(
            'Cortex: ' ~ this.identifier ~ (
                ' sends ' if status == 'Planned' else ' exceeds the token budget of '
                ~ '{:,}'.format(cortex_token_budget() | int) ~ ' and defers '
            ) ~ '{:,}'.format(calls | int) ~ ' calls of ' ~ function
            ~ ', about ' ~ '{:,}'.format(tokens | int) ~ ' tokens and ' ~ price,
            info=true
        ) -%}
        {%- do batches.append(last | int) -%}
    {%- endfor -%}
    {{ return(batches | max) }}
{%- endmacro %}

{#- Warns about texts that exceed a whole budget, which would otherwise stay pending silently. -#}
{% macro warn_oversized_texts(oversized, largest) -%}
    {%- set budget = cortex_token_budget() | int -%}
    {%- if budget > 0 and oversized > 0 -%}
        {%- do exceptions.warn(
            'Cortex: ' ~ oversized ~ ' texts of ' ~ this.identifier ~ ' need up to '
            ~ '{:,}'.format(largest | int) ~ ' tokens each. No run can send them within its'
            ~ ' token budget of ' ~ '{:,}'.format(budget) ~ '.'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro _set_status(batch, status) %}
    update {{ cortex_batches() }}
    set status = '{{ status }}', {{ status | lower }}_at = current_timestamp()
    where
        {{ _is_current_run() }}
        and invocation_id = '{{ invocation_id }}'
        and model_name = '{{ this.identifier }}'
        and batch = {{ batch }}
{% endmacro %}
