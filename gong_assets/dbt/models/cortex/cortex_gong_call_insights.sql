-- depends_on: {{ source('cortex', 'gong_cortex_insights') }}
-- Calls without Gong topics or next steps.
with calls as (

    select call_id, call_date from {{ ref('stg_gong_calls') }}
    where {{ in_run_window('call_date') }} and (key_topics is null or next_steps is null)

),

dialogues as (

    select call_id, transcript_hash from {{ ref('int_gong_dialogues') }}
    where {{ in_run_window('call_date') }}

),

answers as (

    {{ cortex_answers('insights', ['insights'], ['answer_lists']) }}

)

select
    calls.call_id,
    calls.call_date,
    {%- for name in ['key_topics', 'next_steps', 'risks'] %}
    {{ json_list('results.answer_lists:' ~ name) }} as {{ name }},
    {%- endfor %}
    coalesce(answers.processed_by_cortex, false) as processed_by_cortex,
    answers.cortex_processed_at,
    coalesce(answers.cortex_attempts, 0) as cortex_attempts,
    answers.cortex_error,
    answers.cortex_request,
    dialogues.transcript_hash,
    {{ redacts_transcripts() }} as is_redacted,
    results.cortex_model as insights_model,
    results.enrichment_version
from calls
inner join dialogues on calls.call_id = dialogues.call_id
left join answers on calls.call_id = answers.call_id and dialogues.transcript_hash = answers.text_hash
{{ join_cortex_results('insights') }}
