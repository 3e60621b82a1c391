{#- A reproducible mean: unlike with floats, the result does not depend on the order of the rows. -#}
{% macro exact_mean(value) -%}
    avg(({{ value }})::number(18, 9))::float
{%- endmacro %}
