{#-
    What the models know of Cortex: the answers by content, which gong_assets/cortex keeps, and the request
    that an answer is for.
-#}

{% macro cortex_table(name) -%}
    {{ target.database }}.{{ target.schema }}.gong_cortex_{{ name }}
{%- endmacro %}

{#-
    What the results of capabilities depend on. If it changes, texts are sent again. `Functions.request` in
    gong_assets/cortex/functions.py returns the same.
-#}
{% macro cortex_request(capabilities) -%}
    {%- set functions = _validated_choice('cortex_family', var('cortex_family'), {
        'current': {'summary': 'ai_summarize_agg', 'insights': 'ai_extract'},
        'legacy': {'summary': 'summarize', 'insights': 'extract_answer'},
    }) -%}
    {%- set sentiments = {'sentiment': 'sentiment', 'ai_sentiment': 'ai_sentiment'} -%}
    {%- set parts = dict(
        functions,
        sentiment=_validated_choice('cortex_sentiment_function', var('cortex_sentiment_function'), sentiments),
        embedding=var('embedding_model'),
        redaction='ai_redact',
    ) -%}
    {%- set request = [] -%}
    {%- for capability in capabilities -%}{%- do request.append(parts[capability]) -%}{%- endfor -%}
    {{ (request + ['version ' ~ var('enrichment_version')]) | join(', ') }}
{%- endmacro %}

{#- True if a row is pending: never sent, sent with another request, or failed with attempts left. -#}
{% macro needs_cortex(row, capabilities) -%}
    (
        {{ row }}.cortex_request is distinct from '{{ cortex_request(capabilities) }}'
        or {{ row }}.cortex_error is not null
        and {{ row }}.cortex_attempts < {{ var('cortex_max_attempts') | int }}
    )
{%- endmacro %}

{#-
    The state of each text of the run's days: CALL_ID and TEXT_HASH, its last attempt, and RESULT_BATCH_ID, the
    batch with its newest results, which `cortex_results` has. A text keeps the results of an earlier request
    until it has new ones. Vectors and texts are not read here, so none of them is sorted.

    results     columns of the answers of which one is not NULL in a result
-#}
{% macro cortex_answers(enrichment, capabilities, results) -%}
    {%- set of_enrichment = "enrichment = '" ~ enrichment ~ "' and " ~ in_run_window('call_date') -%}
    {%- set is_current = "iff(cortex_request = '" ~ cortex_request(capabilities) ~ "', 0, 1)" -%}
    select
        attempts.call_id,
        attempts.text_hash,
        newest.batch_id as result_batch_id,
        newest.cortex_processed_at is not null as processed_by_cortex,
        newest.cortex_processed_at,
        attempts.attempt::number(38, 0) as cortex_attempts,
        -- The answer of an attempt can arrive after its process died and a later attempt was interrupted.
        case
            when newest.is_answered then null
            when outcomes.batch_id is null then 'No result: the statement failed or was interrupted'
            else outcomes.cortex_error
        end as cortex_error,
        attempts.cortex_request
    from (
        select call_id, text_hash, cortex_request, attempt, batch_id
        from {{ cortex_table('attempts') }}
        where {{ of_enrichment }}
        qualify row_number() over (
            partition by call_id, text_hash order by {{ is_current }}, attempt desc, attempted_at desc
        ) = 1
    ) as attempts
    left join (
        select call_id, text_hash, batch_id, cortex_error
        from {{ cortex_table('answers') }}
        where {{ of_enrichment }}
    ) as outcomes
        on attempts.call_id = outcomes.call_id
        and attempts.text_hash = outcomes.text_hash
        and attempts.batch_id = outcomes.batch_id
    left join (
        select
            call_id,
            text_hash,
            batch_id,
            cortex_error is null and {{ is_current }} = 0 as is_answered,
            max(iff(cortex_error is null, answered_at, null)) over (partition by call_id, text_hash)
                as cortex_processed_at
        from {{ cortex_table('answers') }}
        where
            {{ of_enrichment }}
            and (cortex_error is null or {{ results | join(' is not null or ') }} is not null)
        qualify row_number() over (
            partition by call_id, text_hash
            order by {{ is_current }}, iff(cortex_error is null, 0, 1), answered_at desc
        ) = 1
    ) as newest
        on attempts.call_id = newest.call_id and attempts.text_hash = newest.text_hash
{%- endmacro %}

{#- The join of the newest results, as `results`, to the CTE `answers` with the rows of `cortex_answers`. -#}
{% macro join_cortex_results(enrichment, kind='left') -%}
    {{ kind }} join {{ cortex_table('answers') }} as results
        on results.enrichment = '{{ enrichment }}'
        and {{ in_run_window('results.call_date') }}
        and answers.call_id = results.call_id
        and answers.text_hash = results.text_hash
        and answers.result_batch_id = results.batch_id
{%- endmacro %}

{#- The dimension of the var embedding_model. -#}
{% macro embedding_dimension() -%}
    {{ return(_validated_choice('embedding_model', var('embedding_model'), var('embedding_models')).dimension) }}
{%- endmacro %}

{% macro _validated_choice(name, value, choices) -%}
    {%- if value not in choices -%}
        {%- do exceptions.raise_compiler_error(
            name ~ " is '" ~ value ~ "'; it must be one of: " ~ choices | join(', ')
        ) -%}
    {%- endif -%}
    {{ return(choices[value]) }}
{%- endmacro %}
