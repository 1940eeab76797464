/** Pictures that a model drew: carried where the caller's dialect has a place for them, seen as missing where it has none. */
import { describe, expect, test } from 'bun:test'
import type { DialectId, Event, Json, Reply } from '../../src/dialects/canonical.ts'
import { eventsOf } from '../../src/dialects/replay.ts'
import { ANSWERING, chat, chatDialects, eventsIn, framesOf, plainChat, warnings, write } from './support.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUg=='
const source = { kind: 'data' as const, mediaType: 'image/png', data: PNG }
const NOTE = '[The model drew an image (image/png), which this API cannot carry.]'

/** A drawn picture between two texts, as each kind of server says it. */
type Giver = 'gemini' | 'openai-chat' | 'openai-responses'

const WHOLE: Record<Giver, Json> = {
  gemini: {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [{ text: 'Here: ' }, { inlineData: { mimeType: 'image/png', data: PNG } }],
        },
        finishReason: 'STOP',
      },
    ],
  },
  'openai-chat': {
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Here: ',
          images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }],
        },
        finish_reason: 'stop',
      },
    ],
  },
  'openai-responses': {
    status: 'completed',
    output: [
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Here: ', annotations: [] }] },
      { type: 'image_generation_call', id: 'ig_1', status: 'completed', output_format: 'png', result: PNG },
    ],
  },
}
const delta = (body: Json) => `data: ${JSON.stringify({ choices: [{ index: 0, ...body }] })}\n\n`
const STREAM: Record<Giver, string> = {
  gemini: `data: ${JSON.stringify(WHOLE.gemini)}\n\n`,
  'openai-chat':
    delta({ delta: { content: 'Here: ' } }) +
    delta({ delta: { images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] } }) +
    delta({ delta: {}, finish_reason: 'stop' }),
  'openai-responses': (WHOLE['openai-responses'].output as Json[])
    .map((item, output_index) => ({ type: 'response.output_item.done', output_index, item }))
    .concat({ type: 'response.completed', response: { status: 'completed', output: [] } } as never)
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join(''),
}
const GIVERS = Object.keys(WHOLE) as Giver[]

describe.each(GIVERS)('drawn by %s', (from) => {
  const reply = (): Reply => chat(from).readReply(structuredClone(WHOLE[from] as Json))

  test('is read, whole and streamed', () => {
    const [first, second] = reply().choices[0]?.parts ?? []
    expect(first).toMatchObject({ type: 'text', text: 'Here: ' })
    expect(second).toMatchObject({ type: 'image', source })
    const events = eventsIn(chat(from), STREAM[from] as string)
    expect(events.filter(({ type }) => type === 'text' || type === 'image')).toMatchObject([
      { text: 'Here: ' },
      { type: 'image', source },
    ])
    const tap = chat(from).tap()
    const seen = framesOf(chat(from), STREAM[from] as string).map(tap)
    expect(seen.some(({ garbage }) => garbage)).toBe(false)
  })

  test('is shown to every caller, or noted in the text', () => {
    for (const { id } of chatDialects) {
      const whole = JSON.stringify(chat(id).writeReply(reply(), plainChat(), ANSWERING))
      const streams = [eventsIn(chat(from), STREAM[from] as string), eventsOf(reply())]
      const streamed = streams.map((events) => write(chat(id), [...events, { type: 'end' } as Event]))
      const wanted = (GIVERS as DialectId[]).includes(id) ? PNG : NOTE
      for (const said of [whole, ...streamed]) expect({ id, shown: said.includes(wanted) }).toEqual({ id, shown: true })
      if (!(GIVERS as DialectId[]).includes(id)) expect(whole).not.toContain(PNG)
    }
  })

  test.each(GIVERS)('comes back whole through %s', (to) => {
    const written = chat(to).writeReply(reply(), plainChat(), ANSWERING)
    const again = chat(to).readReply(written)
    expect(again.choices[0]?.parts.map((part) => (part.type === 'image' ? part.source : part.type))).toEqual([
      'text',
      source,
    ])
    const streamed = eventsIn(
      chat(to),
      write(chat(to), [...eventsIn(chat(from), STREAM[from] as string), { type: 'end' }]),
    )
    expect(streamed.flatMap((event) => (event.type === 'image' ? [event.source] : []))).toEqual([source])
  })
})

