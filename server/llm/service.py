"""Completions by the desk."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from bot.desk.client import DeskClient
from server.desk import with_problems
from server.llm.schemas import CompletionAnswer, CompletionBody


def said(desk: DeskClient, body: CompletionBody) -> AsyncGenerator[dict[str, Any]]:
    """The events of an answer (`citation` and `text` …, `end`); raises `Problem`."""
    return with_problems(desk.complete(body.to_request().model_dump()))


async def answer(events: AsyncGenerator[dict[str, Any]]) -> CompletionAnswer:
    """All of it, once it has ended."""
    texts: list[str] = []
    citations: list[dict[str, Any]] = []
    end: dict[str, Any] = {}
    async with aclosing(events):
        async for event in events:
            match event["type"]:
                case "text":
                    texts.append(event["text"])
                case "citation":
                    citations.append(event)
                case "end":
                    end = event
    return CompletionAnswer.model_validate(
        {
            "text": "".join(texts).strip(),
            "citations": citations,
            "finish_reason": end["finish_reason"],
            "usage": end["usage"],
        }
    )
