{{ config(
    materialized='incremental', on_schema_change='append_new_columns', tags=['partitioned'],
    cluster_by=['call_date']
) }}
{#-
    What is said about a call does not change until its day is built again, so it is kept by day: no question
    reads the segments of all calls. A view adds what depends on the deal and on today.
-#}
-- The worst negative segments of customers.
with segments as (

    select
        staged.call_id,
        staged.call_date,
        staged.transcript_id,
        staged.start_time_seconds,
        staged.transcript_text,
        enriched.segment_sentiment
    from ({{ visible_segments() }}) as staged
    inner join {{ ref('cortex_gong_call_transcripts') }} as enriched
        on staged.transcript_id = enriched.transcript_id
        and staged.content_hash = enriched.content_hash
        and {{ in_run_window('enriched.call_date') }}
    where {{ is_risk_segment('staged.speaker_type', 'enriched.segment_sentiment') }}
    qualify row_number() over (
        partition by staged.call_id order by enriched.segment_sentiment, staged.transcript_id
    ) <= {{ var('risk_segments_per_call') | int }}

),

risk_trackers as (

    select * from {{ ref('stg_gong_call_topics') }}
    where
        {{ in_run_window('call_date') }}
        and topic_category = 'Tracker'
        and mention_count > 0
        and {{ is_risk_tracker('topic_name') }}

),

occurrences as (

    select
        topic_id,
        count_if(not {{ is_customer('speaker_type') }}) as own_mention_count,
        min(iff({{ is_customer('speaker_type') }}, started_at_seconds, null)) as first_mentioned_at_seconds
    from {{ ref('stg_gong_call_tracker_occurrences') }}
    where topic_id in (select topic_id from risk_trackers)
    group by 1

),

-- Gong also counts what the own team said, and does not list all mentions with their speakers.
trackers as (

    select
        risk_trackers.call_id,
        risk_trackers.call_date,
        risk_trackers.topic_id,
        risk_trackers.topic_name,
        {%- if var('risk_trackers_of_own_team') %}
        risk_trackers.mention_count,
        risk_trackers.first_mentioned_at_seconds
        {%- else %}
        risk_trackers.mention_count - coalesce(occurrences.own_mention_count, 0) as mention_count,
        iff(
            occurrences.own_mention_count > 0,
            occurrences.first_mentioned_at_seconds, risk_trackers.first_mentioned_at_seconds
        ) as first_mentioned_at_seconds
        {%- endif %}
    from risk_trackers
    left join occurrences on risk_trackers.topic_id = occurrences.topic_id

),

-- Risks that Cortex extracted from calls without Gong topics or next steps.
extracted as (

    select
        insights.call_id,
        insights.call_date,
        item.index as risk_number,
        item.value::varchar as detail
    from {{ ref('cortex_gong_call_insights') }} as insights,
        lateral flatten(input => {{ visible_result('insights', 'risks') }}) as item
    where {{ in_run_window('insights.call_date') }}

)

select
    transcript_id || '_segment' as risk_id,
    call_id,
    call_date,
    'Negative Segment' as risk,
    transcript_text as detail,
    start_time_seconds as at_seconds,
    segment_sentiment as sentiment,
    transcript_id,
    null::varchar as topic_id,
    {{ redacts_transcripts() }} as is_redacted
from segments

union all

select
    topic_id || '_tracker' as risk_id,
    call_id,
    call_date,
    'Tracker' as risk,
    topic_name || ' (' || mention_count::varchar || ')' as detail,
    first_mentioned_at_seconds as at_seconds,
    null::float as sentiment,
    null::varchar as transcript_id,
    topic_id,
    true as is_redacted
from trackers
where mention_count > 0

union all

select
    call_id || '_extracted_' || risk_number::varchar as risk_id,
    call_id,
    call_date,
    'Extracted Risk' as risk,
    detail,
    null::float as at_seconds,
    null::float as sentiment,
    null::varchar as transcript_id,
    null::varchar as topic_id,
    {{ redacts_transcripts() }} as is_redacted
from extracted
