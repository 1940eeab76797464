/** Structured output by a tool that must be called, given back as text: whole, streamed, beside other tools. */
import { describe, expect, test } from 'bun:test'
import type { Chat, Event, Reply } from '../../src/dialects/canonical.ts'
import { forceFormat, unforceEvents, unforceReply } from '../../src/dialects/forced-format.ts'
import { dialects } from '../../src/dialects/index.ts'

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const chat = (more: object = {}): Chat =>
  dialects['openai-chat'].readRequest({
    model: 'm',
    messages: [{ role: 'user', content: 'Where?' }],
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
    ...more,
  })
const own = { type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }

describe('the request', () => {
  test('has the schema as a tool that must be called', () => {
    const forced = forceFormat(chat())
    expect(forced.format).toBeUndefined()
    expect(forced.tools).toHaveLength(1)
    expect(forced.tools?.[0]?.parameters).toEqual(schema)
    expect(forced.toolChoice).toEqual({ name: forced.tools?.[0]?.name as string })
  })

  test('keeps the own tools, of which one must be called', () => {
    const forced = forceFormat(chat({ tools: [own] }))
    expect(forced.tools?.map((t) => t.name)[0]).toBe('look_up')
    expect(forced.toolChoice).toBe('required')
  })

  test('without a schema is left alone', () => {
    const plain = dialects['openai-chat'].readRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
    expect(forceFormat(plain)).toBe(plain)
  })
})

const TOOL = forceFormat(chat()).tools?.[0]?.name as string
const reply = (parts: Reply['choices'][0]['parts']): Reply => ({
  id: 'r',
  model: 'm',
  created: 1,
  choices: [{ index: 0, parts, finish: { unified: 'tool-calls', raw: 'tool_use' } }],
})

describe('the answer', () => {
  test('is the text of the call, without talk before it', () => {
    const { choices } = unforceReply(
      reply([
        { type: 'text', text: 'Here it is:' },
        { type: 'call', id: 'c', name: TOOL, args: '{"city":"Bonn"}' },
      ]),
    )
    expect(choices[0]?.parts).toEqual([{ type: 'text', text: '{"city":"Bonn"}' }])
    expect(choices[0]?.finish?.unified).toBe('stop')
  })

  test('that calls another tool stays a call', () => {
    const call = { type: 'call' as const, id: 'c', name: 'look_up', args: '{}' }
    expect(unforceReply(reply([call])).choices[0]).toMatchObject({ parts: [call], finish: { unified: 'tool-calls' } })
  })

  test('in a stream is the same', () => {
    const said: Event[] = [
      { type: 'start' },
      { type: 'text', choice: 0, text: 'Let me' },
      { type: 'text', choice: 0, text: ' see.' },
      { type: 'call', choice: 0, index: 0, id: 'c', name: TOOL },
      { type: 'args', choice: 0, index: 0, text: '{"city":' },
      { type: 'args', choice: 0, index: 0, text: '"Bonn"}' },
      { type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 'tool_use' } },
      { type: 'end' },
    ]
    const out = said.flatMap(unforceEvents())
    expect(out.filter((e) => e.type === 'text').map((e) => e.text)).toEqual(['{"city":', '"Bonn"}'])
    expect(out.some((e) => e.type === 'call' || e.type === 'args')).toBe(false)
    expect(out.find((e) => e.type === 'finish')).toMatchObject({ reason: { unified: 'stop' } })
  })

  test('in a stream that only talks is not lost', () => {
    const said: Event[] = [
      { type: 'text', choice: 0, text: 'I cannot.' },
      { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
    ]
    expect(said.flatMap(unforceEvents())).toEqual(said)
  })

  test('beside other calls leaves them counted from nought', () => {
    const said: Event[] = [
      { type: 'call', choice: 0, index: 0, id: 'a', name: TOOL },
      { type: 'args', choice: 0, index: 0, text: '{}' },
      { type: 'call', choice: 0, index: 1, id: 'b', name: 'look_up' },
      { type: 'args', choice: 0, index: 1, text: '{"q":1}' },
      { type: 'finish', choice: 0, reason: { unified: 'tool-calls', raw: 'tool_use' } },
    ]
    const out = said.flatMap(unforceEvents())
    expect(out.find((e) => e.type === 'call')).toMatchObject({ index: 0, name: 'look_up' })
    expect(out.find((e) => e.type === 'args')).toMatchObject({ index: 0, text: '{"q":1}' })
    expect(out.find((e) => e.type === 'finish')).toMatchObject({ reason: { unified: 'tool-calls' } })
  })
})
