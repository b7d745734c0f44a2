"""Fixtures for all tests. Browser tests run in a process of their own: Playwright's loop and tornado's do not mix."""

pytest_plugins = ["pytest_jupyter.jupyter_server"]
