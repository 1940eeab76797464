/** Where an answer comes from: pages cited and searches made, carried between all dialects that have words for them. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Choice, Citation, DialectId, Event, Json } from '../../src/dialects/canonical.ts'
import { eventsOf } from '../../src/dialects/replay.ts'
import { ANSWERING, chat, eventsIn, framesOf, plainChat, warnings, write } from './support.ts'

const TEXT = 'Bonn är schön. It rains.'
const A = 'https://a.example/1'
const B = 'https://b.example/2'
const CITED = [
  { url: A, title: 'A', start: 0, end: 14 },
  { url: B, title: 'B', start: 15, end: 24 },
]
type Id = 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini'
const url = (start_index: number, end_index: number, page: string, title: string) => ({
  start_index,
  end_index,
  url: page,
  title,
})
const page = (page: string, title: string, cited_text: string) => ({
  type: 'web_search_result_location',
  url: page,
  title,
  cited_text,
  encrypted_index: 'EnCrYpTeD',
})
const grounding = {
  webSearchQueries: ['bonn weather'],
  groundingChunks: [{ web: { uri: A, title: 'A' } }, { web: { uri: B, title: 'B' } }],
  groundingSupports: [
    // Bytes of UTF-8: two letters have two.
    { segment: { endIndex: 16, text: 'Bonn är schön.' }, groundingChunkIndices: [0] },
    { segment: { startIndex: 17, endIndex: 26, text: 'It rains.' }, groundingChunkIndices: [1] },
  ],
}

/** As each one's documentation shows it. */
const WHOLE: Record<Id, Json> = {
  'openai-chat': {
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: {
          role: 'assistant',
          content: TEXT,
          annotations: [
            { type: 'url_citation', url_citation: url(0, 14, A, 'A') },
            { type: 'url_citation', url_citation: url(15, 24, B, 'B') },
          ],
        },
      },
    ],
  },
  'openai-responses': {
    status: 'completed',
    output: [
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'bonn weather' } },
      {
        type: 'message',
        role: 'assistant',
        content: [
          {
            type: 'output_text',
            text: TEXT,
            annotations: [
              { type: 'url_citation', ...url(0, 14, A, 'A') },
              { type: 'url_citation', ...url(15, 24, B, 'B') },
            ],
          },
        ],
      },
    ],
  },
  anthropic: {
    stop_reason: 'end_turn',
    content: [
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'bonn weather' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
      { type: 'text', text: TEXT.slice(0, 14), citations: [page(A, 'A', 'nice')] },
      { type: 'text', text: ' ' },
      { type: 'text', text: TEXT.slice(15), citations: [page(B, 'B', 'wet')] },
    ],
  },
  gemini: {
    candidates: [
      { content: { role: 'model', parts: [{ text: TEXT }] }, finishReason: 'STOP', groundingMetadata: grounding },
    ],
  },
}

