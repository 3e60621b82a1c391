{#-
    Sends texts to Cortex in batches. The models in models/cortex have a row for each text with its previous
    results, and their post-hooks update the pending rows.

    A batch is one UPDATE. If a function fails for one text, the whole statement fails. Its texts are then
    sent again in batches of a fiftieth of the size, and one by one in the last attempt. After
    `cortex_max_attempts` the error is final. The results of other batches are kept.

    Each batch is recorded in GONG_CORTEX_BATCHES, with its estimated cost, before it is sent.
-#}

{#-
    key             key column of the model
    pending         SQL of the pending texts: REQUEST_ID (the key), PART, SENT_TEXT, CALL_DATE and
                    CORTEX_ATTEMPTS
    capabilities    see `cortex_function`
    results         SQL of the results for the CTE `batch`, with CORTEX_ERROR
    result_columns  columns of a result
    batch_size      texts per batch in the first attempt
-#}
{% macro send_to_cortex(key, pending, capabilities, results, result_columns, batch_size) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set queue = this.incorporate(path={'identifier': this.identifier ~ '__cortex_queue'}) -%}
    {%- do create_cortex_batches() -%}
    {%- do run_query(_create_queue(queue, pending, capabilities, batch_size)) -%}
    {%- set texts, oversized, largest, retries = run_query(_count_queue(queue)).rows[0] -%}
    {%- if texts == 0 -%}{{ return('') }}{%- endif -%}
    {%- do run_query(delete_unsent_batches()) -%}
    {%- do run_query(_plan_batches(queue, capabilities)) -%}
    {%- set batches = log_cost_estimate() -%}
    {%- do warn_oversized_texts(oversized, largest) -%}
    {%- if retries > 0 -%}
        {#- Probe first, so that a Cortex outage does not use up attempts. -#}
        {%- set text = "'Good morning, and thank you.'" -%}
        {%- set probe = "select 'probe' as request_id, 0 as part, " ~ text ~ ' as sent_text' -%}
        {%- do run_query('with batch as (' ~ probe ~ ') ' ~ results) -%}
    {%- endif -%}
    {%- for batch in range(1, batches + 1) -%}
        {%- do log('Cortex: ' ~ this.identifier ~ ', batch ' ~ batch ~ ' of ' ~ batches, info=true) -%}
        {%- do run_query(_record_attempt(queue, capabilities, key, batch)) -%}
        {%- do run_query(_set_status(batch, 'Sent')) -%}
        {%- do run_query(_send_batch(queue, results, result_columns, key, batch)) -%}
        {%- do run_query(_set_status(batch, 'Answered')) -%}
    {%- endfor -%}
    {#- The queue has transcript text, which need not stay until the session ends. -#}
    {%- do run_query('drop table if exists ' ~ queue) -%}
{% endmacro %}

{#-
    Texts that were never sent come first, so that failing texts do not block them, and the latest days before
    earlier ones. BATCH is NULL for texts that exceed the budget.
-#}
{% macro _create_queue(queue, pending, capabilities, batch_size) %}
    {#- Temporary, so that a failed run leaves no transcript text behind. #}
    create or replace temporary table {{ queue }} as
    with budget as (

        {{ cortex_tokens_left() }}

    ),

    pending as (

        {{ pending }}

    ),

    counted as (

        select
            *
            {%- for capability in capabilities %},
            coalesce({{ cortex_tokens(capability, 'sent_text') }}, length(sent_text))
            + {{ cortex_function(capability).overhead_tokens }} as {{ capability }}_tokens
            {%- endfor %}
        from pending

    ),

    requests as (

        select
            request_id,
            max(call_date) as call_date,
            max(cortex_attempts) as cortex_attempts,
            sum(
                {%- for capability in capabilities %}
                {%- set function = cortex_function(capability) %}
                {{ '+ ' if not loop.first }}{{ function.calls }} * (
                    {{ capability }}_tokens + {{ cortex_output_tokens(capability, capability ~ '_tokens') }}
                )
                {%- endfor %}
            ) as tokens
        from counted
        group by 1

    ),

    placed as (

        select
            request_id,
            tokens,
            sum(iff(tokens <= tokens_left, tokens, 0)) over (
                order by cortex_attempts, call_date desc, request_id
                rows between unbounded preceding and current row
            ) as cumulative_tokens,
            floor(
                (row_number() over (partition by cortex_attempts order by call_date desc, request_id) - 1)
                / iff(
                    cortex_attempts + 1 >= {{ var('cortex_max_attempts') | int }},
                    1,
                    greatest(1, floor({{ batch_size | int }} / power(50, cortex_attempts)))
                )
            ) as place,
            cortex_attempts,
            tokens_left
        from requests
        cross join budget

    ),

    batched as (

        select
            request_id,
            tokens as request_tokens,
            iff(
                tokens <= tokens_left and cumulative_tokens <= tokens_left,
                dense_rank() over (order by cortex_attempts, place),
                null
            ) as batch
        from placed

    )

    select counted.*, batched.request_tokens, batched.batch
    from counted
    inner join batched on counted.request_id = batched.request_id
{% endmacro %}

{#- The texts in the queue; those that exceed a whole budget, with the largest; and those sent before. -#}
{% macro _count_queue(queue) %}
    {%- set budget = cortex_token_budget() | int %}
    select
        count(*),
        count(distinct iff(request_tokens > {{ budget }}, request_id, null)),
        max(request_tokens),
        count(iff(batch is not null and cortex_attempts > 0, 1, null))
    from {{ queue }}
{% endmacro %}

{#-
    Runs before the batch is sent, so that the attempt counts even if the statement fails or the process dies.
-#}
{% macro _record_attempt(queue, capabilities, key, batch) %}
    update {{ this }}
    set
        cortex_attempts = iff(cortex_request = '{{ cortex_request(capabilities) }}', cortex_attempts, 0) + 1,
        cortex_request = '{{ cortex_request(capabilities) }}',
        cortex_error = 'No result: the statement failed or was interrupted'
    where {{ key }} in (select request_id from {{ queue }} where batch = {{ batch }})
{% endmacro %}

{#- Missing results keep those of earlier requests. -#}
{% macro _send_batch(queue, results, result_columns, key, batch) %}
    {%- set table = this.identifier %}
    update {{ this }}
    set
        {%- for column in result_columns %}
        {{ column }} = coalesce(answered.{{ column }}, {{ table }}.{{ column }}),
        {%- endfor %}
        cortex_error = answered.cortex_error,
        processed_by_cortex = {{ table }}.processed_by_cortex or answered.cortex_error is null,
        {%- if 'first_processed_at' in model.columns %}
        first_processed_at = coalesce(
            {{ table }}.first_processed_at, iff(answered.cortex_error is null, current_timestamp(), null)
        ),
        {%- endif %}
        cortex_processed_at = iff(
            answered.cortex_error is null, current_timestamp(), {{ table }}.cortex_processed_at
        )
    from (
        with batch as (

            select request_id, part, sent_text
            from {{ queue }}
            where batch = {{ batch }}

        )

        {{ results }}
    ) as answered
    where {{ table }}.{{ key }} = answered.request_id
{% endmacro %}
