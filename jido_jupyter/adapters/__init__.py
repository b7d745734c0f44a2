"""Other people's assistants and their sessions: what they say is recorded, and their libraries can keep it here.

`jido_jupyter.watch` and `jido_jupyter.wrap` are the doors for users; `agents` is for the OpenAI Agents SDK,
`pydantic_store` for pydantic-ai. A library is imported only by the module that is named after it.
"""

from jido_jupyter.services.shapes import to_anthropic, to_openai

__all__ = ["to_anthropic", "to_openai"]
