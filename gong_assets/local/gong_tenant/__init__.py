"""A simulated Gong tenant: an invented company whose sales calls are served through Gong's public API v2.

All data is invented: the company, its customers, and what they say. The API behaves as Gong documents it at
https://help.gong.io/apidocs and as users report it. Run it with ``python -m gong_assets.local.gong_tenant
--port N``.

- The API: ``app``, ``endpoints``, ``request_bodies``, ``paging``, ``error_responses``, ``rate_limits``.
- The data: ``calls``, ``speech`` and ``company`` generate it; ``call_store`` decides what is visible when.
- The JSON: ``call_documents``, ``call_analysis``, ``activity`` and ``reference_data``.
- The CRM: ``hubspot`` loads the records of the same company into the local warehouse.
"""
