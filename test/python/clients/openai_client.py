import openai
from house import KEY, MESSAGES, PLACE, PROMPT, QUESTION, SCHEMA, SYSTEM, TARGETS, TEXT, URL, WORDS, broken, held, limited_once, raises, same
from pydantic import BaseModel


class Place(BaseModel):
    city: str
    days: int


client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
tools = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}}
    for name in ("get_weather", "get_time")
]
for model in TARGETS:
    whole = client.chat.completions.create(model=model, messages=MESSAGES)
    same(whole.choices[0].message.content, TEXT)
    same((whole.usage.prompt_tokens, whole.usage.completion_tokens), (PROMPT, WORDS))
    chunks = list(
        client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    same("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), TEXT)
    same(chunks[-1].usage.completion_tokens, WORDS)
    same(len({c.id for c in chunks}), 1)
    held(model, "chat and stream")

    with client.chat.completions.stream(model=model, messages=MESSAGES, tools=tools) as stream:
        message = stream.get_final_completion().choices[0].message
    same([call.function.name for call in message.tool_calls], ["get_weather", "get_time"])
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name} is fine"}
        for call in message.tool_calls
    ]
    after = client.chat.completions.create(
        model=model, messages=[*MESSAGES, message.model_dump(exclude_none=True, exclude={"parsed"}), *results], tools=tools
    )
    same(after.choices[0].message.content, TEXT)
    held(model, "tools")

    parsed = client.chat.completions.parse(model=model, messages=MESSAGES, response_format=Place)
    same(parsed.choices[0].message.parsed.model_dump(), PLACE)
    answer = client.responses.create(model=model, instructions=SYSTEM, input=QUESTION)
    same(answer.output_text, TEXT)
    answer = client.responses.parse(model=model, input=QUESTION, text_format=Place)
    same(answer.output_parsed.model_dump(), PLACE)
    held(model, "structured output and responses")

    raises(openai.InternalServerError, lambda: client.chat.completions.create(model=f"{model}-500", messages=MESSAGES))
    long = raises(
        openai.BadRequestError, lambda: client.chat.completions.create(model=f"{model}-context", messages=MESSAGES)
    )
    same(long.code, "context_length_exceeded")
    for fault in ("inband", "cut"):
        broken(
            openai.APIError,
            lambda: (
                chunk.choices[0].delta.content if chunk.choices else ""
                for chunk in client.chat.completions.create(model=f"{model}-{fault}", messages=MESSAGES, stream=True)
            ),
        )
        broken(
            openai.APIError,
            lambda: (
                event.delta if event.type == "response.output_text.delta" else ""
                for event in client.responses.create(model=f"{model}-{fault}", input=QUESTION, stream=True)
            ),
        )
    limited_once()
    raises(openai.RateLimitError, lambda: client.chat.completions.create(model=f"{model}-429", messages=MESSAGES))
    limited_once()
    patient = client.with_options(max_retries=3)
    again = patient.chat.completions.with_raw_response.create(model=f"{model}-429", messages=MESSAGES)
    same((again.retries_taken, again.parse().choices[0].message.content), (1, TEXT))
    held(model, "errors")

missing = raises(openai.NotFoundError, lambda: client.chat.completions.create(model="nobody", messages=MESSAGES))
same(missing.code, "model_not_found")
stranger = openai.OpenAI(base_url=f"{URL}/v1", api_key="sk-wrong", max_retries=0)
raises(openai.AuthenticationError, lambda: stranger.models.list())
vectors = client.embeddings.create(model="ollama", input=["a gate", "a road"]).data
same([len(one.embedding) for one in vectors], [64, 64])
held("all", "refusals and embeddings")
