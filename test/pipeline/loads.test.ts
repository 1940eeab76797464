/** What a request may use beside tokens of text, read of its bytes, where the price asks for it. */
import { describe, expect, test } from 'bun:test'
import { Experience } from '../../src/core/estimate.ts'
import type { Priced, Rates } from '../../src/core/price.ts'
import { wholeRates } from '../../src/core/rates.ts'
import type { DialectId } from '../../src/dialects/canonical.ts'
import { dialects } from '../../src/dialects/index.ts'
import { isForm, peekForm, readForm } from '../../src/dialects/multipart.ts'
import { peek } from '../../src/dialects/peek.ts'
import type { Call } from '../../src/pipeline/call.ts'
import { loadsFor } from '../../src/pipeline/loads.ts'
import { target } from '../core/make.ts'

const price = (given: Partial<Rates>): Priced => ({
  kind: 'priced',
  rates: wholeRates({ input: 10, output: 20, ...given }),
  tiers: [],
  version: 'test',
})

/** A call as far as loads look at it. */
function callOf(id: DialectId, body: unknown): Call {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  const said = { model: 'm', stream: false }
  return {
    door: { dialect: dialects[id] },
    bytes,
    form: undefined,
    peek: peek(bytes, dialects[id], said),
  } as unknown as Call
}

const HERE = target({ timeouts: { connect: 1, firstByte: 1, idle: 1, total: 60_000 } })
const loads = (call: Call, given: Partial<Rates>) => loadsFor(call, price(given), HERE, new Experience())
const chat = (content: unknown, more: object = {}) =>
  callOf('openai-chat', { model: 'm', messages: [{ role: 'user', content }], ...more })

describe('kinds of tokens', () => {
  test('only those that the request can have, and only where they cost more than text', () => {
    const dear = { audioInput: 100, imageInput: 50, audioOutput: 200, cacheWriteHour: 40 }
    expect(loads(chat('Hello'), dear).most.kinds).toEqual({
      ...{ hourCache: false, audioInput: false, imageInput: false, audioOutput: false },
    })
    const heard = chat([{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }])
    expect(loads(heard, dear).most.kinds).toMatchObject({ audioInput: true, audioOutput: true, imageInput: false })
    expect(loads(heard, {}).most.kinds.audioInput).toBe(false)
    const seen = chat([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }])
    expect(loads(seen, dear).most.kinds).toMatchObject({ imageInput: true, audioInput: false })
    const cached = callOf('anthropic', {
      ...{ model: 'm', max_tokens: 5 },
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
      ],
    })
    expect(loads(cached, dear).most.kinds.hourCache).toBe(true)
    const spoken = callOf('gemini', {
      contents: [{ parts: [{ text: 'x' }] }],
      generationConfig: { responseModalities: ['AUDIO'] },
    })
    expect(loads(spoken, dear).most.kinds.audioOutput).toBe(true)
  })

  test('letters that are written as escapes hide nothing', () => {
    const hidden = '{"model":"m","messages":[{"role":"user","content":[{"type":"input\\u005faudi\\u006f"}]}]}'
    expect(loads(callOf('openai-chat', hidden), { audioInput: 100 }).most.kinds.audioInput).toBe(true)
    // As Python writes an accent: no letter of a word is hidden by it.
    const accent = '{"model":"m","messages":[{"role":"user","content":"caf\\u00e9"}]}'
    expect(loads(callOf('openai-chat', accent), { audioInput: 100 }).most.kinds.audioInput).toBe(false)
  })
})

