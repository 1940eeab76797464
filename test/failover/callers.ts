/** Faults of callers: what is no request, who leaves, who shuts one side, who asks several times in one breath. */
import { expect } from 'bun:test'
import { BODIES } from '../http/bodies.ts'
import { type Answer, messageOf, raw } from '../http/world.ts'
import { wordsFor } from '../mock/answer.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import type { Tongue } from '../support/ask.ts'
import { atRest, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type Case, each, type Scene } from './scene.ts'
import type { RowName } from './table.ts'
import { answersIn, chat, type HttpAnswer, head, speak } from './wire.ts'
import { deployment, UPSTREAM_KEY } from './world.ts'

const WORDS = 100
const PATHS = { openai: '/v1/chat/completions', ollama: '/api/chat' } as const
const PRICE = { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 }
/** Bytes of an answer after which its caller leaves; a head has about 500. 0: before anything came. */
const BYTES = [0, 1, 300, 700, 2_000, 5_000] as const

/** What each of these cases asks for of the mock: a model of its own, so that it is known what was asked. */
const GOOD = 'm'

export function callers(): Scene {
  let mock: Mock
  let gateway: Gateway
  let serial = 0
  const good = (stream: boolean) => ({ model: GOOD, stream, messages: [{ role: 'user', content: 'Hi there' }] })
  const door = (tongue: Tongue, stream: boolean) => ({ path: PATHS[tongue], shape: tongue, good: good(stream) })

  async function post(
    tongue: Tongue,
    body: Uint8Array | string,
    headers: Record<string, string> = {},
    method = 'POST',
  ): Promise<Answer> {
    const reply = await fetch(gateway.url + PATHS[tongue], {
      method,
      ...(method === 'GET' ? {} : { body }),
      headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': 'application/json', ...headers },
    })
    return { status: reply.status, headers: reply.headers, text: await reply.text() }
  }

  /** Refused in the caller's dialect, with a reason; no upstream is asked (all cases ask for `m` of a mock of theirs). */
  const refused = (tongue: Tongue, answer: Answer, status: number, says: RegExp): void => {
    expect([answer.status, messageOf(tongue, answer)]).toEqual([status, expect.stringMatching(says)])
    expect(mock.of(GOOD)).toEqual([])
  }
  const badBody = (name: string, more?: RegExp) => async (tongue: Tongue, stream: boolean) => {
    const [, body, status, says] = BODIES.find(([is]) => is === name)!
    refused(tongue, await post(tongue, body(door(tongue, stream))), status, more ?? says)
  }
  const badField = (field: string, change: Record<string, unknown>) => async (tongue: Tongue, stream: boolean) => {
    const answer = await post(tongue, JSON.stringify({ ...good(stream), ...change }))
    refused(tongue, answer, 400, new RegExp(`'(options.)?${field}'`))
  }

  /** Refused or hung up on, never two requests of one, and others go on. */
  const oddRequest = (lines: (body: string) => string[], framed = (body: string) => body) => {
    return async (tongue: Tongue, stream: boolean) => {
      const body = JSON.stringify(good(stream))
      const said = [head(gateway, PATHS[tongue], [...lines(body), 'connection: close']), framed(body)]
      const { text, open } = await raw(gateway.port, said, 5_000)
      expect(open).toBe(false)
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((m) => Number(m[1]))
      expect(statuses.length).toBeLessThanOrEqual(1)
      for (const status of statuses) expect([400, 411, 413, 414, 431]).toContain(status)
      expect(text).not.toMatch(/\.ts:\d|node_modules/)
      expect(mock.of(GOOD)).toEqual([])
      expect((await post(tongue, JSON.stringify({ ...good(stream), model: 'fine' }))).status).toBe(200)
    }
  }

  const asForm = async (tongue: Tongue, stream: boolean) => {
    const body = JSON.stringify({ ...good(stream), model: 'fine' })
    const { status, text } = await post(tongue, body, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(status).toBe(200)
    expect(text).toContain('Hi')
  }
  const byGet = async (tongue: Tongue) => {
    refused(tongue, await post(tongue, '', {}, 'GET'), 405, /POST/)
  }
  const wrongKey = async (tongue: Tongue, stream: boolean) => {
    for (const authorization of ['Bearer sk-wrong', 'Bearer ', 'Basic abc'])
      refused(tongue, await post(tongue, JSON.stringify(good(stream)), { authorization }), 401, /key/i)
  }

  const halfClosed = async (tongue: Tongue, stream: boolean) => {
    const model = `${tongue}-half-${++serial}`
    const said = speak(gateway.port, chat(gateway, tongue, model, stream, 'Hi there', ['connection: close']), {
      halfOpen: true,
    })
    await said.until(said.ended)
    const [answer] = answersIn(said.text())
    // In full, or hung up on (a stream in its middle: its chunks have no end, which every client sees): never left hanging.
    // One that ends with an error says itself that it is not whole.
    if (answer) {
      const said = answer.body.includes(`größer${WORDS - 1}`)
        ? 'whole'
        : /"error"/.test(answer.body)
          ? 'an error'
          : answer.body
      expect(['whole', 'an error']).toContain(said)
    } else await mock.until(() => mock.of(model).every((seen) => (seen.doneAt ?? seen.abortedAt) !== undefined), 1_000)
  }

  /**
   * Written in one piece. The server under us (uWebSockets) hangs up on whoever asks again on a connection before he has
   * his answer: then nothing is half answered, and nothing goes on upstream (RFC 9112, 9.3.2: he may ask again).
   */
  const pipelined = async (tongue: Tongue, stream: boolean) => {
    const { names, models, asked } = several(tongue, stream)
    const reading = speak(gateway.port, asked.join(''))
    await reading.until(() => answersIn(reading.text()).length === names.length, 15_000)
    for (const [i, answer] of answersIn(reading.text()).entries()) isOf(answer, names, i, tongue, stream)
    reading.socket.destroy()
    const left = () => models.flatMap((model) => mock.of(model))
    await mock.until(() => left().every((seen) => (seen.doneAt ?? seen.abortedAt) !== undefined), 1_000)
    for (const model of models) expect(mock.of(model).length).toBeLessThanOrEqual(1)
  }

  /** One after the other on one connection, answered in order, each with his own words. */
  const inTurn = async (tongue: Tongue, stream: boolean) => {
    const { names, models, asked } = several(tongue, stream)
    const reading = speak(gateway.port, asked[0]!)
    for (const [i, next] of [...asked.slice(1), ''].entries()) {
      await reading.until(() => answersIn(reading.text()).length > i, 15_000)
      if (next !== '') reading.socket.write(next)
    }
    const answers = answersIn(reading.text())
    reading.socket.destroy()
    expect(answers).toHaveLength(names.length)
    for (const [i, answer] of answers.entries()) isOf(answer, names, i, tongue, stream)
    for (const model of models) expect(mock.of(model)).toHaveLength(1)
  }

  function several(tongue: Tongue, stream: boolean) {
    const names = [...Array(8).keys()].map((i) => `caller${i}`)
    // The first is the slowest.
    const models = names.map((_, i) => `${tongue}-pipe-${++serial}!slowfirst:${i === 0 ? 400 : (i * 37) % 90}`)
    const asked = names.map((name, i) => chat(gateway, tongue, models[i]!, stream, `${name} speaks`))
    return { names, models, asked }
  }
  const isOf = (answer: HttpAnswer, names: readonly string[], i: number, tongue: Tongue, stream: boolean) => {
    expect(answer.status).toBe(200)
    expect(names.filter((name) => answer.body.includes(name))).toEqual([names[i]!])
    expect(textOf(tongue, stream, answer.body)).toBe(wordsFor(names[i]!, WORDS).join(''))
  }

  /** The upstream is cancelled within a second, asked once, and charged by the ledger's table. */
  const leaves = (bytes: number) => async (tongue: Tongue, stream: boolean) => {
    const fault = stream ? (bytes === 0 ? 'slowfirst:20000' : 'slow:25') : 'slowfirst:20000'
    const model = `${tongue}-leave-${++serial}!${fault}`
    const reading = speak(gateway.port, chat(gateway, tongue, model, stream))
    await mock.until(() => (mock.of(model)[0]?.sold.prompt ?? 0) > 0)
    await reading.until(() => reading.count() >= bytes)
    expect(reading.ended()).toBeFalse()
    const left = Date.now()
    reading.socket.destroy()
    await mock.until(() => mock.of(model)[0]?.abortedAt !== undefined, 3_000)
    const [seen] = mock.of(model)
    expect(seen!.at + seen!.abortedAt! - left).toBeLessThan(1_000)
    let row = await rowFor(model)
    for (let i = 0; i < 100 && !row; i++) {
      await Bun.sleep(30)
      row = await rowFor(model)
    }
    expect(mock.of(model)).toHaveLength(1)
    // Nothing was reported: the prompt and what had come are counted; estimated where that takes longer than 2 s.
    expect(row).toMatchObject({ outcome: 'aborted', usage_source: expect.stringMatching(/^(counted|estimated)$/) })
    expect(row!.prompt_tokens).toBeGreaterThan(0)
    if (bytes === 0) expect(row!.completion_tokens).toBe(0)
    // The mock's words are two tokens or three to a real vocabulary.
    if (bytes > 700) expect(row!.completion_tokens).toBeWithin(1, seen!.sold.completion * 5)
  }
  const rowFor = async (model: string) => (await rowsOf(gateway)).find((row) => row.model === model)

  const same = (rows: readonly RowName[], run: Parameters<typeof each>[1]): Case[] => each(rows, run)
  const whole = { forms: ['whole'] } as const
  const streamed = { forms: ['streamed'] } as const
  return {
    width: 12,
    cases: [
      ...same(['Invalid UTF-8 in the JSON'], badBody('invalid UTF-8')),
      ...same(['Empty body'], badBody('an empty body')),
      ...same(['JSON nested 100 000 deep'], badBody('100,000 objects deep')),
      ...same(['JSON nested 100 000 deep'], badBody('100,000 lists deep')),
      ...same(['NUL byte in the JSON text'], badBody('a NUL in the text')),
      ...same(['Unknown model'], badBody('an unknown model', /gpt-99.*not (found|exist)/)),
      ...same(['messages is a string'], badField('messages', { messages: 'Hi there' })),
      ...each(['messages missing'], badField('messages', { messages: undefined }), { tongues: ['openai'] }),
      ...each(['messages missing'], loads, { tongues: ['ollama'] }),
      ...each(['Negative max_tokens'], badField('max_tokens', { max_tokens: -1 }), { tongues: ['openai'] }),
      ...each(['Negative max_tokens'], negativeLimit, { tongues: ['ollama'] }),
      ...same(['Form content-type with a JSON body'], asForm),
      ...each(['GET on the chat endpoint'], byGet, whole),
      ...same(['Wrong gateway key'], wrongKey),
      ...same(
        ['1 MB request header'],
        oddRequest((body) => [`x-big: ${'h'.repeat(1024 * 1024)}`, `content-length: ${body.length}`]),
      ),
      ...same(
        ['NUL byte in a header'],
        oddRequest((body) => ['x-nul: a\0b', `content-length: ${body.length}`]),
      ),
      ...same(
        ['Content-Length and Transfer-Encoding together'],
        oddRequest(
          (body) => [`content-length: ${body.length}`, 'transfer-encoding: chunked'],
          (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        ),
      ),
      ...same(
        ['Content-Length and Transfer-Encoding together'],
        oddRequest(
          () => ['transfer-encoding: chunked', 'content-length: 4'],
          (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        ),
      ),
      ...same(
        ['Two different Content-Lengths'],
        oddRequest((body) => [`content-length: ${body.length}`, `content-length: ${body.length + 5}`]),
      ),
      ...same(['Half-close: client shuts its sending side, then reads', 'half-closed'], halfClosed),
      ...same(['pipelined requests'], pipelined),
      ...same(['pipelined requests'], inTurn),
      ...BYTES.flatMap((bytes) => each(['leaving at byte n', 'Client leaves mid-stream'], leaves(bytes), streamed)),
      ...each(['leaving at byte n', 'Client leaves while waiting for a plain answer'], leaves(0), whole),
    ],
    async start() {
      mock = await startMock({ words: WORDS })
      const more = (tongue: Tongue, name: string) => deployment(name, tongue, mock.url, name, PRICE)
      gateway = await startGateway({
        yaml: {
          model_list: [
            more('openai', GOOD),
            more('ollama', 'fine'),
            more('openai', 'openai-*'),
            more('ollama', 'ollama-*'),
            // A second target for each, so that nobody is asked in another's place.
            ...(['openai', 'ollama'] as const).map((tongue) => more(tongue, `${tongue}-*`)),
          ],
          tollgate: { backends: { [mock.url]: { slots: 1_000 } } },
        },
      })
    },
    async stop() {
      await atRest(gateway)
      expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
      expect(gateway.logs()).not.toMatch(/unhandled|panic/i)
      await gateway.stop()
      mock.stop()
    },
  }

  /** In Ollama's API that is no mistake: the model is loaded. Nobody is asked for an answer. */
  async function loads(tongue: Tongue, stream: boolean): Promise<void> {
    const answer = await post(tongue, JSON.stringify({ ...good(stream), messages: undefined }))
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, expect.objectContaining({ done_reason: 'load' })])
    expect(mock.of(GOOD)).toEqual([])
  }

  /** Ollama's word for no limit is -1 (and -2, to fill the context): it is passed on; a caller of its API says it so. */
  async function negativeLimit(tongue: Tongue, stream: boolean): Promise<void> {
    const answer = await post(tongue, JSON.stringify({ ...good(stream), model: 'fine', options: { num_predict: -1 } }))
    expect(answer.status).toBe(200)
    const wrong = await post(tongue, JSON.stringify({ ...good(stream), options: { num_predict: 'ten' } }))
    refused(tongue, wrong, 400, /num_predict/)
  }
}

/** The words of an answer's body. */
function textOf(tongue: Tongue, stream: boolean, body: string): string {
  const parts = stream
    ? body.split('\n').flatMap((line) => {
        const data = tongue === 'openai' ? line.replace(/^data: /, '') : line
        return data.startsWith('{') ? [data] : []
      })
    : [body]
  return parts
    .map((part) => {
      const json = JSON.parse(part)
      return json.message?.content ?? json.choices?.[0]?.delta?.content ?? json.choices?.[0]?.message?.content ?? ''
    })
    .join('')
}
