{#-
    Number of words, separated by white space. Japanese, Chinese and Thai have no white space, so two of their
    characters count as a word. 200 such words are at most about 400 tokens, because an English embedding
    model reads a token per character, and the models read 512 tokens.
    https://github.com/google-research/bert/blob/master/multilingual.md

    Bracket expressions are used because a backslash is an escape in string literals.
-#}
{% macro word_count(text) -%}
    {%- set unspaced = '、-ヿ㐀-鿿！-ﾟ฀-๿' -%}
    regexp_count({{ text }}, '[{{ unspaced }}]{1,2}|[^[:space:]{{ unspaced }}]+')
{%- endmacro %}
