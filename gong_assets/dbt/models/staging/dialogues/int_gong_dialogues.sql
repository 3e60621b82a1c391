select
    call_id,
    call_date,
    sha2(listagg(line, '\n') within group (order by line_number), 256) as transcript_hash
from {{ ref('int_gong_dialogue_lines') }}
group by 1, 2
having sum(word_count) >= {{ var('cortex_min_words') | int }} and count(*) = count(line)
