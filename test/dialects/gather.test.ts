/** A stream put together says what the whole answer said: the way there and back of every kind of part. */
import { expect, test } from 'bun:test'
import { usage } from '../../src/core/usage.ts'
import type { Reply } from '../../src/dialects/canonical.ts'
import { Gather } from '../../src/dialects/gather.ts'
import { eventsOf } from '../../src/dialects/replay.ts'

const stop = { unified: 'stop', raw: 'stop' } as const

const REPLY: Reply = {
  id: 'a1',
  model: 'm',
  created: 1_700_000_000,
  usage: usage({ input: 3, output: 5 }),
  choices: [
    {
      index: 0,
      parts: [
        { type: 'thinking', text: 'hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'xx' },
        { type: 'text', text: 'Look: ' },
        { type: 'call', id: 'c1', name: 'f', args: '{"a":1}' },
        { type: 'call', id: 'c2', name: 'g', args: '' },
        { type: 'image', source: { kind: 'data', mediaType: 'image/png', data: 'AAAA' } },
        { type: 'foreign', extras: { dialect: 'openai-responses', fields: { type: 'x' } } },
      ],
      citations: [{ url: 'https://a.example' }],
      finish: { unified: 'tool-calls', raw: 'tool_calls' },
    },
    { index: 1, parts: [{ type: 'refusal', text: 'No.' }], finish: stop },
  ],
}

test('what was taken apart is put together again', () => {
  const gather = new Gather({ id: '', model: '', created: 0 })
  for (const event of eventsOf(REPLY)) gather.push(event)
  expect(gather.reply).toEqual(REPLY)
})

test('pieces of one text are one text, and pieces of arguments one call', () => {
  const gather = new Gather({ id: 'own', model: 'm', created: 1 })
  for (const text of ['a', 'b']) gather.push({ type: 'text', choice: 0, text })
  gather.push({ type: 'call', choice: 0, index: 0, id: 'c', name: 'f' })
  for (const text of ['{"x"', ':1}']) gather.push({ type: 'args', choice: 0, index: 0, text })
  gather.push({ type: 'text', choice: 0, text: 'c' })
  gather.push({ type: 'finish', choice: 0, reason: stop })
  expect(gather.reply).toEqual({
    ...{ id: 'own', model: 'm', created: 1 },
    choices: [
      {
        index: 0,
        parts: [
          { type: 'text', text: 'ab' },
          { type: 'call', id: 'c', name: 'f', args: '{"x":1}' },
          { type: 'text', text: 'c' },
        ],
        finish: stop,
      },
    ],
  })
})

test('an error in it is no answer', () => {
  const gather = new Gather({ id: '', model: '', created: 0 })
  expect(() => gather.push({ type: 'error', message: 'broke' })).toThrow('broke')
})
