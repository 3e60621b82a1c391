{#-
    The data tests of a model are evaluated in one statement, which reads the model once. The first test of
    the model runs it for all tests that dbt selected, and the others take their results from there. Each is
    still a test of its own for dbt and a check of its own in Dagster.

    The graph leaves one test of each group in the manifest, with the list of the others. It passes if all of
    them do.
-#}
{% materialization test, adapter='snowflake' %}
    {%- do set_query_tag() -%}
    {%- if model.meta.group_of_tests -%}
        {{ return(_run_group(model)) }}
    {%- endif -%}
    {%- if should_store_failures() or not _belongs_to_group(model) -%}
        {{ return(materialization_test_default()) }}
    {%- endif -%}
    {%- set groups = command_state('tests') -%}
    {%- set name = _group_of(model) -%}
    {%- if name not in groups -%}
        {%- do groups.update({name: _run_tests(_selected_tests()[name], graph.nodes[model.attached_node])}) -%}
    {%- endif -%}
    {%- set group = groups[name] -%}
    {%- set names = ['failures', 'should_warn', 'should_error'] -%}
    {%- set columns = [] -%}
    {%- for name in names -%}
        {%- do columns.append((name ~ '_' ~ group.places[model.unique_id]) | upper) -%}
    {%- endfor -%}
    {%- do store_result(
        'main', response=group.result.response, agate_table=group.result.table.select(columns).rename(names)
    ) -%}
    {{ return({'relations': []}) }}
{% endmaterialization %}

{% macro _belongs_to_group(test) -%}
    {{ return(test.get('attached_node') and test.get('test_metadata') and not test.config.get('limit')) }}
{%- endmacro %}

{#-
    The tested model, and others that a test reads: dbt runs a test when all of them are built. A model that
    the tested one reads is built before it.
-#}
{% macro _group_of(test) -%}
    {%- set known = graph.nodes[test.attached_node].depends_on.nodes + [test.attached_node] -%}
    {%- set others = test.depends_on.nodes | reject('in', known) -%}
    {{ return((others | sort + [test.attached_node]) | join(' ')) }}
{%- endmacro %}

{#- The tests that dbt selected, by group. -#}
{% macro _selected_tests() -%}
    {%- set groups = command_state('groups') -%}
    {%- if not groups -%}
        {#- Complete before other threads of dbt see it. -#}
        {%- set found = {} -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'test' and node.unique_id in selected_resources and _belongs_to_group(node)
        -%}
            {%- do found.setdefault(_group_of(node), []).append(node) -%}
        {%- endfor -%}
        {%- do groups.update(found) -%}
    {%- endif -%}
    {{ return(groups) }}
{%- endmacro %}

{#- The result of the statement, and the place of each test in it, by unique id. -#}
{% macro _run_tests(tests, tested) -%}
    {%- set places, verdicts = {}, [] -%}
    {%- for test in tests -%}
        {%- set place = loop.index0 -%}
        {%- do places.update({test.unique_id: place}) -%}
        {%- do verdicts.append('failures_' ~ place ~ ', ' ~ _verdict(place, test.config.warn_if) ~ ' as should_warn_'
            ~ place ~ ', ' ~ _verdict(place, test.config.error_if) ~ ' as should_error_' ~ place) -%}
    {%- endfor -%}
    {%- call statement('grouped', fetch_result=true) -%}
        select
            {{ verdicts | join(',\n            ') }}
        from ({{ _count_failures(tests, tested) }}) as counted
    {%- endcall -%}
    {{ return({'places': places, 'result': load_result('grouped')}) }}
{%- endmacro %}

{#- Runs all tests of a group as one test, whose failures are those of all of them. -#}
{% macro _run_group(test) -%}
    {%- set tests = [] -%}
    {%- set failures, warns, errors = [], [], ['false'] -%}
    {%- for unique_id in test.meta.group_of_tests -%}
        {%- set each = graph.nodes[unique_id] -%}
        {%- do tests.append(each) -%}
        {%- do failures.append('failures_' ~ loop.index0) -%}
        {%- do warns.append(_verdict(loop.index0, each.config.warn_if)) -%}
        {%- if each.config.severity | upper == 'ERROR' -%}
            {%- do errors.append(_verdict(loop.index0, each.config.error_if)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- call statement('main', fetch_result=true) -%}
        select
            {{ failures | join(' + ') }} as failures,
            {{ warns | join(' or ') }} as should_warn,
            {{ errors | join(' or ') }} as should_error
        from ({{ _count_failures(tests, graph.nodes[test.attached_node]) }}) as counted
    {%- endcall -%}
    {{ return({'relations': []}) }}
{%- endmacro %}

{#- Whether the number of failures of the test at a place in the statement exceeds a limit of its config. -#}
{% macro _verdict(place, condition) -%}
    {{ return('failures_' ~ place ~ ' ' ~ condition) }}
{%- endmacro %}

{% macro _count_failures(tests, tested) -%}
    {%- set window = tested_days(tested) -%}
    {%- set counts = [] -%}
    {%- for test in tests -%}
        {%- do counts.append(_failures_of(test, tested, window) ~ ' as failures_' ~ loop.index0) -%}
    {%- endfor -%}
    {{ return('select count(*) as tested_rows, ' ~ counts | join(', ') ~ ' from ' ~ _relation_of(tested)
        ~ ' where ' ~ window) }}
{%- endmacro %}

{% macro _relation_of(node) -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}

{#-
    The number of rows that fail a test. A test of single rows is a condition of the statement's own scan,
    and any other test a subquery.
-#}
{% macro _failures_of(test, tested, window) -%}
    {%- set relation = _relation_of(tested) -%}
    {%- set arguments = test.test_metadata.kwargs -%}
    {%- set column = arguments.column_name -%}
    {%- set kind = test.test_metadata.name -%}
    {%- set where = ('(' ~ test.config.where ~ ') and ') if test.config.where else '' -%}
    {%- if kind == 'not_null' -%}
        {{ return(_count_rows(where ~ column ~ ' is null')) }}
    {%- elif kind == 'within' -%}
        {%- set outside = column ~ ' < ' ~ arguments.low ~ ' or ' ~ column ~ ' > ' ~ arguments.high -%}
        {{ return(_count_rows(where ~ '(' ~ outside ~ ')')) }}
    {%- elif kind == 'accepted_values' -%}
        {%- set values = [] -%}
        {%- for value in arguments['values'] -%}
            {%- do values.append(value if arguments.get('quote') is false else text_literal(value | string)) -%}
        {%- endfor -%}
        {{ return(_count_rows(where ~ column ~ ' not in (' ~ values | join(', ') ~ ')')) }}
    {%- elif kind == 'unique' -%}
        {%- set rows = '(select * from ' ~ relation ~ ' where ' ~ where ~ _calls_of_run(tested, window) ~ ')' -%}
        {{ return('(select count(*) from (' ~ test_unique(rows, column) ~ ') as duplicates)') }}
    {%- elif kind == 'relationships' -%}
        {%- set parents = test.depends_on.nodes | reject('equalto', test.attached_node) | list -%}
        {%- set parent = _relation_of(graph.nodes[(parents + [test.attached_node])[0]]) -%}
        {%- set rows = '(select * from ' ~ relation ~ ' where ' ~ where ~ window ~ ')' -%}
        {{ return('(select count(*) from (' ~ test_relationships(rows, column, parent, arguments.field)
            ~ ') as orphans)') }}
    {%- endif -%}
    {%- do exceptions.raise_compiler_error('macros/materializations/test.sql does not know the test ' ~ kind) -%}
{%- endmacro %}

{% macro _count_rows(condition) -%}
    {{ return('count(iff(' ~ condition ~ ', 1, null))') }}
{%- endmacro %}

{#-
    A duplicate can have another date. Uniqueness is therefore tested over all days of the run's calls. The
    keys of partitioned models start with the call id, so each run covers its own calls. Views have the
    duplicates of these models only.
-#}
{% macro _calls_of_run(tested, window) -%}
    {%- if window == 'true' or 'partitioned' not in tested.tags -%}{{ return(window) }}{%- endif -%}
    {{ return('call_id in (select call_id from ' ~ _relation_of(tested) ~ ' where ' ~ window ~ ')') }}
{%- endmacro %}
