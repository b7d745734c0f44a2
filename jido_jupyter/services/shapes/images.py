"""Images in messages, between the two ways that servers take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from jido_jupyter.core.messages import Part

_DATA: Final = re.compile(r"data:(?P<kind>[\w.+/-]+);base64,(?P<data>.*)", re.DOTALL)


def for_openai(part: Part) -> Part:
    """Return an image of Anthropic's as one of OpenAI's; any other part as it is."""
    source = part.get("source")
    if part.get("type") != "image" or not isinstance(source, Mapping):
        return part
    if source.get("type") == "base64":
        return _image_url(f"data:{source.get('media_type')};base64,{source.get('data')}")
    return _image_url(source["url"]) if isinstance(source.get("url"), str) else part


def for_anthropic(part: Part) -> Part:
    """Return an image of OpenAI's as one of Anthropic's; any other part as it is."""
    found: Any = part.get("image_url")
    url = found.get("url") if isinstance(found, Mapping) else found
    if part.get("type") not in ("image_url", "input_image") or not isinstance(url, str):
        return part
    if inline := _DATA.fullmatch(url):
        source = {"type": "base64", "media_type": inline["kind"], "data": inline["data"]}
    else:
        source = {"type": "url", "url": url}
    return {"type": "image", "source": source}


def _image_url(url: str) -> Part:
    return {"type": "image_url", "image_url": {"url": url}}