const sse = (events: Json[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const pieces = (text: string) => [text.slice(0, 5), text.slice(5)]
function anthropicBlock(index: number, block: Json, deltas: Json[]): Json[] {
  return [
    { type: 'content_block_start', index, content_block: block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}
const textBlock = (index: number, text: string, citation?: Json) =>
  anthropicBlock(index, { type: 'text', text: '' }, [
    ...(citation ? [{ type: 'citations_delta', citation }] : []),
    ...pieces(text).map((piece) => ({ type: 'text_delta', text: piece })),
  ])
const STREAM: Record<Id, string> = {
  'openai-chat': sse([
    ...pieces(TEXT).map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
    {
      choices: [
        {
          index: 0,
          delta: { annotations: (WHOLE['openai-chat'].choices as { message: Json }[])[0]!.message.annotations },
        },
      ],
    },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  ]),
  'openai-responses': sse([
    { type: 'response.output_item.done', output_index: 0, item: (WHOLE['openai-responses'].output as Json[])[0] },
    { type: 'response.output_item.added', output_index: 1, item: { type: 'message', role: 'assistant', content: [] } },
    { type: 'response.content_part.added', output_index: 1, content_index: 0, part: { type: 'output_text', text: '' } },
    ...pieces(TEXT).map((delta) => ({ type: 'response.output_text.delta', output_index: 1, content_index: 0, delta })),
    ...[url(0, 14, A, 'A'), url(15, 24, B, 'B')].map((one, annotation_index) => ({
      type: 'response.output_text.annotation.added',
      output_index: 1,
      content_index: 0,
      annotation_index,
      annotation: { type: 'url_citation', ...one },
    })),
    { type: 'response.output_item.done', output_index: 1, item: (WHOLE['openai-responses'].output as Json[])[1] },
    { type: 'response.completed', response: { status: 'completed', output: [] } },
  ]),
  anthropic: sse([
    { type: 'message_start', message: {} },
    ...anthropicBlock(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }, [
      { type: 'input_json_delta', partial_json: '{"query":"bonn ' },
      { type: 'input_json_delta', partial_json: 'weather"}' },
    ]),
    ...anthropicBlock(1, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }, []),
    ...textBlock(2, TEXT.slice(0, 14), page(A, 'A', 'nice')),
    ...textBlock(3, ' '),
    ...textBlock(4, TEXT.slice(15), page(B, 'B', 'wet')),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
    { type: 'message_stop' },
  ]),
  gemini: sse([
    ...pieces(TEXT).map((text) => ({ candidates: [{ content: { role: 'model', parts: [{ text }] } }] })),
    {
      candidates: [
        { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', groundingMetadata: grounding },
      ],
    },
  ]),
}
const IDS = Object.keys(WHOLE) as Id[]
/** OpenAI's chat has no word for a search. */
const SEARCHERS: Id[] = ['openai-responses', 'anthropic', 'gemini']

const cited = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []))
const searched = (events: readonly Event[]) => events.flatMap((event) => (event.type === 'search' ? [event.query] : []))
const textIn = (choice: Choice | undefined) =>
  choice?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
const ended = (events: Event[]): Event[] => [...events.filter(({ type }) => type !== 'end'), { type: 'end' }]

describe.each(IDS)('what %s cites', (from) => {
  const reply = () => chat(from).readReply(structuredClone(WHOLE[from]))

  test('is read, whole and streamed', () => {
    const [choice] = reply().choices
    expect(choice?.citations).toMatchObject(CITED)
    const events = eventsIn(chat(from), STREAM[from])
    expect(cited(events)).toMatchObject(CITED)
    const wanted = SEARCHERS.includes(from) ? ['bonn weather'] : []
    expect([choice?.searches ?? [], searched(events)]).toEqual([wanted, wanted])
    if (from === 'anthropic') expect(choice?.citations?.map(({ quote }) => quote)).toEqual(['nice', 'wet'])
  })

  test.each(IDS)('comes through %s, whole', (to) => {
    const again = chat(to).readReply(chat(to).writeReply(reply(), plainChat(), ANSWERING)).choices[0]
    expect(textIn(again)).toBe(TEXT)
    expect(again?.citations).toMatchObject(CITED)
    if (SEARCHERS.includes(from) && (to === 'gemini' || to === 'openai-responses'))
      expect(again?.searches).toEqual(['bonn weather'])
  })

  test.each(IDS)('comes through %s, streamed and replayed', (to) => {
    for (const events of [eventsIn(chat(from), STREAM[from]), eventsOf(reply())]) {
      const again = eventsIn(chat(to), write(chat(to), ended(events)))
      // Where a text is one block already, Anthropic's citations are of that block.
      const wanted = to === 'anthropic' ? CITED.map(({ url: page, title }) => ({ url: page, title })) : CITED
      expect(cited(again)).toMatchObject(wanted)
    }
    if (SEARCHERS.includes(from) && (to === 'gemini' || to === 'openai-responses'))
      expect(searched(eventsIn(chat(to), write(chat(to), ended(eventsIn(chat(from), STREAM[from])))))).toEqual([
        'bonn weather',
      ])
  })
})

test('the annotations of Responses are announced, and stand in all that tells the text again', () => {
  const wire = write(chat('openai-responses'), ended(eventsIn(chat('gemini'), STREAM.gemini)))
  const frames = framesOf(chat('openai-responses'), wire).map(({ data }) => JSON.parse(data) as Json)
  expect(frames.map(({ sequence_number }) => sequence_number)).toEqual(frames.map((_, i) => i))
  const added = frames.filter(({ type }) => type === 'response.output_text.annotation.added')
  expect(added.map(({ annotation_index }) => annotation_index)).toEqual([0, 1])
  const annotations = added.map(({ annotation }) => annotation)
  const done = frames.find(
    ({ type, item }) => type === 'response.output_item.done' && (item as Json).type === 'message',
  )
  const whole = (frames.at(-1)!.response as { output: { type: string; content: Json[] }[] }).output
  expect((done!.item as { content: Json[] }).content[0]?.annotations).toEqual(annotations)
  expect(whole.find(({ type }) => type === 'message')?.content[0]?.annotations).toEqual(annotations)
})

test('what Anthropic could not have made is never sent to a Claude', () => {
  const written = chat('anthropic').writeReply(chat('gemini').readReply(WHOLE.gemini), plainChat(), ANSWERING)
  const history = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: written.content },
  ]
  expect(JSON.stringify(history)).toContain('"encrypted_index":""')
  const asked = { model: 'm', max_tokens: 5, messages: history }
  const again = chat('anthropic').writeRequest(chat('anthropic').readRequest(structuredClone(asked)), warnings().warn)
  expect(JSON.stringify(again)).not.toContain('encrypted_index')
  // The bytes that are relayed are cleaned likewise, and a Claude's own citations stay.
  const { disown } = chat('anthropic')
  const own = { role: 'assistant', content: WHOLE.anthropic.content }
  const body: Json = structuredClone({ ...asked, messages: [...history, own] })
  expect(disown?.marks.some((mark) => JSON.stringify(body).includes(mark))).toBe(true)
  expect(disown?.from(body)).toBe(true)
  expect(body.messages).toEqual([
    history[0],
    { role: 'assistant', content: (written.content as Json[]).map(({ citations: _, ...block }) => block) },
    own,
  ] as Json[])
  expect(disown?.from(body)).toBe(false)
})

