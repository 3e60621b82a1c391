-- Each landing updates this table together with its raw table. It is not a source, because no asset owns it.
select table_name, landed_at as last_read_at, correlation_id
from {{ target.database }}.{{ target.schema }}.gong_raw_landings
