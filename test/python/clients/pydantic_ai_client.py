import asyncio

from house import KEY, PLACE, QUESTION, SYSTEM, TARGETS, TEXT, URL, broken, held, limited_once, raises, same
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


class Place(BaseModel):
    city: str
    days: int


def by_openai(kind):
    return lambda model, key=KEY: kind(model, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key=key))


WAYS = {"chat": by_openai(OpenAIChatModel), "responses": by_openai(OpenAIResponsesModel)}


async def pieces(agent, said):
    async with agent.run_stream(QUESTION) as result:
        async for piece in result.stream_text(delta=True, debounce_by=None):
            said.append(piece)


def streamed(agent):
    """Its pieces, and what it ends with, as a generator does."""
    said, failure = [], None
    try:
        asyncio.run(pieces(agent, said))
    except Exception as error:
        failure = error
    yield from said
    if failure:
        raise failure


async def last_of(agent):
    async with agent.run_stream(QUESTION) as result:
        async for _ in result.stream_output(debounce_by=None):
            pass
        return await result.get_output()


def helped(model, called):
    agent = Agent(model, system_prompt=SYSTEM)

    @agent.tool_plain
    def get_weather(city: str, days: int) -> str:
        """Tells the weather."""
        called.append({"city": city, "days": days})
        return "fine"

    @agent.tool_plain
    def get_time(city: str, days: int) -> str:
        """Tells the time."""
        called.append({"city": city, "days": days})
        return "late"

    return agent


for way, make in WAYS.items():
    for model in TARGETS:
        whole = Agent(make(model), system_prompt=SYSTEM).run_sync(QUESTION)
        same(whole.output, TEXT)
        same("".join(streamed(Agent(make(model), system_prompt=SYSTEM))), TEXT)
        held(way, model, "chat and stream")

        called = []
        same(helped(make(model), called).run_sync(QUESTION).output, TEXT)
        same("".join(streamed(helped(make(model), called))), TEXT)
        same(called, [PLACE] * 4)
        held(way, model, "tools, whole and streamed")

        # No tool can be forced on Ollama; the mock calls what it is offered.
        for output in (NativeOutput(Place), ToolOutput(Place)):
            agent = Agent(make(model), output_type=output)
            same(agent.run_sync(QUESTION).output.model_dump(), PLACE)
            same(asyncio.run(last_of(agent)).model_dump(), PLACE)
        held(way, model, "structured output, whole and streamed")

        same(raises(ModelHTTPError, lambda: Agent(make(f"{model}-500")).run_sync(QUESTION)).status_code, 502)
        long = raises(ModelHTTPError, lambda: Agent(make(f"{model}-context")).run_sync(QUESTION))
        same((long.status_code, long.body["code"]), (400, "context_length_exceeded"))
        for fault in ("inband", "cut"):
            broken(Exception, lambda: streamed(Agent(make(f"{model}-{fault}"))))
        # Which waits a second.
        if way == "chat" or model == "openai":
            limited_once()
            same(Agent(make(f"{model}-429")).run_sync(QUESTION).output, TEXT)
        held(way, model, "errors")

    same(raises(ModelHTTPError, lambda: Agent(make("nobody")).run_sync(QUESTION)).status_code, 404)
    same(raises(ModelHTTPError, lambda: Agent(make("openai", "sk-wrong")).run_sync(QUESTION)).status_code, 401)
    held(way, "refusals")
