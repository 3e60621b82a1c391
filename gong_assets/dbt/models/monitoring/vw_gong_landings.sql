-- Landing writes the table below together with the rows of each raw table. It is no source: no asset makes it alone.
select table_name, landed_at as last_read_at, correlation_id
from {{ target.database }}.{{ target.schema }}.gong_raw_landings
