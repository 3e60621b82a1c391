{#- Words as separated by white space. A bracket expression, as a backslash in a string literal is an escape. -#}
{% macro word_count(text) -%}
    regexp_count({{ text }}, '[^[:space:]]+')
{%- endmacro %}
