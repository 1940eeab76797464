import asyncio

from house import KEY, PLACE, PROMPT, QUESTION, SYSTEM, TARGETS, TEXT, URL, WORDS, held, raises, same
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Place(BaseModel):
    city: str
    days: int


def by_openai(model):
    return OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY))


async def streamed(agent):
    async with agent.run_stream(QUESTION) as result:
        return "".join([piece async for piece in result.stream_text(delta=True)])


for way, make in (("chat", by_openai),):
    for model in TARGETS:
        agent = Agent(make(model), system_prompt=SYSTEM)
        whole = agent.run_sync(QUESTION)
        same(whole.output, TEXT)
        same(asyncio.run(streamed(Agent(make(model), system_prompt=SYSTEM))), TEXT)
        held(way, model, "chat and stream")

        called = []
        helped = Agent(make(model), system_prompt=SYSTEM)

        @helped.tool_plain
        def get_weather(city: str, days: int) -> str:
            """Tells the weather."""
            called.append({"city": city, "days": days})
            return "fine"

        same(helped.run_sync(QUESTION).output, TEXT)
        same(called, [PLACE])
        held(way, model, "tools")

        if way == "chat":
            shaped = Agent(make(model), output_type=NativeOutput(Place)).run_sync(QUESTION)
            same(shaped.output.model_dump(), PLACE)
            held(way, model, "structured output")

    failed = raises(ModelHTTPError, lambda: Agent(make("nobody")).run_sync(QUESTION))
    same(failed.status_code, 404)
    held(way, "errors")
