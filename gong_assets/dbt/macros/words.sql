{#-
    Words as separated by white space. Japanese, Chinese and Thai have none: of their characters two count as a word, so that
    200 words of them are at most about 400 tokens, as an English embedding model reads a token for each (BERT's tokenizer,
    https://github.com/google-research/bert/blob/master/multilingual.md). The models read 512.

    Bracket expressions, as a backslash in a string literal is an escape.
-#}
{% macro word_count(text) -%}
    {%- set unspaced = '、-ヿ㐀-鿿！-ﾟ฀-๿' -%}
    regexp_count({{ text }}, '[{{ unspaced }}]{1,2}|[^[:space:]{{ unspaced }}]+')
{%- endmacro %}
