"""Sources of Gong's records that another product has loaded into Snowflake: Airbyte, Fivetran, Gong's share.

One module per source has the SQL that turns its tables into rows of the raw tables. `source.py` says which
columns those queries have, and `adoption.py` lands them.
"""
