/**
 * Every caller's dialect × a target of each dialect, over the wire: what the pipeline adds to the matrix of dialects
 * (test/dialects/matrix.test.ts). Callers who leave, targets that fail, answers that break off.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Json } from '../../src/dialects/canonical.ts'
import { REQUESTS } from '../dialects/matrix/requests.ts'
import { IDS, type Id } from '../dialects/matrix/said.ts'
import { SEEN } from '../dialects/matrix/seen.ts'
import { wordsFor } from '../mock/answer.ts'
import { type House, startHouse, TARGETS, WORDS } from './house.ts'

let house: House
beforeAll(async () => {
  house = await startHouse()
}, 60_000)
afterAll(() => house?.end())

const PATHS: Record<Exclude<Id, 'gemini'>, string> = {
  'openai-chat': '/v1/chat/completions',
  'openai-completions': '/v1/completions',
  'openai-responses': '/v1/responses',
  anthropic: '/v1/messages',
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
}

/** `system` (50 tokens at most) and `Hello`, as each dialect's reference asks it. */
function ask(caller: Id, model: string, stream: boolean, signal?: AbortSignal): Promise<Response> {
  const google = `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
  const said = REQUESTS[caller].text as Json
  return fetch(house.gateway.url + (caller === 'gemini' ? google : PATHS[caller]), {
    method: 'POST',
    headers: { authorization: `Bearer ${house.gateway.masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(caller === 'gemini' ? said : { ...said, model, stream }),
    ...(signal ? { signal } : {}),
  })
}

const TEXT = wordsFor('Hello', WORDS).join('')

/** Where an error says its sentence and its kind, as the dialect's clients look for them. */
function wordsOf(caller: Id, body: Json): { message: unknown; kind: unknown } {
  const error = body.error as Json
  if (caller.startsWith('ollama-')) return { message: body.error, kind: 'none' }
  if (caller === 'anthropic') expect(body.type).toBe('error')
  return { message: error.message, kind: caller === 'gemini' ? error.status : error.type }
}
const KINDS: Partial<Record<Id, readonly [failed: string, long: string]>> = {
  anthropic: ['api_error', 'invalid_request_error'],
  'ollama-chat': ['none', 'none'],
  'ollama-generate': ['none', 'none'],
  gemini: ['UNAVAILABLE', 'INVALID_ARGUMENT'],
}

const cells = IDS.flatMap((caller) => TARGETS.map((target) => [caller, target] as const))

describe.each(cells)('%s to %s', (caller, target) => {
  test('an answer, whole and streamed, is the same', async () => {
    const whole = await ask(caller, target, false)
    const seen = SEEN[caller].whole((await whole.json()) as Json)
    expect([seen.text, seen.finish]).toEqual([TEXT, 'stop'])
    const streamed = SEEN[caller].stream(await (await ask(caller, target, true)).text())
    expect(streamed).toEqual(seen)
  })

  test('leaving before the answer begins, whole and streamed, stops the target', async () => {
    for (const stream of [false, true]) {
      const before = house.mock.requests.length
      const gone = new AbortController()
      const asked = ask(caller, `${target}-hang`, stream, gone.signal).catch((cause: Error) => cause.name)
      await house.mock.until((all) => all.length > before, 2_000)
      gone.abort()
      expect(await asked).toBe('AbortError')
      await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
    }
  })

  test('leaving in the middle of a stream stops the target', async () => {
    const before = house.mock.requests.length
    const reader = (await ask(caller, `${target}-slow`, true)).body?.getReader()
    let text = ''
    const decoder = new TextDecoder()
    while (!text.includes('Hello')) text += decoder.decode((await reader?.read())?.value, { stream: true })
    const left = Date.now()
    await reader?.cancel()
    await house.mock.until((all) => all[before]?.abortedAt !== undefined, 2_000)
    expect(Date.now() - left).toBeLessThan(500)
    expect(house.mock.requests[before]?.doneAt).toBeUndefined()
  })

  test('a failure of the target, and a prompt too long, in the words of the caller', async () => {
    const [failed, long] = KINDS[caller] ?? ['server_error', 'invalid_request_error']
    for (const stream of [false, true]) {
      const one = await ask(caller, `${target}-500`, stream)
      const told = wordsOf(caller, (await one.json()) as Json)
      expect([one.status, told.kind, one.headers.get('x-should-retry')]).toEqual([502, failed, 'true'])
      expect(told.message).toContain("can't answer now")
      const two = await ask(caller, `${target}-context`, stream)
      const refused = wordsOf(caller, (await two.json()) as Json)
      expect([two.status, refused.kind, two.headers.get('x-should-retry')]).toEqual([400, long, 'false'])
      expect(refused.message).toContain('maximum context length')
    }
  })

  test('credentials that the target refuses are not worth another try', async () => {
    const reply = await ask(caller, `${target}-401`, true)
    expect([reply.status, reply.headers.get('x-should-retry')]).toEqual([502, 'false'])
  })

  test.each(['inband', 'cut'])('a stream that breaks off (%s) is told, and never looks whole', async (fault) => {
    const written = await (await ask(caller, `${target}-${fault}`, true)).text()
    expect(SEEN[caller].failed(written)).toBeTrue()
    expect(written).toContain('not the whole answer')
    const { text, finish } = SEEN[caller].stream(caller === 'gemini' ? written.replace(/^\{"error".*$/gm, '') : written)
    expect(finish).toBeUndefined()
    expect(text.length).toBeGreaterThan(0)
    expect(text.length).toBeLessThan(TEXT.length)
    expect(TEXT.startsWith(text)).toBeTrue()
  })
})
