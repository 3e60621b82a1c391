{#- A mean that does not depend on the order of the rows, as that of floats does: the same rows give the same number. -#}
{% macro exact_mean(value) -%}
    avg(({{ value }})::number(18, 9))::float
{%- endmacro %}
