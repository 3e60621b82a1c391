"""A simulated Gong tenant: an invented company whose sales calls are served as Gong's public API v2 serves them.

Everything in here is made up: the company, its customers, what they say. What is meant to be true is the behaviour of
the API, as Gong documents it at https://help.gong.io/apidocs and as users of it report. `python -m
gong_assets.local.gong_tenant --port N` runs it; `hubspot` holds the CRM records that its calls refer to.
"""