test('a picture is announced and closed in the steps of Responses', () => {
  const events: Event[] = [
    { type: 'image', choice: 0, source },
    { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
    { type: 'end' },
  ]
  const frames = framesOf(chat('openai-responses'), write(chat('openai-responses'), events)).map(
    ({ data }) => JSON.parse(data) as Json,
  )
  expect(frames.map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.image_generation_call.in_progress',
    'response.image_generation_call.generating',
    'response.image_generation_call.completed',
    'response.output_item.done',
    'response.completed',
  ])
  expect(frames.map(({ sequence_number }) => sequence_number)).toEqual(frames.map((_, i) => i))
  const [item] = (frames.at(-1)!.response as { output: Json[] }).output
  expect(item).toMatchObject({ type: 'image_generation_call', status: 'completed', output_format: 'png', result: PNG })
  expect(new Set(frames.slice(2, 7).map((frame) => frame.item_id ?? (frame.item as Json).id))).toEqual(
    new Set([item?.id]),
  )
})

describe('as history', () => {
  const asked: Record<Giver, Json> = {
    'openai-chat': {
      model: 'm',
      messages: [
        { role: 'user', content: 'Draw' },
        (WHOLE['openai-chat'].choices as { message: Json }[])[0]!.message,
        { role: 'user', content: 'Larger' },
      ],
    },
    'openai-responses': {
      model: 'm',
      input: [
        { role: 'user', content: 'Draw' },
        ...(WHOLE['openai-responses'].output as Json[]),
        { role: 'user', content: 'Larger' },
      ],
    },
    gemini: {
      model: 'm',
      contents: [
        { role: 'user', parts: [{ text: 'Draw' }] },
        (WHOLE.gemini.candidates as { content: Json }[])[0]!.content,
        { role: 'user', parts: [{ text: 'Larger' }] },
      ],
    },
  }
  test.each(GIVERS)('of %s reaches every target that sees, in a place that it takes', (from) => {
    const read = () => chat(from).readRequest({ ...structuredClone(asked[from] as Json), stream: false })
    for (const to of [...GIVERS, 'anthropic', 'ollama-chat'] as DialectId[]) {
      const { warn, lost } = warnings()
      const written = chat(to).writeRequest(read(), warn)
      expect({ to, lost, sent: JSON.stringify(written).split(PNG).length }).toEqual({ to, lost: [], sent: 2 })
      if (to === from) {
        const { messages, input, contents } = asked[from] as Json
        expect(written).toMatchObject(JSON.parse(JSON.stringify({ messages, input, contents })))
      }
    }
    // Neither takes images in an assistant's message.
    const { messages } = chat('anthropic').writeRequest(read(), warnings().warn) as { messages: Json[] }
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(JSON.stringify(messages[1])).not.toContain(PNG)
    if (from !== 'openai-chat') {
      const written = chat('openai-chat').writeRequest(read(), warnings().warn) as { messages: Json[] }
      const assistants = written.messages.filter(({ role }) => role === 'assistant')
      expect(JSON.stringify(assistants)).not.toContain(PNG)
    }
  })
})

test('what a caller of Responses lets be heard reaches those that hear', () => {
  const part = { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }
  const asked = chat('openai-responses').readRequest({ model: 'm', input: [{ role: 'user', content: [part] }] })
  for (const to of ['openai-chat', 'gemini', 'openai-responses'] as const) {
    const { warn, lost } = warnings()
    expect(JSON.stringify(chat(to).writeRequest(asked, warn))).toContain('UklGRg==')
    expect(lost).toEqual([])
  }
  const own = chat('openai-responses').writeRequest(asked, warnings().warn)
  expect(own.input).toMatchObject([{ role: 'user', content: [part] }])
  expect(() => chat('anthropic').writeRequest(asked, warnings().warn)).toThrow('audio')
})
