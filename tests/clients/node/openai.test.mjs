// The official Node SDK, changed in its base URL and key alone.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.FAIRLEAD_BASE_URL, apiKey: process.env.FAIRLEAD_KEY });
const ask = (content) => [{ role: "user", content }];
const tools = ["get_weather", "get_time"].map((name) => ({
  type: "function",
  function: { name, description: name, parameters: { type: "object", properties: { city: { type: "string" } } } },
}));

test("chat", async () => {
  const answer = await client.chat.completions.create({ model: "chat", messages: ask("hello") });
  assert.ok(answer.choices[0].message.content);
  assert.ok(answer.usage.total_tokens > 0);
});

test("stream with usage", async () => {
  const stream = await client.chat.completions.create({ model: "chat", messages: ask("hello"), stream: true, stream_options: { include_usage: true } });
  let text = "", usages = 0;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (chunk.usage) usages++;
  }
  assert.ok(text);
  assert.equal(usages, 1);
});

for (const model of ["deepseek", "qwen", "openai"]) {
  test(`tools in parallel, buffered and streamed: ${model}`, async () => {
    const messages = ask("[[sim tools=2]] weather and time?");
    const answer = await client.chat.completions.create({ model, messages, tools, parallel_tool_calls: true });
    const streamed = await client.chat.completions.stream({ model, messages, tools, parallel_tool_calls: true }).finalChatCompletion();
    for (const { choices } of [answer, streamed]) {
      assert.equal(choices[0].message.tool_calls.length, 2);
      for (const call of choices[0].message.tool_calls) assert.equal(typeof JSON.parse(call.function.arguments), "object");
    }
  });
}

test("json schema", async () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
  const answer = await client.chat.completions.create({
    model: "openai",
    messages: ask("which city?"),
    response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
  });
  assert.deepEqual(Object.keys(JSON.parse(answer.choices[0].message.content)), ["city"]);
});

test("abort in mid-stream", async () => {
  const controller = new AbortController();
  const stream = await client.chat.completions.create(
    { model: "chat", messages: ask("[[sim chunks=2000 chunk_ms=5]] a story"), stream: true },
    { signal: controller.signal },
  );
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 5) controller.abort();
  assert.ok(chunks >= 5 && chunks < 2000);
});

test("error classes", async () => {
  await assert.rejects(client.chat.completions.create({ model: "openai", messages: ask("[[sim status=400]] hello") }), OpenAI.BadRequestError);
  await assert.rejects(client.chat.completions.create({ model: "no-such-route", messages: ask("hello") }), OpenAI.NotFoundError);
  await assert.rejects(client.withOptions({ apiKey: "sk-wrong" }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(
    client.withOptions({ maxRetries: 0 }).chat.completions.create({ model: "openai", messages: ask("[[sim status=500]] hello") }),
    OpenAI.InternalServerError,
  );
});

test("a broken stream throws", async () => {
  const stream = await client.chat.completions.create({ model: "chat", messages: ask("[[sim close=mid chunks=20]] hello"), stream: true });
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, OpenAI.APIError);
});

test("models", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes("chat"));
});

test("a repeat by its Idempotency-Key, buffered and streamed", async () => {
  for (const stream of [false, true]) {
    const answers = [];
    for (let i = 0; i < 2; i++) {
      const { data, response } = await client.chat.completions
        .create({ model: "chat", messages: ask("hello"), stream }, { headers: { "Idempotency-Key": `order-${stream}` } })
        .withResponse();
      const body = [];
      if (stream) for await (const chunk of data) body.push(chunk);
      answers.push(stream ? body : data.choices);
      assert.equal(response.headers.get("x-fairlead-replayed"), i ? "true" : null);
    }
    assert.deepEqual(answers[0], answers[1]);
  }
});
