/** Chunks and lines of real servers' streams, as the whole answers that they make. */
import { expect, test } from 'bun:test'
import type { Json } from '../../src/dialects/canonical.ts'
import { ollamaChat } from '../../src/dialects/ollama-chat/index.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'

function joined(joiner: NonNullable<typeof openaiChat.joiner>, frames: readonly Json[]): Json {
  const { push, whole } = joiner()
  for (const frame of frames) push(frame)
  return whole()
}
const openai = (...deltas: Json[]): Json => {
  const frames = deltas.map((delta) => ({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta }] }))
  return (joined(openaiChat.joiner!, frames).choices as Json[])[0]!.message as Json
}
const call = (index: number | undefined, more: Json) => ({
  tool_calls: [{ ...(index === undefined ? {} : { index }), ...more }],
})

test('text, its role said again and again (as Ollama does), and what nobody knows', () => {
  expect(
    openai(
      { role: 'assistant', content: '' },
      { role: 'assistant', content: 'To', reasoning_content: 'w' },
      { role: 'assistant', content: 'll', reasoning_content: 'hy', annotations: [{ a: 1 }] },
      { annotations: [{ b: 2 }], provider_fields: { deep: { words: 'x' } } },
      { content: null, provider_fields: { deep: { words: 'y' } } },
    ),
  ).toEqual({
    role: 'assistant',
    content: 'Toll',
    reasoning_content: 'why',
    annotations: [{ a: 1 }, { b: 2 }],
    provider_fields: { deep: { words: 'xy' } },
  })
})

test('calls in pieces, side by side, and each of the index 0', () => {
  const made = (id: string, name: string, args: string) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  })
  const apart = openai(
    call(0, made('a', 'toll', '')),
    call(1, made('b', 'gate', '{"x"')),
    call(0, { function: { arguments: '{"y":' } }),
    call(1, { function: { arguments: ':1}' } }),
    call(0, { function: { arguments: '2}' } }),
  )
  expect(apart).toEqual({
    role: 'assistant',
    content: null,
    tool_calls: [made('a', 'toll', '{"y":2}'), made('b', 'gate', '{"x":1}')],
  })
  expect(openai(call(0, made('a', 'toll', '{}')), call(0, made('b', 'gate', '{}'))).tool_calls).toEqual([
    made('a', 'toll', '{}'),
    made('b', 'gate', '{}'),
  ])
  // Some say the name again with each piece.
  expect(openai(call(0, made('a', 'toll', '{')), call(0, made('a', 'toll', '}'))).tool_calls).toEqual([
    made('a', 'toll', '{}'),
  ])
})

test('choices, their ends and logprobs, and what stands beside them', () => {
  const chunk = (choices: Json[], more: Json = {}): Json => ({ id: 'c', model: 'm', object: 'x', choices, ...more })
  const one = { token: 'a', logprob: -1 }
  const all = joined(openaiChat.joiner!, [
    chunk([{ index: 1, delta: { content: 'b' }, finish_reason: null }], { usage: null }),
    chunk([{ index: 0, delta: { content: 'a' }, logprobs: { content: [one] }, finish_reason: null }]),
    chunk([{ index: 0, delta: {}, logprobs: { content: [one] }, finish_reason: 'stop' }]),
    chunk([{ index: 1, delta: {}, finish_reason: 'length', stop_reason: null }]),
    chunk([], { usage: { prompt_tokens: 1 }, service_tier: 'flex' }),
  ])
  expect(all).toEqual({
    id: 'c',
    model: 'm',
    object: 'chat.completion',
    usage: { prompt_tokens: 1 },
    service_tier: 'flex',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'a' },
        finish_reason: 'stop',
        logprobs: { content: [one, one] },
      },
      { index: 1, message: { role: 'assistant', content: 'b' }, finish_reason: 'length', stop_reason: null },
    ],
  })
  expect(openaiChat.glance(JSON.stringify(all))).toMatchObject({ finished: true, garbage: false })
})

test('lines of Ollama: the last one, with all that was said before', () => {
  const line = (message: Json, more: Json = {}): Json => ({
    model: 'm',
    created_at: 't',
    message,
    done: false,
    ...more,
  })
  const tool = (name: string) => ({ function: { name, arguments: {} } })
  const all = joined(ollamaChat.joiner!, [
    line({ role: 'assistant', content: '', thinking: 'w' }),
    line({ role: 'assistant', content: 'To', thinking: 'hy' }, { logprobs: [1] }),
    line({ role: 'assistant', content: 'll', tool_calls: [tool('a')] }, { logprobs: [2] }),
    line({ role: 'assistant', content: '', tool_calls: [tool('b')] }),
    line({ role: 'assistant', content: '' }, { created_at: 'u', done: true, done_reason: 'stop', eval_count: 2 }),
  ])
  expect(all).toEqual({
    model: 'm',
    created_at: 'u',
    message: { role: 'assistant', content: 'Toll', thinking: 'why', tool_calls: [tool('a'), tool('b')] },
    done: true,
    done_reason: 'stop',
    eval_count: 2,
    logprobs: [1, 2],
  })
})
