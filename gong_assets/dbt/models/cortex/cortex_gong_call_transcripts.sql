{%- set embedding = 'embedding_' ~ embedding_dimension() -%}
-- depends_on: {{ source('cortex', 'gong_cortex_segments') }}
with segments as (

    select
        transcript_id,
        call_id,
        call_date,
        word_count < {{ var('cortex_min_words') | int }} as is_too_short,
        content_hash
    from {{ ref('stg_gong_call_transcripts') }}
    where {{ in_run_window('call_date') }}

),

states as (

    {{ cortex_answers('segments', ['sentiment', 'embedding'], ['sentiment', embedding]) }}

),

answers as (

    select segments.*, states.* exclude (call_id)
    from segments
    left join states
        on segments.call_id = states.call_id
        and segments.content_hash = states.text_hash
        and not segments.is_too_short

)

-- Segments with results and those without, so that no vector passes through an outer join.
{%- for has_result in [true, false] %}
{{ 'union all' if not has_result }}
select
    answers.transcript_id,
    answers.call_id,
    answers.call_date,
    answers.is_too_short,
    {{ 'results.sentiment' if has_result else 'null::float' }} as segment_sentiment,
    {{ 'results.' ~ embedding if has_result else 'null::vector(float, ' ~ embedding_dimension() ~ ')' }}
        as transcript_embedding,
    coalesce(answers.processed_by_cortex, false) as processed_by_cortex,
    answers.cortex_processed_at,
    coalesce(answers.cortex_attempts, 0) as cortex_attempts,
    answers.cortex_error,
    answers.cortex_request,
    answers.content_hash,
    {{ 'results.cortex_model' if has_result else 'null::varchar' }} as embedding_model,
    {{ 'results.enrichment_version' if has_result else 'null::varchar' }} as enrichment_version
from answers
{%- if has_result %}
{{ join_cortex_results('segments', 'inner') }}
{%- else %}
where answers.result_batch_id is null
{%- endif %}
{%- endfor %}
