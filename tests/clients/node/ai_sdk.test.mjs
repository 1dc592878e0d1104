// Vercel's AI SDK through its provider for OpenAI-compatible servers, changed in its base URL and key alone.
import assert from "node:assert/strict";
import test from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, streamText, tool } from "ai";

const fairlead = createOpenAICompatible({
  name: "fairlead",
  baseURL: process.env.FAIRLEAD_BASE_URL,
  apiKey: process.env.FAIRLEAD_KEY,
  includeUsage: true,
});
const tools = {
  get_weather: tool({
    description: "the weather in a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
  }),
};

test("generateText", async () => {
  const { text, usage } = await generateText({ model: fairlead("chat"), prompt: "hello" });
  assert.ok(text);
  assert.ok(usage.totalTokens > 0);
});

test("streamText", async () => {
  const result = streamText({ model: fairlead("chat"), prompt: "hello" });
  let text = "";
  for await (const piece of result.textStream) text += piece;
  assert.ok(text);
  assert.ok((await result.usage).totalTokens > 0);
});

test("tools, buffered and streamed", async () => {
  const prompt = "[[sim tools=2]] weather?";
  assert.equal((await generateText({ model: fairlead("openai"), prompt, tools })).toolCalls.length, 2);
  assert.equal((await streamText({ model: fairlead("openai"), prompt, tools }).toolCalls).length, 2);
});

test("an error is an error", async () => {
  await assert.rejects(generateText({ model: fairlead("no-such-route"), prompt: "hello", maxRetries: 0 }), (error) => error.statusCode === 404);
});
