import anthropic
from house import KEY, PLACE, PROMPT, QUESTION, SCHEMA, SYSTEM, TARGETS, TEXT, URL, WORDS, broken, held, limited_once, raises, same

client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
ask = {"max_tokens": 500, "system": SYSTEM, "messages": [{"role": "user", "content": QUESTION}]}
tools = [{"name": name, "description": name, "input_schema": SCHEMA} for name in ("get_weather", "get_time")]
for model in TARGETS:
    whole = client.messages.create(model=model, **ask)
    same(whole.content[0].text, TEXT)
    same((whole.usage.input_tokens, whole.usage.output_tokens), (PROMPT, WORDS))
    with client.messages.stream(model=model, **ask) as stream:
        same("".join(stream.text_stream), TEXT)
        same(stream.get_final_message().usage.output_tokens, WORDS)
    held(model, "chat and stream")

    with client.messages.stream(model=model, tools=tools, **ask) as stream:
        called = stream.get_final_message()
    same([(block.name, block.input) for block in called.content], [("get_weather", PLACE), ("get_time", PLACE)])
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": "fine"} for block in called.content]
    said = [*ask["messages"], {"role": "assistant", "content": called.content}, {"role": "user", "content": results}]
    after = client.messages.create(model=model, tools=tools, **{**ask, "messages": said})
    same(after.content[0].text, TEXT)
    held(model, "tools")

    shaped = client.messages.create(
        model=model, extra_body={"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, **ask
    )
    same(__import__("json").loads(shaped.content[0].text), PLACE)
    same(client.messages.count_tokens(model=model, messages=ask["messages"]).input_tokens > 0, True)
    held(model, "structured output and counting")

    raises(anthropic.InternalServerError, lambda: client.messages.create(model=f"{model}-500", **ask))
    raises(anthropic.BadRequestError, lambda: client.messages.create(model=f"{model}-context", **ask))

    def pieces(fault):
        with client.messages.stream(model=f"{model}-{fault}", **ask) as stream:
            yield from stream.text_stream

    for fault in ("inband", "cut"):
        broken(anthropic.APIStatusError, lambda: pieces(fault))
    limited_once()
    raises(anthropic.RateLimitError, lambda: client.messages.create(model=f"{model}-429", **ask))
    limited_once()
    patient = client.with_options(max_retries=3)
    again = patient.messages.with_raw_response.create(model=f"{model}-429", **ask)
    same((again.retries_taken, again.parse().content[0].text), (1, TEXT))
    held(model, "errors")

raises(anthropic.NotFoundError, lambda: client.messages.create(model="nobody", **ask))
stranger = anthropic.Anthropic(base_url=URL, api_key="sk-wrong", max_retries=0)
raises(anthropic.AuthenticationError, lambda: stranger.messages.create(model="openai", **ask))
same({"openai", "ollama"} <= {one.id for one in client.models.list()}, True)
held("all", "refusals and models")
