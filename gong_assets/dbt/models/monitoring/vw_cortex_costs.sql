-- The billed usage is in SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY, by QUERY_TAG.
select
    sha2(run_key || model_name || function_name || status, 256) as cost_id,
    coalesce(try_parse_json(run_key):run_id::varchar, run_key) as run_id,
    model_name,
    function_name,
    max(cortex_model) as cortex_model,
    status,
    count(*)::number(38, 0) as batches,
    sum(calls)::number(38, 0) as calls,
    sum(input_tokens)::number(38, 0) as input_tokens,
    sum(output_tokens)::number(38, 0) as output_tokens,
    sum(estimated_credits)::float as estimated_credits,
    sum(estimated_dollars)::float as estimated_dollars,
    min(planned_at)::timestamp_ltz as planned_at,
    max(answered_at)::timestamp_ltz as answered_at
from {{ cortex_table('batches') }}
group by run_key, model_name, function_name, status
