/** Groups of tools (`type: 'namespace'`), at targets that have none: one name for each function, and the caller's own back. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { DialectId, Event, Json } from '../../src/dialects/canonical.ts'
import { Names } from '../../src/dialects/openai-responses/namespaces.ts'
import { ANSWERING, chat, framesOf, warnings } from './support.ts'

const responses = chat('openai-responses')
const TARGETS = ['openai-chat', 'anthropic', 'ollama-chat', 'gemini'] as const
const schema = { type: 'object', properties: { q: { type: 'string' } } }
const search = { type: 'function', name: 'search', description: 'Searches', strict: false, parameters: schema }
const fetchOne = { type: 'function', name: 'fetch', parameters: schema }
const BODY = {
  model: 'm',
  tools: [
    { type: 'function', name: 'shell', strict: false, parameters: schema },
    { type: 'namespace', name: 'mcp__docs', description: 'Docs of the house', tools: [search, fetchOne] },
    { type: 'namespace', name: 'mcp__web', tools: [search] },
  ],
  input: [
    { role: 'user', content: 'Go' },
    {
      type: 'function_call',
      namespace: 'mcp__docs',
      name: 'search',
      call_id: 'c1',
      arguments: '{"q":"a"}',
      id: 'fc_1',
    },
    { type: 'function_call', name: 'shell', call_id: 'c2', arguments: '{}' },
    { type: 'function_call', namespace: 'mcp__gone', name: 'old', call_id: 'c3', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c1', output: 'one' },
    { type: 'function_call_output', call_id: 'c2', output: 'two' },
    { type: 'function_call_output', call_id: 'c3', output: 'three' },
  ],
}
const FLAT = ['shell', 'mcp__docs__search', 'mcp__docs__fetch', 'mcp__web__search']

function told(to: DialectId, body: Json = BODY) {
  const { warn, lost } = warnings()
  const written = chat(to).writeRequest(responses.readRequest(structuredClone(body)), warn)
  return { lost, written, again: chat(to).readRequest({ model: 'm', stream: false, ...written }) }
}

describe.each(TARGETS)('at %s', (to) => {
  test('each function has a name of its own, in the tools and in what was called', () => {
    const { again, lost } = told(to)
    expect(lost).toEqual([])
    expect(again.tools?.map(({ name }) => name)).toEqual(FLAT)
    expect(again.tools?.map(({ parameters }) => parameters)).toEqual(FLAT.map(() => schema))
    expect(again.tools?.[1]?.description).toBe('(mcp__docs: Docs of the house)\nSearches')
    const parts = again.messages.flatMap((message) => message.parts)
    expect(parts.flatMap((part) => (part.type === 'call' ? [part.name] : []))).toEqual([
      'mcp__docs__search',
      'shell',
      'mcp__gone__old',
    ])
  })

  test('the one that must be called is named likewise', () => {
    // Ollama cannot be told which.
    if (to === 'ollama-chat') return
    for (const choice of [
      { type: 'function', name: 'fetch' },
      { type: 'function', name: 'fetch', namespace: 'mcp__docs' },
    ])
      expect(told(to, { ...BODY, tool_choice: choice }).again.toolChoice).toEqual({ name: 'mcp__docs__fetch' })
    expect(told(to, { ...BODY, tool_choice: { type: 'function', name: 'shell' } }).again.toolChoice).toEqual({
      name: 'shell',
    })
  })
})

const asked = responses.readRequest({ ...BODY, stream: true })
const called = (index: number, id: string, name: string): Event[] => [
  { type: 'call', choice: 0, index, id, name },
  { type: 'args', choice: 0, index, text: '{"q":"b"}' },
]
const WANTED = [
  { call_id: 'd1', namespace: 'mcp__web', name: 'search', arguments: '{"q":"b"}' },
  { call_id: 'd2', name: 'shell', arguments: '{"q":"b"}' },
]

test('a stream calls them as the caller does, in every event', () => {
  const events: Event[] = [
    { type: 'start', id: 'r', model: 'm' },
    ...called(0, 'd1', 'mcp__web__search'),
    ...called(1, 'd2', 'shell'),
    { type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 'tool_calls' } },
    { type: 'end' },
  ]
  const write = responses.writer(asked, ANSWERING)
  const frames = framesOf(responses, events.map(write).join('')).map(({ data }) => JSON.parse(data) as Json)
  const items = (type: string) => frames.flatMap((frame) => (frame.type === type ? [frame.item as Json] : []))
  expect(items('response.output_item.done')).toMatchObject(WANTED)
  expect(items('response.output_item.added').map(({ name, namespace }) => [name, namespace])).toEqual([
    ['search', 'mcp__web'],
    ['shell', undefined],
  ])
  const done = frames.filter(({ type }) => type === 'response.function_call_arguments.done')
  expect(done.map(({ name }) => name)).toEqual(['search', 'shell'])
  const last = frames.at(-1)?.response as Json
  expect(last.output).toMatchObject(WANTED)
  // What was asked is told again as it was.
  expect(last.tools).toEqual(BODY.tools)
  expect(JSON.stringify(frames)).not.toContain('mcp__web__search')
})

test('so does a whole answer, which can be given back as history', () => {
  const parts = [
    { type: 'call' as const, id: 'd1', name: 'mcp__web__search', args: '{"q":"b"}' },
    { type: 'call' as const, id: 'd2', name: 'shell', args: '{"q":"b"}' },
  ]
  const reply = { id: 'r', model: 'm', created: 1, choices: [{ index: 0, parts }] }
  const { output } = responses.writeReply(reply, asked, ANSWERING) as { output: Json[] }
  expect(output).toMatchObject(WANTED)
  const next = responses.readRequest({ ...BODY, input: output })
  expect(next.messages[0]?.parts.map((part) => part.type === 'call' && part.name)).toEqual([
    'mcp__web__search',
    'shell',
  ])
})

test('a target of Responses gets groups as they were, and its own calls of them go back', () => {
  const { written, lost } = told('openai-responses')
  expect(lost).toEqual([])
  expect(written.tools).toEqual(BODY.tools)
  expect((written.input as Json[])[1]).toMatchObject(BODY.input[1] as Json)
  expect((written.input as Json[]).slice(2)).toMatchObject(BODY.input.slice(2))
  const item = {
    id: 'fc',
    type: 'function_call',
    status: 'completed',
    call_id: 'd1',
    namespace: 'mcp__web',
    name: 'search',
  }
  const read = responses.reader()
  const events = [
    { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } },
    { type: 'response.output_item.done', output_index: 0, item: { ...item, arguments: '{}' } },
  ].flatMap((event) => read({ data: JSON.stringify(event) }))
  const write = responses.writer(asked, ANSWERING)
  const out = [...events, ...([{ type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 't' } }] as Event[])]
  expect(out.map(write).join('')).toContain('"name":"search","namespace":"mcp__web"')
})

test('what is no function in a group is named by its own name', () => {
  const custom = { type: 'custom', name: 'patch', format: { type: 'grammar' } }
  const body = { ...BODY, tools: [{ type: 'namespace', name: 'edit', tools: [search, custom] }] }
  expect(told('anthropic', body).lost).toEqual(['tools.edit.patch'])
  expect(told('openai-responses', body).written.tools).toEqual(body.tools)
})

test('names are short, plain, unique and the same every time', () => {
  const word = fc.oneof(
    fc.string({ minLength: 1, maxLength: 70 }),
    fc.constantFrom('a', 'a__b', 'b', 'b__c', 'c', 'a.b', 'a_b', 'x'.repeat(64)),
  )
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(word, word), { maxLength: 12, selector: String }),
      fc.array(word),
      (pairs, own) => {
        const tools = own.map((name) => ({ type: 'function', name }))
        const names = new Names(tools)
        const made = pairs.map(([group, name]) => names.of(group, name))
        for (const one of made) expect(one).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
        const distinct = new Set(pairs.map((pair) => JSON.stringify(pair))).size
        expect(new Set([...made, ...own]).size).toBe(distinct + new Set(own).size)
        const again = new Names(tools)
        expect(pairs.map(([group, name]) => again.of(group, name))).toEqual(made)
      },
    ),
    { numRuns: 500 },
  )
  expect(new Names([]).of('mcp__docs', 'search')).toBe('mcp__docs__search')
  expect(new Names([{ name: 'a__b' }]).of('a', 'b')).toMatch(/^a__b_[a-z0-9]{6}$/)
})
