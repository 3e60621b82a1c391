import pytest
def test_x(first_run, project):
    print(first_run.outcome)
    print({k: len(v) for k,v in first_run.tables.tables.items()}, first_run.tables.cortex_calls)
    for a in first_run.asked: print(a.method,a.path,a.status, str(a.body.get('filter'))[:100], 'cursor' in a.body)
