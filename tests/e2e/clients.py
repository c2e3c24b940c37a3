"""Asks a gateway through clients that others wrote, openai and LangChain: clients.py URL KEY MODEL.

Every failed expectation ends it with an error. Prints one JSON object: what each way to ask was answered with.
"""

import asyncio
import json
import sys

import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

url, key, model = sys.argv[1:]
QUESTION = "What is the capital of France?"
PLAIN = [{"role": "user", "content": QUESTION}]
HISTORY = [
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "Paris"},
    {"role": "user", "content": [{"type": "text", "text": "And that of Spain?"}]},
]
GREEDY = {"model": model, "temperature": 0, "max_tokens": 16}


def refused(kind, status, call):
    """The error in OpenAI's form with which a call is refused."""
    try:
        call()
    except kind as error:
        assert error.status_code == status, error
        assert error.body["message"] and error.body["type"], error.body
        return {"code": error.code, "param": error.param}
    raise AssertionError(f"{kind.__name__} was expected")


def with_openai():
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=120)
    [served] = client.models.list().data
    assert served.id == model and client.models.retrieve(model).id == model

    whole = client.chat.completions.create(messages=PLAIN, **GREEDY)
    [choice] = whole.choices
    assert whole.object == "chat.completion" and choice.message.role == "assistant"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert whole.system_fingerprint == model

    streamed, usage = "", None
    for chunk in client.chat.completions.create(
        messages=PLAIN, stream=True, stream_options={"include_usage": True}, **GREEDY
    ):
        usage = chunk.usage or usage
        streamed += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    assert usage.completion_tokens == whole.usage.completion_tokens

    response = client.responses.create(model=model, input=PLAIN, temperature=0, max_output_tokens=16)
    events = list(client.responses.create(model=model, input=PLAIN, temperature=0, max_output_tokens=16, stream=True))
    assert events[-1].type in ("response.completed", "response.incomplete"), events[-1].type
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    completion = client.completions.create(prompt="The capital of France is", **GREEDY)
    raw = client.chat.completions.with_raw_response.create(messages=PLAIN, **GREEDY)
    assert raw.headers["x-noema-receipt"].startswith("0x")

    wrong = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-wrong", max_retries=0)
    create = client.chat.completions.create
    return {
        "whole": choice.message.content,
        "streamed": streamed,
        "response": response.output_text,
        "response_streamed": deltas,
        "completion": completion.choices[0].text,
        "history": create(messages=HISTORY, **GREEDY).choices[0].message.content,
        "refused": {
            "key": refused(openai.AuthenticationError, 401, wrong.models.list),
            "model": refused(openai.NotFoundError, 404, lambda: create(messages=PLAIN, model="gpt-4o")),
            "logprobs": refused(openai.BadRequestError, 400, lambda: create(messages=PLAIN, logprobs=True, **GREEDY)),
            "context": refused(
                openai.BadRequestError, 400, lambda: create(messages=[{"role": "user", "content": "sea " * 3_000}], **GREEDY)
            ),
        },
    }


async def with_async_openai():
    """Several calls at once over one client."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=120) as client:
        calls = [client.chat.completions.create(messages=PLAIN, **GREEDY) for _ in range(4)]
        return [answer.choices[0].message.content for answer in await asyncio.gather(*calls)]


def with_langchain():
    chat = ChatOpenAI(model=model, base_url=f"{url}/v1", api_key=key, temperature=0, max_tokens=16, max_retries=0)
    answer = chat.invoke([HumanMessage(QUESTION)])
    assert answer.usage_metadata["output_tokens"] > 0 and answer.response_metadata["finish_reason"]
    history = [
        SystemMessage("You answer in one word."),
        HumanMessage(QUESTION),
        AIMessage("Paris"),
        HumanMessage("And that of Spain?"),
    ]
    return {
        "whole": answer.content,
        "streamed": "".join(chunk.content for chunk in chat.stream([HumanMessage(QUESTION)])),
        "batch": [answer.content for answer in chat.batch([[HumanMessage(QUESTION)]] * 2)],
        "history": chat.invoke(history).content,
        "stopped": chat.invoke([HumanMessage(QUESTION)], stop=["France"]).content,
    }


print(json.dumps({"openai": with_openai(), "at_once": asyncio.run(with_async_openai()), "langchain": with_langchain()}))
