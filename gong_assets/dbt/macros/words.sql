{#-
    Words of any script. A sentence in Japanese, Chinese, Thai, Lao, Tibetan, Burmese or Khmer has no blanks
    between its words.

    Bracket expressions are used because a backslash is an escape in string literals.
-#}

{#- The characters of scripts without blanks between words, as ranges of a bracket expression. -#}
{% macro _unspaced_characters() -%}
    {{ return('\u3001-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff9f\u0e00-\u109f\u1780-\u17ff\u1980-\u1aaf'
        ~ '\ua9e0-\ua9ff\uaa60-\uaa7f') }}
{%- endmacro %}

{#-
    Number of words. Two characters of a script without blanks count as a word. 200 such words are at most
    about 400 tokens, because an English embedding model reads a token per character, and the models read 512
    tokens.
    https://github.com/google-research/bert/blob/master/multilingual.md
-#}
{% macro word_count(text) -%}
    {%- set unspaced = _unspaced_characters() -%}
    regexp_count({{ text }}, '[{{ unspaced }}]{1,2}|[^[:space:]{{ unspaced }}]+')
{%- endmacro %}

{#-
    The words of a text in lower case, between single blanks, without accents and punctuation. A run of
    Katakana is a word of its own, as are other Japanese and Chinese characters between them.
-#}
{% macro plain_words(text) -%}
    {%- set characters = word_characters() -%}
    {%- set letters = namespace(sql='lower(' ~ text ~ ')') -%}
    {%- for ligature, two in characters.ligatures.items() -%}
        {%- set letters.sql = "replace(" ~ letters.sql ~ ", '" ~ ligature ~ "', '" ~ two ~ "')" -%}
    {%- endfor -%}
    {#- Most texts are of ASCII characters, for which the long table is not needed. -#}
    regexp_replace(
        ' ' || case
            when regexp_count({{ text }}, '[^ -~]') = 0
                then translate(lower({{ text }}), {{ _table(_ascii_separators()) }})
            else regexp_replace(
                translate(
                    {{ letters.sql }},
                    {{ _table(characters.separators, characters.letters, characters.counterparts,
                              characters.accents) }}
                ),
                '{{ _japanese_words() }}', ' \\1 '
            )
        end || ' ',
        '[[:space:]]+', ' '
    )
{%- endmacro %}

{#- A pattern of runs of Katakana, or of the other Japanese and Chinese characters. -#}
{% macro _japanese_words() -%}
    {{ return('([\u30a0-\u30ff]+|[\u3040-\u309f\u3400-\u9fff]+)') }}
{%- endmacro %}

{#- Two arguments of TRANSLATE. Characters without a counterpart are removed. -#}
{% macro _table(separators, letters='', counterparts='', accents='') -%}
    {{ text_literal(separators ~ letters ~ accents) }},
    {{ text_literal(' ' * separators | length ~ counterparts) }}
{%- endmacro %}

{% macro _ascii_separators() -%}
    {{ return('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~') }}
{%- endmacro %}

{#- What `plain_words` replaces, by character. -#}
{% macro _replaced_characters() -%}
    {%- set characters = word_characters() -%}
    {%- set table = dict(characters.ligatures) -%}
    {%- do table.update(zip(characters.letters, characters.counterparts)) -%}
    {%- for separator in characters.separators -%}{%- do table.update({separator: ' '}) -%}{%- endfor -%}
    {%- for accent in characters.accents -%}{%- do table.update({accent: ''}) -%}{%- endfor -%}
    {{ return(table) }}
{%- endmacro %}

{#- What `plain_words` makes of a phrase, without the blanks around it. -#}
{% macro _plain_phrase(phrase, table) -%}
    {%- set letters = [] -%}
    {%- for letter in phrase | string | lower -%}{%- do letters.append(table.get(letter, letter)) -%}{%- endfor -%}
    {{ return(modules.re.sub(_japanese_words(), ' \\1 ', letters | join).split() | join(' ')) }}
{%- endmacro %}

{#-
    True if a text has one of the phrases as whole words. Case, accents and punctuation do not matter.

    With `endings`, the last word of a phrase can be the beginning of a longer one: `competitor` is in
    "Competitors", but `risk` is not in "Asterisk". With an asterisk before it, the first word can be the end
    of a longer one, as in German compounds: `*risiko` is in "Ausfallrisiko". With `at_start`, the text has to
    begin with the phrase; with `whole`, it has no other words.
-#}
{% macro has_words(text, phrases, endings=false, at_start=false, whole=false) -%}
    {{ words_match(plain_words(text), phrases, endings, at_start, whole) }}
{%- endmacro %}

{#- The same of a text's `plain_words`. -#}
{% macro words_match(words, phrases, endings=false, at_start=false, whole=false) -%}
    {%- set unspaced = _unspaced_characters() -%}
    {%- set table = _replaced_characters() -%}
    {%- set patterns = [] -%}
    {%- for phrase in phrases -%}
        {%- set plain = _plain_phrase(phrase, table) -%}
        {%- if plain -%}
            {#- A Katakana word has a beginning. Korean words have particles after them. -#}
            {%- set is_open = (phrase | string | trim).startswith('*')
                or modules.re.match('[' ~ unspaced ~ ']', plain)
                and not modules.re.match('[\u30a0-\u30ff]', plain) -%}
            {%- set is_open_ended = endings or modules.re.search('[' ~ unspaced ~ '\uac00-\ud7a3]$', plain) -%}
            {%- set start = '^ ' if at_start or whole else '' if is_open else ' ' -%}
            {%- set end = ' $' if whole else '' if is_open_ended else ' ' -%}
            {#- Plain words have no characters that a pattern gives a meaning. -#}
            {%- do patterns.append(start ~ plain ~ end) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if patterns -%}
        regexp_count({{ words }}, {{ text_literal(patterns | join('|')) }}) > 0
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}
