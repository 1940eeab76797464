import openai
import httpx
from house import KEY, PLACE, QUESTION, SYSTEM, TARGETS, TEXT, URL, broken, held, limited_once, raises, same
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


class Place(BaseModel):
    """A place to be."""

    city: str
    days: int


def get_weather(city: str, days: int) -> str:
    """Tells the weather."""
    return f"{city} is fine"


def make(model, key=KEY, retries=0, **more):
    return OpenAILike(
        model=model,
        api_base=f"{URL}/v1",
        api_key=key,
        max_retries=retries,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=32_000,
        **more,
    )


ask = [ChatMessage(role="system", content=SYSTEM), ChatMessage(role="user", content=QUESTION)]
for model in TARGETS:
    same(make(model).chat(ask).message.content, TEXT)
    same("".join(part.delta or "" for part in make(model).stream_chat(ask)), TEXT)
    held(model, "chat and stream")

    llm = make(model)
    answer = llm.chat_with_tools([FunctionTool.from_defaults(get_weather)], chat_history=ask)
    calls = llm.get_tool_calls_from_response(answer)
    same([(call.tool_name, call.tool_kwargs) for call in calls], [("get_weather", PLACE)])
    result = ChatMessage(role="tool", content="fine", additional_kwargs={"tool_call_id": calls[0].tool_id})
    same(llm.chat([*ask, answer.message, result]).message.content, TEXT)
    held(model, "tools")

    dropped = []
    listening = httpx.Client(
        event_hooks={"response": [lambda r: dropped.append(r.headers.get("x-tollgate-dropped", ""))]}
    )
    forced = make(model, http_client=listening)
    tools = [FunctionTool.from_defaults(get_weather)]
    answer = forced.chat_with_tools(tools, chat_history=ask, tool_choice="get_weather", tool_required=True)
    same([call.tool_name for call in forced.get_tool_calls_from_response(answer)], ["get_weather"])
    # Ollama cannot be made to call a tool, and the caller is told so.
    same("tool_choice" in dropped[-1], model == "ollama")
    held(model, "forced tools")

    same(llm.structured_predict(Place, PromptTemplate(QUESTION)).model_dump(), PLACE)
    held(model, "structured output")

    raises(openai.InternalServerError, lambda: make(f"{model}-500").chat(ask))
    long = raises(openai.BadRequestError, lambda: make(f"{model}-context").chat(ask))
    same(long.code, "context_length_exceeded")
    for fault in ("inband", "cut"):
        broken(openai.APIError, lambda: (part.delta for part in make(f"{model}-{fault}").stream_chat(ask)))
    limited_once()
    same(make(f"{model}-429", retries=3).chat(ask).message.content, TEXT)
    held(model, "errors")
raises(openai.NotFoundError, lambda: make("nobody").chat(ask))
raises(openai.AuthenticationError, lambda: make("openai", "sk-wrong").chat(ask))
held("all", "refusals")
