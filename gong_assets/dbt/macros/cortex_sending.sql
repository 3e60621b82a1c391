{#-
    Sends texts to Cortex, in batches, after a model was built: the models of models/cortex hold a row for each text, with what
    was answered before, and their post-hooks update the rows that wait for an answer.

    A batch is one UPDATE. A function that fails for one text fails its statement, so that a whole batch is lost with it:
    those texts wait for the next attempt, which sends them in batches of a fiftieth of the size, and the last one sends them
    one by one. A text that fails alone is left, with its error, after `cortex_max_attempts`. What other batches answered stays.

    What is sent, and what it costs by estimate, is in GONG_CORTEX_BATCHES before it is sent.
-#}

{#-
    key          the model's key
    waiting      SQL of the texts that wait: REQUEST_ID (of the key), PART, SENT_TEXT, CALL_DATE, CORTEX_ATTEMPTS
    capabilities what they are sent to, see `cortex_function`
    answers      SQL of the answers to the rows of the CTE `batch`, with CORTEX_ERROR
    results      the columns of an answer
    batch_size   texts in a batch at the first attempt
-#}
{% macro send_to_cortex(key, waiting, capabilities, answers, results, batch_size) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set queue = this.incorporate(path={'identifier': this.identifier ~ '__cortex_queue'}) -%}
    {%- do run_query(create_cortex_batches()) -%}
    {%- do run_query(_forget_what_was_not_sent()) -%}
    {%- set spent = run_query(
        'select coalesce(sum(input_tokens + output_tokens), 0) from ' ~ cortex_batches() ~ ' where ' ~ _of_this_run()
        ~ " and status <> 'Over Budget'"
    ).columns[0][0] -%}
    {%- set tokens_left = cortex_token_budget() | int - spent | int -%}
    {%- do run_query(_create_queue(queue, waiting, capabilities, batch_size, tokens_left)) -%}
    {%- do run_query(_plan_batches(queue, capabilities)) -%}
    {%- set batches = _say_what_it_costs() -%}
    {%- do _say_what_no_run_sends(queue) -%}
    {%- if run_query('select count(*) from ' ~ queue ~ ' where batch is not null and cortex_attempts > 0').columns[0][0] > 0 -%}
        {#- If Cortex as such does not answer, no text should lose an attempt to it. -#}
        {%- do run_query("with batch as (select 'probe' as request_id, 0 as part, 'Good morning, and thank you.' as sent_text) "
            ~ answers) -%}
    {%- endif -%}
    {%- for batch in range(1, batches + 1) -%}
        {%- do log('Cortex: ' ~ this.identifier ~ ', batch ' ~ batch ~ ' of ' ~ batches, info=true) -%}
        {%- do run_query(_mark_attempt(queue, capabilities, key, batch)) -%}
        {%- do run_query(_set_status(batch, 'Sent')) -%}
        {%- do run_query(_send_batch(queue, answers, results, key, batch)) -%}
        {%- do run_query(_set_status(batch, 'Answered')) -%}
    {%- endfor -%}
    {%- do run_query('drop table if exists ' ~ queue) -%}
{% endmacro %}

{#- What the model holds, to carry over what was answered; no rows before it is first built. -#}
{% macro earlier_rows() -%}
    {%- if is_incremental() -%}
        {{ this }}
    {%- else -%}
        (
            select
                {%- for column in model.columns.values() %}
                null::{{ column.data_type }} as {{ column.name }}{{ ',' if not loop.last }}
                {%- endfor %}
            limit 0
        )
    {%- endif -%}
{%- endmacro %}

{#- Whether a row waits: it was never sent, or to other functions than now, or failed fewer times than it may. -#}
{% macro waits_for_cortex(row, capabilities) -%}
    (
        {{ row }}.cortex_request is distinct from '{{ cortex_request(capabilities) }}'
        or {{ row }}.cortex_error is not null and {{ row }}.cortex_attempts < {{ var('cortex_max_attempts') | int }}
    )
{%- endmacro %}

{#- Attempts count for what was asked for: another model begins anew. -#}
{% macro attempts_so_far(row, capabilities) -%}
    iff({{ row }}.cortex_request = '{{ cortex_request(capabilities) }}', {{ row }}.cortex_attempts, 0)
{%- endmacro %}

{#- The longest beginning of a text that each capability reads. A character is at most 4 tokens, whatever the script. -#}
{% macro cortex_cut(text, capabilities) -%}
    case
        {%- for characters in [none, 1500, 480] %}
        {%- set beginning = text if characters is none else 'left(' ~ text ~ ', ' ~ characters ~ ')' %}
        when
            {%- for capability in capabilities %}
            {{ 'and ' if not loop.first }}{{ cortex_tokens(capability, beginning) }} <= {{ cortex_function(capability).reads }}
            {%- endfor %}
            then {{ beginning }}
        {%- endfor %}
        else left({{ text }}, 110)
    end
{%- endmacro %}

{#-
    REQUEST_ID, PART and SENT_TEXT of lines in their order, as few parts as a capability reads at once. A tenth is left for what
    tokens two lines make where they meet. A part ends with the line that fills it, for which there is room too: a line that has
    more tokens than that, in a window as small as EXTRACT_ANSWER's, is cut.

    lines   SQL with REQUEST_ID, LINE_NUMBER, LINE
-#}
{% macro in_parts(lines, capability) -%}
    {%- set reads = (cortex_function(capability).reads * 0.9) | int -%}
    {%- set line_room = [reads // 2, 20000] | min -%}
    {%- set part_room = reads - line_room -%}
    select
        request_id,
        part,
        listagg(line, '\n') within group (order by line_number) as sent_text
    from (
        select
            request_id,
            line_number,
            iff(tokens > {{ line_room }}, left(line, {{ line_room // 4 }}), line) as line,
            floor((sum(least(tokens, {{ line_room }})) over (
                partition by request_id order by line_number rows between unbounded preceding and current row
            ) - least(tokens, {{ line_room }})) / {{ part_room }}) as part
        from (
            {#- A dialogue of so few characters is not worth counting. #}
            select
                *,
                iff(
                    sum(length(line) + 1) over (partition by request_id) <= {{ part_room // 4 }},
                    0,
                    coalesce({{ cortex_tokens(capability, "line || '\\n'") }}, 4 * length(line))
                ) as tokens
            from ({{ lines }}) as lines
        ) as counted_lines
    ) as placed_lines
    group by 1, 2
{%- endmacro %}

{#- Made here and not by a model: what was spent stays known, whatever is built anew. -#}
{% macro create_cortex_batches() %}
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

{#- Dagster's run and step, or the dbt command: what a token budget is for. -#}
{% macro cortex_run_key() -%}
    {{ (env_var('GONG_ASSETS_QUERY_TAG', '') or invocation_id) | replace("'", "''") }}
{%- endmacro %}

{% macro cortex_token_budget() -%}
    {{ (env_var('GONG_CORTEX_TOKEN_BUDGET', '') or var('cortex_token_budget')) | int }}
{%- endmacro %}

{% macro _of_this_run() -%}
    run_key = '{{ cortex_run_key() }}'
{%- endmacro %}

{#- A retry of this run finds what the attempt before it planned and did not reach. -#}
{% macro _forget_what_was_not_sent() %}
    delete from {{ cortex_batches() }}
    where {{ _of_this_run() }} and model_name = '{{ this.identifier }}' and status in ('Planned', 'Over Budget')
{% endmacro %}

{#-
    Texts that were never sent come first, so that one that fails does not stand in their way; of them the latest days. BATCH is
    NULL for what the budget leaves no room for.
-#}
{% macro _create_queue(queue, waiting, capabilities, batch_size, tokens_left) %}
    {#- Temporary: it holds what was said, and a run that fails leaves nothing of it behind. #}
    create or replace temporary table {{ queue }} as
    with waiting as (

        {{ waiting }}

    ),

    counted as (

        select
            *
            {%- for capability in capabilities %},
            coalesce({{ cortex_tokens(capability, 'sent_text') }}, length(sent_text))
            + {{ cortex_function(capability).adds }} as {{ capability }}_tokens
            {%- endfor %}
        from waiting

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
                    {{ capability }}_tokens + {{ cortex_tokens_written(capability, capability ~ '_tokens') }}
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
            sum(iff(tokens <= {{ tokens_left }}, tokens, 0)) over (
                order by cortex_attempts, call_date desc, request_id rows between unbounded preceding and current row
            ) as tokens_up_to_here,
            floor(
                (row_number() over (partition by cortex_attempts order by call_date desc, request_id) - 1)
                / iff(
                    cortex_attempts + 1 >= {{ var('cortex_max_attempts') | int }},
                    1,
                    greatest(1, floor({{ batch_size | int }} / power(50, cortex_attempts)))
                )
            ) as place,
            cortex_attempts
        from requests

    ),

    batched as (

        select
            request_id,
            tokens as request_tokens,
            iff(
                tokens <= {{ tokens_left }} and tokens_up_to_here <= {{ tokens_left }},
                dense_rank() over (order by cortex_attempts, place),
                null
            ) as batch
        from placed

    )

    select counted.*, batched.request_tokens, batched.batch
    from counted
    inner join batched on counted.request_id = batched.request_id
{% endmacro %}

{% macro _plan_batches(queue, capabilities) %}
    insert into {{ cortex_batches() }} (
        run_key, invocation_id, model_name, batch, function_name, cortex_model, calls, input_tokens, output_tokens,
        estimated_credits, estimated_dollars, status, planned_at
    )
    {%- for capability in capabilities %}
    {%- set function = cortex_function(capability) %}
    {%- set input_tokens = function.calls ~ ' * sum(' ~ capability ~ '_tokens)' %}
    {%- set output_tokens = function.calls ~ ' * sum(' ~ cortex_tokens_written(capability, capability ~ '_tokens') ~ ')' %}
    {%- set price = var('cortex_credits_per_million_tokens').get(function.name) %}
    {%- set credits = 'null' if price is none else '(' ~ input_tokens ~ ' + ' ~ output_tokens ~ ') / 1000000 * ' ~ price %}
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

{#- Says it in dbt's log, which is Dagster's too; the number of batches that are to be sent. -#}
{% macro _say_what_it_costs() -%}
    {%- set planned = run_query(
        'select status, function_name, sum(calls), sum(input_tokens + output_tokens), sum(estimated_credits),'
        ~ ' sum(estimated_dollars), coalesce(max(batch), 0) from ' ~ cortex_batches() ~ ' where ' ~ _of_this_run()
        ~ " and model_name = '" ~ this.identifier ~ "'"
        ~ " and status in ('Planned', 'Over Budget') group by 1, 2 order by 1 desc, 2"
    ) -%}
    {%- set batches = [0] -%}
    {%- for status, function, calls, tokens, credits, dollars, last in planned.rows -%}
        {%- set price = 'an unknown price' if credits is none else
            '%.4f credits ($%.2f)' | format(credits | float, dollars | float) -%}
        {%- do log(
            'Cortex: ' ~ this.identifier ~ (' sends ' if status == 'Planned' else ' leaves for another run, over the token budget of '
            ~ '{:,}'.format(cortex_token_budget() | int) ~ ': ') ~ '{:,}'.format(calls | int) ~ ' calls of ' ~ function
            ~ ', about ' ~ '{:,}'.format(tokens | int) ~ ' tokens and ' ~ price,
            info=true
        ) -%}
        {%- do batches.append(last | int) -%}
    {%- endfor -%}
    {{ return(batches | max) }}
{%- endmacro %}

{#- A text that is longer than a whole budget would wait for ever without a word. -#}
{% macro _say_what_no_run_sends(queue) -%}
    {%- set budget = cortex_token_budget() | int -%}
    {%- if budget > 0 -%}
        {%- set too_long = run_query(
            'select count(distinct request_id), max(request_tokens) from ' ~ queue ~ ' where request_tokens > ' ~ budget
        ).rows[0] -%}
        {%- if too_long[0] > 0 -%}
            {%- do exceptions.warn(
                'Cortex: ' ~ too_long[0] ~ ' of ' ~ this.identifier ~ ' alone cost up to ' ~ '{:,}'.format(too_long[1] | int)
                ~ ' tokens: no run sends them within its token budget of ' ~ '{:,}'.format(budget) ~ '.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Before it is sent: if its statement fails, or the process dies, the attempt was made. -#}
{% macro _mark_attempt(queue, capabilities, key, batch) %}
    update {{ this }}
    set
        cortex_attempts = iff(cortex_request = '{{ cortex_request(capabilities) }}', cortex_attempts, 0) + 1,
        cortex_request = '{{ cortex_request(capabilities) }}',
        cortex_error = 'No answer: the statement that sent it failed, or was cut off'
    where {{ key }} in (select request_id from {{ queue }} where batch = {{ batch }})
{% endmacro %}

{#- What a function did not answer leaves what an earlier request did. -#}
{% macro _send_batch(queue, answers, results, key, batch) %}
    {%- set table = this.identifier %}
    update {{ this }}
    set
        {%- for column in results %}
        {{ column }} = coalesce(answered.{{ column }}, {{ table }}.{{ column }}),
        {%- endfor %}
        cortex_error = answered.cortex_error,
        processed_by_cortex = {{ table }}.processed_by_cortex or answered.cortex_error is null,
        {%- if 'first_processed_at' in model.columns %}
        first_processed_at = coalesce(
            {{ table }}.first_processed_at, iff(answered.cortex_error is null, current_timestamp(), null)
        ),
        {%- endif %}
        cortex_processed_at = iff(answered.cortex_error is null, current_timestamp(), {{ table }}.cortex_processed_at)
    from (
        with batch as (

            select request_id, part, sent_text
            from {{ queue }}
            where batch = {{ batch }}

        )

        {{ answers }}
    ) as answered
    where {{ table }}.{{ key }} = answered.request_id
{% endmacro %}

{% macro _set_status(batch, status) %}
    update {{ cortex_batches() }}
    set status = '{{ status }}', {{ status | lower }}_at = current_timestamp()
    where
        {{ _of_this_run() }}
        and invocation_id = '{{ invocation_id }}'
        and model_name = '{{ this.identifier }}'
        and batch = {{ batch }}
{% endmacro %}
