import openai
from house import KEY, PLACE, PROMPT, QUESTION, SYSTEM, TARGETS, TEXT, URL, WORDS, broken, held, limited_once, raises, same
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Place(BaseModel):
    city: str
    days: int


@tool
def get_weather(city: str, days: int) -> str:
    """Tells the weather."""
    return f"{city} is fine"


@tool
def get_time(city: str, days: int) -> str:
    """Tells the time."""
    return f"{city} is late"


def make(model, key=KEY, retries=0):
    return ChatOpenAI(model=model, base_url=f"{URL}/v1", api_key=key, max_retries=retries, stream_usage=True)


ask = [SystemMessage(SYSTEM), HumanMessage(QUESTION)]
usage = (PROMPT, WORDS)
for model in TARGETS:
    whole = make(model).invoke(ask)
    same(whole.content, TEXT)
    same((whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]), usage)
    total = None
    for chunk in make(model).stream(ask):
        total = chunk if total is None else total + chunk
    same(total.content, TEXT)
    same((total.usage_metadata["input_tokens"], total.usage_metadata["output_tokens"]), usage)
    held(model, "chat and stream")

    bound = make(model).bind_tools([get_weather, get_time])
    called = bound.invoke(ask)
    same([(call["name"], call["args"]) for call in called.tool_calls], [("get_weather", PLACE), ("get_time", PLACE)])
    results = [
        ToolMessage({"get_weather": get_weather, "get_time": get_time}[call["name"]].invoke(call["args"]), tool_call_id=call["id"])
        for call in called.tool_calls
    ]
    same(bound.invoke([*ask, called, *results]).content, TEXT)
    held(model, "tools")

    shaped = make(model).with_structured_output(Place, method="json_schema").invoke(ask)
    same(shaped.model_dump(), PLACE)
    held(model, "structured output")

    raises(openai.InternalServerError, lambda: make(f"{model}-500").invoke(ask))
    # LangChain's own word for it: it shortens the history by this.
    raises(ContextOverflowError, lambda: make(f"{model}-context").invoke(ask))
    for fault in ("inband", "cut"):
        broken(openai.APIError, lambda: (chunk.content for chunk in make(f"{model}-{fault}").stream(ask)))
    limited_once()
    raises(openai.RateLimitError, lambda: make(f"{model}-429").invoke(ask))
    limited_once()
    same(make(f"{model}-429", retries=3).invoke(ask).content, TEXT)
    held(model, "errors")
raises(openai.NotFoundError, lambda: make("nobody").invoke(ask))
raises(openai.AuthenticationError, lambda: make("openai", "sk-wrong").invoke(ask))
held("all", "refusals")
