import openai
from house import KEY, PLACE, QUESTION, SYSTEM, TARGETS, TEXT, URL, held, raises, same
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


def make(model, **more):
    return OpenAILike(
        model=model,
        api_base=f"{URL}/v1",
        api_key=KEY,
        max_retries=0,
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

    same(llm.structured_predict(Place, PromptTemplate(QUESTION)).model_dump(), PLACE)
    held(model, "structured output")

    raises(openai.InternalServerError, lambda: make(f"{model}-500").chat(ask))
    raises(openai.APIError, lambda: list(make(f"{model}-inband").stream_chat(ask)))
    held(model, "errors")
raises(openai.NotFoundError, lambda: make("nobody").chat(ask))
held("all", "refusals")
