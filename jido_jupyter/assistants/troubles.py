"""What the errors of models, their servers and the network mean: one sentence, and the next step.

Foreign errors are told apart by class name and HTTP status. openai 2 brings httpx, openai 3 and anthropic 2 bring
httpx2, boto3 has its own, and which classes leak through differs; a list of imported classes would miss half of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jido_jupyter.assistants.endpoints import NO_KEY, Endpoint, Provider


@dataclass(frozen=True, slots=True)
class Troubles:
    """What errors mean that come from one model."""

    provider: Provider
    name: str  # of the model
    endpoint: Endpoint
    silence_s: float  # longest wait for the next piece

    def explain(self, error: Exception, has_text: bool) -> str:
        """Return what ``error`` means; ``has_text``: part of the answer came before it."""
        status = next((found for link in chain(error) if isinstance(found := _status(link), int)), None)
        if status is not None and status >= 400:
            return self._explain_status(status, error, has_text)
        return self._explain_transport(error, has_text)

    def doubt(self, what: str) -> str:
        """Return the sentence for something that no server of this kind should send."""
        if self.provider.dialect != "openai":
            return f"{self._where} {what}. Ask again, or check {self.endpoint.setting} if you set it."
        return (
            f"{self._where} {what}. Is {self.endpoint.setting} the address of an OpenAI-compatible server "
            "(it usually ends in /v1)?"
        )

    @property
    def _where(self) -> str:
        return self.endpoint.shown or self.provider.title

    def _explain_status(self, status: int, error: Exception, has_text: bool) -> str:
        where = self._where
        said = f" It said: {said}." if (said := self._server_message(error)) else ""
        if status in (401, 403):  # without what the server said: some repeat the key
            key = self.endpoint.key_setting or "its key"
            return f"{where} refused the key ({status}). Set {key} to a valid key before you start Jupyter."
        if status == 404 and self.provider.name == "ollama":
            return f"Ollama has no model {self.name!r} (404). Run 'ollama pull {self.name}', or choose another model."
        if status == 404:
            advice = " (it usually ends in /v1)" if self.provider.dialect == "openai" else ""
            return (
                f"{where} knows no model {self.name!r} (404). Choose another with '%jido model', "
                f"or check that {self.endpoint.setting} is right{advice}."
            )
        if status == 429:
            wait = getattr(error, "retry_after", None)
            when = f"in {wait:.0f} s" if isinstance(wait, int | float) and wait >= 1 else "in a minute"
            return f"{where} takes no more requests now (429).{said} Try again {when}, or check your plan there."
        if status >= 500:
            return f"{where} has trouble ({status}).{said} {kept(has_text)}"
        return f"{where} refused the request ({status}).{said} Change the question, or choose another model."

    def _explain_transport(self, error: Exception, has_text: bool) -> str:
        where, setting = self._where, self.endpoint.setting
        links = list(chain(error))
        names = {kind.__name__ for link in links for kind in type(link).__mro__}
        if names & {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}:
            return f"{where} has no credentials here. Run 'aws configure', or set {self.endpoint.key_setting}, first."
        if "NoRegionError" in names or any("region" in str(link) and "AWS" in str(link) for link in links):
            return f"{where} needs a region. Set AWS_DEFAULT_REGION before you start Jupyter."
        if "ProxyError" in names:
            return f"The proxy on the way to {where} refused. Check HTTPS_PROXY and HTTP_PROXY, or add it to NO_PROXY."
        if names & {"ConnectError", "ConnectTimeout", "EndpointConnectionError", "ConnectTimeoutError"}:
            if any("SSL" in str(link) for link in links):  # the class is lost on the way, its words are not
                return f"There is no trusted encrypted connection to {where}. Check its certificate, or {setting}."
            if self.endpoint.use_proxy:
                return f"{where} cannot be reached. Check the network and the proxy settings, or {setting}."
            return f"Nothing answers at {where}; start the server or set {setting}."
        if names & {"TimeoutError", "TimeoutException", "ReadTimeoutError"}:
            return f"{where} was silent for {self.silence_s:g} s. {kept(has_text)}"
        if names & {"JSONDecodeError", "UnicodeDecodeError", "UnknownApiResponseError", "ParserError"}:
            what = "sent something that cannot be read"
            return f"{where} {what}. {kept(has_text)}" if has_text else self.doubt(what)
        if names & {"ModelConnectionError", "APIConnectionError", "TransportError", "OSError", "HTTPClientError"}:
            return f"The connection to {where} was lost. {kept(has_text)}"
        if "APIError" in names:
            said = self._server_message(error)
            return f"{where} reported an error{f': {said}' if said else ''}. {kept(has_text)}"
        return f"The answer of {where} could not be used ({type(error).__name__}). {kept(has_text)}"

    def _server_message(self, error: Exception) -> str:
        """Return what the server said about its error: one short line, without the key."""
        body = next((body for link in chain(error) if (body := getattr(link, "body", None))), None)
        if isinstance(body, dict):
            body = next((body[name] for name in ("error", "Error") if isinstance(body.get(name), dict | str)), body)
        message = body.get("message", body.get("Message")) if isinstance(body, dict) else body
        if not isinstance(message, str) or "<" in message:  # an HTML page of some gateway
            return ""
        line = " ".join(message.split()).rstrip(".")
        if self.endpoint.api_key != NO_KEY:
            line = line.replace(self.endpoint.api_key, "…")
        return line if len(line) <= 200 else f"{line[:199]}…"


def kept(has_text: bool) -> str:
    return "What came before is kept; ask it to go on." if has_text else "Your question is kept; ask again."


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what it was raised from."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _status(error: BaseException) -> object:
    return getattr(error, "status_code", None)