test('any citations of any text come back from where they were written', () => {
  const span = fc.tuple(
    fc.nat(30),
    fc.integer({ min: 1, max: 10 }),
    fc.webUrl(),
    fc.string({ minLength: 1, maxLength: 5 }),
  )
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      fc.array(span, { maxLength: 4 }),
      (text, spans) => {
        const points = [0]
        for (const letter of text) points.push((points.at(-1) as number) + letter.length)
        const at = (n: number) => points[Math.min(n, points.length - 1)] as number
        const citations = spans
          .map(
            ([from, length, page, title]): Citation => ({ url: page, title, start: at(from), end: at(from + length) }),
          )
          .filter(({ start = 0, end = 0 }) => end > start)
        const parts = [{ type: 'text' as const, text }]
        const finish = { unified: 'stop' as const, raw: 'stop' }
        const reply = { id: 'r', model: 'm', created: 1, choices: [{ index: 0, parts, finish, citations }] }
        for (const id of ['openai-chat', 'openai-responses'] as DialectId[]) {
          const again = chat(id).readReply(chat(id).writeReply(reply, plainChat(), ANSWERING)).choices[0]
          expect(again?.citations ?? []).toEqual(citations)
          expect(cited(eventsIn(chat(id), write(chat(id), eventsOf(reply))))).toEqual(citations)
        }
        const places = (list: readonly Citation[] = []) =>
          [...new Set(list.map(({ url: page, start, end }) => `${page} ${start} ${end}`))].sort()
        const gemini = chat('gemini')
        const again = gemini.readReply(gemini.writeReply(reply, plainChat(), ANSWERING)).choices[0]
        expect(places(again?.citations)).toEqual(places(citations))
        const anthropic = chat('anthropic')
        const blocks = anthropic.readReply(anthropic.writeReply(reply, plainChat(), ANSWERING)).choices[0]
        expect(textIn(blocks)).toBe(text)
        // Spans that overlap are cut at each other's ends: together they cover the same.
        const covered = (list: readonly Citation[] = []) =>
          new Set(
            list.flatMap(({ url: page, start = 0, end = 0 }) =>
              Array.from({ length: end - start }, (_, i) => `${page} ${start + i}`),
            ),
          )
        expect(covered(blocks?.citations)).toEqual(covered(citations))
      },
    ),
    { numRuns: 300 },
  )
})
