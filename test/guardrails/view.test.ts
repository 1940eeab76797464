/** What guards see, and that a change of it changes that and nothing else. */
import { describe, expect, test } from 'bun:test'
import type { Chat, Json, Reply } from '../../src/dialects/canonical.ts'
import type { ChatDialect, Dialect } from '../../src/dialects/dialect.ts'
import { dialects } from '../../src/dialects/index.ts'
import { textsIn, withText } from '../../src/guardrails/json-texts.ts'
import { merged } from '../../src/guardrails/redact.ts'
import { Vault } from '../../src/guardrails/vault.ts'
import { viewOf, viewOfReply } from '../../src/guardrails/view.ts'
import { REQUESTS } from '../dialects/matrix/requests.ts'
import { IDS } from '../dialects/matrix/said.ts'

const chat = (body: Json, dialect: Dialect = dialects['openai-chat']): Chat =>
  (dialect as ChatDialect).readRequest(structuredClone(body)) as Chat

test('every text that somebody said in any request is seen once', () => {
  for (const caller of IDS)
    for (const [feature, request] of Object.entries(REQUESTS[caller])) {
      const { pieces } = viewOf(chat({ model: 'm', ...(request as Json) }, dialects[caller]))
      const seen = pieces.map(({ text }) => text)
      for (const word of ['Hello', 'Be brief.', '18 degrees', 'noon', 'Paris', 'UTC', 'Weather of a city', '2+2?'])
        if (JSON.stringify(request).includes(word))
          expect([caller, feature, word, seen.some((text) => text.includes(word))]).toEqual([
            caller,
            feature,
            word,
            true,
          ])
    }
})

test('kinds and roles of pieces', () => {
  const { pieces } = viewOf(
    chat({
      model: 'm',
      messages: [
        { role: 'system', content: 'rules' },
        { role: 'user', name: 'ada', content: [{ type: 'text', text: 'question' }] },
        {
          role: 'assistant',
          content: 'answer',
          tool_calls: [
            {
              id: 'c',
              type: 'function',
              function: { name: 'f', arguments: '{"a":"va\\u006cue","card":4111111111111111}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'c', content: 'result' },
      ],
      tools: [{ type: 'function', function: { name: 'f', description: 'does', parameters: {} } }],
    }),
  )
  expect(pieces.map(({ kind, role, text }) => [kind, role, text])).toEqual([
    ['tool_definition', 'system', '{"name":"f","description":"does","parameters":{}}'],
    ['text', 'system', 'rules'],
    ['text', 'user', 'ada'],
    ['text', 'user', 'question'],
    ['text', 'assistant', 'answer'],
    ['tool_args', 'assistant', 'a'],
    ['tool_args', 'assistant', 'value'],
    ['tool_args', 'assistant', 'card'],
    ['tool_args', 'assistant', '4111111111111111'],
    ['tool_result', 'tool', 'result'],
  ])
})

test('each piece can be changed by itself, in every dialect, and nothing else changes', () => {
  for (const caller of IDS)
    for (const request of Object.values(REQUESTS[caller])) {
      const body = { model: 'm', ...(request as Json) }
      const before = viewOf(chat(body, dialects[caller])).pieces
      for (const [i, { kind }] of before.entries()) {
        if (kind === 'tool_definition') continue
        const one = chat(body, dialects[caller])
        viewOf(one).put(i, 'another text')
        const after = viewOf(one).pieces.map(({ text }) => text)
        expect(after).toEqual(before.map(({ text }, n) => (n === i ? 'another text' : text)))
      }
    }
})

test('what only one dialect knows is seen as far as it is text, and can be changed', () => {
  const body = {
    model: 'm',
    input: 'q',
    prompt: { id: 'pmpt_1', variables: { name: 'mandragora' } },
    service_tier: 'flex',
    metadata: { who: 'ada' },
  }
  const asked = chat(body, dialects['openai-responses'])
  const { pieces, put } = viewOf(asked)
  expect(pieces.map(({ text }) => text).toSorted()).toEqual(['ada', 'mandragora', 'q', 'who'])
  put(
    pieces.findIndex(({ text }) => text === 'mandragora'),
    'x',
  )
  expect(JSON.stringify((dialects['openai-responses'] as ChatDialect).writeRequest(asked, () => {}))).toContain(
    '"variables":{"name":"x"}',
  )
})

test('signed thinking that is changed is left out', () => {
  const body = {
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'q' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'secret', signature: 's' },
          { type: 'text', text: 'a' },
        ],
      },
    ],
  }
  const asked = chat(body, dialects.anthropic)
  const view = viewOf(asked)
  const at = view.pieces.findIndex(({ kind }) => kind === 'thinking')
  expect(view.put(at, 'x')).toBe('thinking')
  expect(JSON.stringify((dialects.anthropic as ChatDialect).writeRequest(asked, () => {}))).not.toContain('thinking')
})