describe('what is no token', () => {
  test('images that are asked for', () => {
    const images = callOf('openai-images', { model: 'm', prompt: 'a toll gate', n: 3 })
    expect(loads(images, { image: 5 })).toMatchObject({ most: { images: 3, beside: true }, likely: { images: 3 } })
    expect(loads(chat('draw', { n: 3 }), { image: 5 }).most.images).toBe(0)
  })

  test('characters that are spoken: as many as people count, not bytes', () => {
    const speech = callOf('openai-speech', { model: 'm', input: 'größer 🚦 "x"', voice: 'alloy' })
    expect(loads(speech, { character: 5 }).most.characters).toBe(12)
    expect(loads(chat('x'), { character: 5 }).most.characters).toBe(0)
  })

  test('the length of a recording', () => {
    const rate = 16_000
    const wav = new Uint8Array(44 + rate * 2 * 3)
    const view = new DataView(wav.buffer)
    for (const [at, mark] of [
      [0, 'RIFF'],
      [8, 'WAVEfmt '],
      [36, 'data'],
    ] as const)
      new TextEncoder().encodeInto(mark, wav.subarray(at))
    for (const [at, n] of [
      [16, 16],
      [24, rate],
      [28, rate * 2],
      [40, rate * 2 * 3],
    ] as const)
      view.setUint32(at, n, true)
    for (const [at, n] of [
      [20, 1],
      [22, 1],
      [32, 2],
      [34, 16],
    ] as const)
      view.setUint16(at, n, true)
    const head =
      '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    const bytes = new Uint8Array(Buffer.concat([Buffer.from(head), wav, Buffer.from('\r\n--b--')]))
    const type = 'multipart/form-data; boundary=b'
    expect(isForm(type)).toBe(true)
    const form = readForm(bytes, type)
    const dialect = dialects['openai-transcriptions']
    const call = { door: { dialect }, bytes, form, peek: peekForm(bytes, form, dialect) } as unknown as Call
    expect(loads(call, { media: 5 })).toMatchObject({ most: { mediaMs: 3_000 }, likely: { mediaMs: 3_000 } })
  })

  test("the machine's time: at most the target's, most likely the longest of the last answers", () => {
    const experience = new Experience()
    for (const ms of [200, 900, 400]) experience.took(ms)
    const { most, likely } = loadsFor(chat('x'), price({ gpu: 5 }), HERE, experience)
    expect([most.gpuMs, likely.gpuMs]).toEqual([60_000, 900])
    // What has media is paid by its length.
    expect(loads(callOf('openai-images', { model: 'm', prompt: 'x' }), { gpu: 5 }).most.gpuMs).toBe(0)
  })

  test('searches where one may be made, as many as are allowed', () => {
    expect(loads(chat('Hello'), { search: 5 }).most.searches).toBe(0)
    const web = (more: object) =>
      chat('Hello', { tools: [{ type: 'web_search_20250305', name: 'web_search', ...more }] })
    expect(loads(web({}), { search: 5 })).toMatchObject({ most: { searches: 10 }, likely: { searches: 1 } })
    expect(loads(web({ max_uses: 3 }), { search: 5 }).most.searches).toBe(3)
    expect(loads(web({ max_uses: 3 }), {}).most.searches).toBe(0)
    expect(loads(chat('x', { web_search_options: {} }), { search: 5 }).most.searches).toBe(10)
  })

  test("a ranking's units: a hundred documents each, long ones counted as several", () => {
    const rank = (documents: string[]) => callOf('rerank', { model: 'm', query: 'q', documents })
    expect(loads(rank(['a', 'b']), { search: 5 })).toMatchObject({ most: { searches: 1 }, likely: { searches: 1 } })
    expect(loads(rank(new Array(101).fill('a')), { search: 5 }).likely.searches).toBe(2)
    expect(loads(rank(['x'.repeat(60_000)]), { search: 5 })).toMatchObject({
      most: { searches: 2 },
      likely: { searches: 1 },
    })
  })
})

test('a price of text alone looks at nothing', () => {
  const unread = { door: { dialect: dialects['openai-chat'] } } as unknown as Call
  expect(loads(unread, {}).most.beside).toBe(false)
  expect(loadsFor(unread, { kind: 'free', version: '' }, HERE, new Experience()).most.beside).toBe(false)
})
