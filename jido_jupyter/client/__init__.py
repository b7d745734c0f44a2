"""Sessions that a Jupyter server elsewhere keeps: a store and a limiter over its REST door.

Imported only where ``JIDO_URL`` is set: it needs an HTTP library, which takes longer to import than all the rest.
"""

from jido_jupyter.client.limiter import RemoteLimiter
from jido_jupyter.client.link import Described, Link, described
from jido_jupyter.client.store import RemoteStore

__all__ = ["Described", "Link", "RemoteLimiter", "RemoteStore", "described"]
