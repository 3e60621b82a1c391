{#- Domains of e-mail addresses and companies. -#}

{#- The part of an e-mail address after the @, in lower case. -#}
{% macro mail_domain(address) -%}
    nullif(regexp_replace(lower(trim({{ address }})), '^.*@', ''), '')
{%- endmacro %}

{#- A domain without the rest of a URL, for example `customer.example` for https://www.customer.example. -#}
{% macro plain_domain(value) -%}
    nullif(regexp_replace(
        regexp_replace(lower(trim({{ value }})), '^([a-z]+://)?(www[.])?', ''), '[/:?].*$', ''
    ), '')
{%- endmacro %}

{#-
    True for the domains of the var free_mail_domains and their subdomains. An entry yahoo.* stands for
    yahoo.com, yahoo.de, yahoo.co.uk and so on, and not for yahoo.customer.example.
-#}
{% macro is_free_mail(domain) -%}
    {%- set patterns = ['-'] -%}
    {%- for entry in var('free_mail_domains') -%}
        {%- set plain = modules.re.sub('[^a-z0-9.-]', '', entry | lower) -%}
        {%- set any_country = '([a-z]{2,4}|com?[.][a-z]{2})' if entry.endswith('.*') else '' -%}
        {%- do patterns.append(plain | replace('.', '[.]') ~ any_country) -%}
    {%- endfor -%}
    regexp_count({{ domain }}, '(^|[.])({{ patterns | join('|') }})$') > 0
{%- endmacro %}