test('of an answer every choice', () => {
  const reply: Reply = {
    ...{ id: 'i', model: 'm', created: 0 },
    choices: [
      { index: 0, parts: [{ type: 'text', text: 'one' }] },
      {
        index: 1,
        parts: [
          { type: 'refusal', text: 'two' },
          { type: 'call', id: 'c', name: 'f', args: '{"a":"three"}' },
        ],
        citations: [{ url: 'https://e.org', quote: 'four' }],
      },
    ],
  }
  const view = viewOfReply(reply, new Set(['f']))
  expect(view.pieces.map(({ text, choice }) => [text, choice])).toEqual([
    ['one', 0],
    ['two', 1],
    ['a', 1],
    ['three', 1],
    ['four', 1],
    ['https://e.org', 1],
  ])
  view.put(3, 'x"y')
  expect(reply.choices[1]?.parts[1]).toMatchObject({ args: '{"a":"x\\"y"}' })
})

describe('JSON', () => {
  test('its texts, decoded, with their places; what is around them stays as it is', () => {
    const json = ' { "a\\n" : [ "b", 12, -1234567.5, true, {"c":""} ] ,"€":"d\\"e" } '
    const texts = textsIn(json) ?? []
    expect(texts.map(({ text }) => text)).toEqual(['a\n', 'b', '-1234567.5', 'c', '€', 'd"e'])
    expect(withText(json, texts[2] as never, 'x')).toBe(json.replace('-1234567.5', '"x"'))
    expect(textsIn('{"half":')).toBeUndefined()
  })

  test('in time that grows with its length', () => {
    const time = (n: number) => {
      const json = JSON.stringify(Array.from({ length: n }, (_, i) => `text ${i} "quoted"`))
      const from = performance.now()
      for (let i = 0; i < 5; i++) textsIn(json)
      return performance.now() - from
    }
    time(1_000)
    const small = Math.min(time(5_000), time(5_000), time(5_000))
    expect(Math.min(time(40_000), time(40_000), time(40_000))).toBeLessThan(small * 8 * 5)
  })
})

test('findings that overlap are one, and the longest says what it is', () => {
  const finding = (start: number, end: number, what: string) => ({ piece: 0, start, end, what, confidence: 1 })
  expect(merged([finding(4, 9, 'B'), finding(0, 5, 'A'), finding(20, 99, 'C'), finding(5, 5, 'D')], 30)).toEqual([
    { start: 0, end: 9, what: 'A' },
    { start: 20, end: 30, what: 'C' },
  ])
})

test('a placeholder that somebody wrote himself is given to nobody', () => {
  const vault = new Vault()
  const said = 'he wrote <NAME_1>'
  expect(vault.hide('Ada', 'NAME', (one) => said.includes(one))).toBe('<NAME_2>')
  expect(vault.hide('Ada', 'NAME', () => false)).toBe('<NAME_2>')
  expect(vault.show('<NAME_1> and <NAME_2>')).toBe('<NAME_1> and Ada')
  expect(vault.hideAgain('Ada, Adam')).toBe('<NAME_2>, <NAME_2>m')
})
