"""A tool of the operator's: what a language model is told of it, and the HTTP request that it makes."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.providers.provider import Key

# What a model may call in any case; no tool of an operator has such a name.
BUILT_IN = ("search_knowledge", "end_call", "take_message")
TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")

# What came of a call: `refused` for arguments that are wrong, `asked` where the caller has to say yes first.
Outcome = Literal["done", "failed", "timeout", "refused", "asked"]
Value = str | int | float | bool
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
}  # fmt: skip


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Frozen):
    """What the model gives a tool; a subset of JSON Schema. A string has at most `max_length` characters."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    description: str = Field(min_length=1, max_length=500)
    enum: tuple[Value, ...] = ()
    required: bool = True
    max_length: int = Field(default=500, ge=1, le=5_000)

    @model_validator(mode="after")
    def _enum_fits(self) -> "Parameter":
        if not all(self._is_typed(each) for each in self.enum):
            raise ValueError(f"enum has a value that is no {self.type}")
        return self

    @property
    def schema_(self) -> dict[str, Any]:
        """As the model is told."""
        enum = {"enum": list(self.enum)} if self.enum else {}
        return {"type": self.type, "description": self.description} | enum

    def complaint(self, value: Any) -> str | None:
        """What is wrong with what the model gave; None where nothing is."""
        if not self._is_typed(value):
            return f"must be of type {self.type}"
        if isinstance(value, str) and (not value.strip() or len(value) > self.max_length):
            return f"must have 1 to {self.max_length} characters"
        if self.enum and value not in self.enum:
            return "must be one of " + ", ".join(map(str, self.enum))
        return None

    def _is_typed(self, value: Any) -> bool:
        # To Python a bool is a number.
        return isinstance(value, _TYPES[self.type]) and (self.type == "boolean" or not isinstance(value, bool))


class Tool(_Frozen):
    """What a model may call: its name, what it is for, what it takes, and whether the caller has to say yes first."""

    name: str
    description: str = Field(min_length=1, max_length=1_000)
    parameters: Mapping[str, Parameter] = Field(default_factory=dict[str, Parameter])
    confirm: bool | None = Field(default=None, description="whether the caller has to say yes before it is asked")

    @property
    def asks_first(self) -> bool:
        """Whether the caller has to say yes."""
        return bool(self.confirm)

    def complaint(self, arguments: Mapping[str, Any]) -> str | None:
        """What is wrong with the model's arguments, in words for it and without a value; None where nothing is."""
        if unknown := sorted(arguments.keys() - self.parameters.keys()):
            return f"There is no parameter {unknown[0]!r}."
        for name, parameter in self.parameters.items():
            if name not in arguments:
                if parameter.required:
                    return f"{name} is missing. Ask the caller for it."
            elif wrong := parameter.complaint(arguments[name]):
                return f"{name} {wrong}."
        return None


class HttpTool(Tool):
    """A tool that asks over HTTP. `{name}` in the path or the query of `url` is the parameter's value, encoded.

    What stands in no place of the URL is sent as its query by GET and DELETE, as a JSON object by the others.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str
    headers: Mapping[str, Key] = Field(default_factory=dict[str, Key])
    timeout_secs: float = Field(default=5.0, gt=0, le=30)
    filler: str = Field(default="", max_length=200, description="said while it is asked")
    allow_http: bool = Field(default=False, description="whether what is sent may go unencrypted to another host")

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if not TOOL_NAME.fullmatch(name):
            raise ValueError("a name is 1 to 63 small letters, digits and _, a letter first")
        if name in BUILT_IN:
            raise ValueError(f"{name} is a tool of Jarvis' own; choose another name")
        return name

    @field_validator("parameters")
    @classmethod
    def _are_named(cls, parameters: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
        if wrong := [name for name in parameters if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name)]:
            raise ValueError(f"{wrong[0]!r} is no name of a parameter: letters, digits and _ only")
        return parameters

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: Mapping[str, Key]) -> Mapping[str, Key]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} is no name of a header")
            if re.search(r"[\r\n\0]", value.get_secret_value()):
                raise ValueError(f"the value of {name} has more than one line")
        return headers

    @model_validator(mode="after")
    def _url_fits(self) -> "HttpTool":
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("url must begin with https:// and a host")
        if PLACEHOLDER.search(parts.netloc) or "@" in parts.netloc:
            raise ValueError("url must name its host outright, without placeholders or a user")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_http:
            raise ValueError("url must be https, or of this host; set allow_http: true to send it unencrypted")
        for name in self.placed:
            if name not in self.parameters:
                raise ValueError(f"url has {{{name}}}, which is none of the parameters")
            if not self.parameters[name].required:
                raise ValueError(f"url has {{{name}}}, which must be a required parameter")
        return self

    @property
    def placed(self) -> frozenset[str]:
        """The parameters that stand in the URL."""
        return frozenset(PLACEHOLDER.findall(self.url))

    @property
    def asks_first(self) -> bool:
        """Whether the caller has to say yes: to whatever may change something, unless the operator says otherwise."""
        return self.method != "GET" if self.confirm is None else self.confirm
