/** Every caller's dialect × a target of each kind × whole and streamed: guardrails do the same in all of them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Json } from '../../src/dialects/canonical.ts'
import { type House, startHouse, TARGETS } from '../clients/house.ts'
import { REQUESTS } from '../dialects/matrix/requests.ts'
import { IDS, type Id } from '../dialects/matrix/said.ts'
import { SEEN } from '../dialects/matrix/seen.ts'
import { SECRET } from './rails.ts'
import { type Scanner, startScanner } from './scanner.ts'

/** A phrase, so that the tokens of an answer cut it. */
const PHRASE = 'the wolf sings at dawn'
const STAR = '<BANNED_WORD>'

let house: House
let scanner: Scanner
beforeAll(async () => {
  scanner = startScanner()
  const words = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'words', words: [PHRASE], tool_definitions: true, ...more },
  })
  const asks = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'webhook', url: scanner.url, timeout: 0.3, retries: 0, ...more },
  })
  house = await startHouse({
    guardrails: [
      words('pre-block', { mode: 'pre_call' }),
      words('pre-redact', { mode: 'pre_call', on_flagged: 'redact' }),
      words('restore', { mode: 'pre_call', on_flagged: 'redact', restore: true }),
      words('post-block', { mode: 'post_call' }),
      words('post-redact', { mode: 'post_call', on_flagged: 'redact' }),
      words('warns', { mode: ['pre_call', 'post_call', 'logging_only'], on_flagged: 'warn' }),
      asks('during', { mode: 'during_call', timeout: 5 }),
      ...(['pre_call', 'during_call', 'post_call'] as const).flatMap((mode) => [
        asks(`${mode}-closed`, { mode }),
        asks(`${mode}-open`, { mode, on_error: 'fail_open' }),
      ]),
    ],
  })
}, 60_000)
afterAll(async () => {
  await house?.end()
  scanner?.stop()
})

const PATHS: Record<Exclude<Id, 'gemini'>, string> = {
  'openai-chat': '/v1/chat/completions',
  'openai-completions': '/v1/completions',
  'openai-responses': '/v1/responses',
  anthropic: '/v1/messages',
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
}

/** Asks with a reference's own request, with other words in it. */
function ask(caller: Id, model: string, stream: boolean, guards: string[], body: Json): Promise<Response> {
  const google = `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
  const said = caller === 'gemini' ? body : { ...body, model, stream }
  return fetch(house.gateway.url + (caller === 'gemini' ? google : PATHS[caller]), {
    method: 'POST',
    headers: { authorization: `Bearer ${house.gateway.masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...said, guardrails: guards }),
  })
}

/** A request with other words in the place of some. */
const saying = (request: Json | undefined, word: string, other: string): Json =>
  JSON.parse(JSON.stringify(request).replaceAll(word, JSON.stringify(other).slice(1, -1))) as Json

const hello = (caller: Id, said: string): Json => saying(REQUESTS[caller].text, 'Hello', said)
const answers = (text: string, more: Json = {}): void =>
  house.mock.plan('m', [{ text, ignoreMaxTokens: true, ...more }])
const sent = (): string => JSON.stringify(house.last())

/** What a caller has of an answer, whole or streamed. */
async function heard(caller: Id, response: Response, stream: boolean) {
  const written = await response.text()
  return stream ? SEEN[caller].stream(written) : SEEN[caller].whole(JSON.parse(written) as Json)
}

function refused(caller: Id, written: string, name: string, code: string): void {
  const told =
    written
      .trim()
      .split('\n')
      .findLast((line) => line.includes('guardrail')) ?? written
  expect(told).toContain(`'${name}'`)
  expect(written).not.toContain('wolf')
  // Ollama's errors are a sentence.
  if (!caller.startsWith('ollama')) expect(written.toLowerCase()).toContain(code)
}

const cells = IDS.flatMap((caller) => TARGETS.map((target) => [caller, target] as const))

describe.each(cells)('%s to %s', (caller, target) => {
  test.each([false, true])('a request, streamed: %s: blocked, redacted, restored, warned of', async (stream) => {
    answers(`you said ${STAR.replace('>', '_1>')} so`)
    const before = house.mock.requests.length
    const blocked = await ask(caller, target, stream, ['pre-block'], hello(caller, `Oh ${PHRASE} yes`))
    expect(blocked.status).toBe(400)
    expect(blocked.headers.get('x-tollgate-guardrails')).toBe('pre-block=blocked; mode=pre_call')
    expect(blocked.headers.get('x-should-retry')).toBe('false')
    refused(caller, await blocked.text(), 'pre-block', 'content_policy_violation')
    expect(house.mock.requests.length).toBe(before)

    const redacted = await ask(caller, target, stream, ['pre-redact'], hello(caller, `Oh ${PHRASE} yes`))
    expect((await heard(caller, redacted, stream)).text).toBe('you said <BANNED_WORD_1> so')
    expect(sent()).toContain(`Oh ${STAR} yes`)
    expect(redacted.headers.get('x-litellm-applied-guardrails')).toBe('pre-redact')

    const restored = await ask(caller, target, stream, ['restore'], hello(caller, `Oh ${PHRASE} yes ${PHRASE}`))
    const back = await heard(caller, restored, stream)
    expect([back.text, back.finish]).toEqual([`you said ${PHRASE} so`, 'stop'])
    expect(sent()).toContain('Oh <BANNED_WORD_1> yes <BANNED_WORD_1>')

    const warned = await ask(caller, target, stream, ['warns'], hello(caller, `Oh ${PHRASE} yes`))
    expect(warned.headers.get('x-tollgate-guardrails')).toContain('warns=warned; mode=pre_call')
    expect((await heard(caller, warned, stream)).text).toContain('you said')
    expect(sent()).toContain(PHRASE)
  })

  test.each([false, true])('an answer, streamed: %s: blocked, redacted', async (stream) => {
    answers(`well ${PHRASE} and again ${PHRASE} and then some more words come`)
    const redacted = await heard(
      caller,
      await ask(caller, target, stream, ['post-redact'], hello(caller, 'Hi')),
      stream,
    )
    expect([redacted.text, redacted.finish]).toEqual([
      `well ${STAR} and again ${STAR} and then some more words come`,
      'stop',
    ])
    const blocked = await ask(caller, target, stream, ['post-block'], hello(caller, 'Hi'))
    const written = await blocked.text()
    refused(caller, written, 'post-block', 'content_policy_violation')
    // Where nothing has left yet it is refused as a whole answer is.
    if (stream && blocked.status === 200) {
      expect(SEEN[caller].failed(written)).toBeTrue()
      const said = SEEN[caller].stream(caller === 'gemini' ? written.replace(/^\{"error".*$/gm, '') : written)
      expect([said.finish, 'well '.startsWith(said.text)]).toEqual([undefined, true])
    } else expect(blocked.status).toBe(400)
  })

  test.each([false, true])('beside an answer, streamed: %s: it is cut', async (stream) => {
    scanner.set('well', 60)
    answers('one two three four five six seven eight nine ten '.repeat(3), { delayBetween: 20 })
    const cut = await ask(caller, target, stream, ['during'], hello(caller, `Oh ${SECRET}`))
    const written = await cut.text()
    refused(caller, written, 'during', 'content_policy_violation')
    if (stream && cut.status === 200) expect(SEEN[caller].failed(written)).toBeTrue()
    else expect(cut.status).toBe(400)
    await house.mock.until((all) => all.at(-1)?.abortedAt !== undefined || all.at(-1)?.doneAt !== undefined, 2_000)
    expect(house.mock.requests.at(-1)?.abortedAt).toBeDefined()

    answers('fine', {})
    const fine = await heard(caller, await ask(caller, target, stream, ['during'], hello(caller, 'Oh')), stream)
    expect([fine.text, fine.finish]).toEqual(['fine', 'stop'])
  })
})

/** Words of the requests, one for each kind of text that a request may hold. */
const PLACES: readonly (readonly [feature: 'text' | 'tools' | 'tool result' | 'structured output', word: string])[] = [
  ['text', 'Be brief.'],
  ['text', 'Hello'],
  ['tools', 'Weather of a city'],
  ['tool result', 'Paris'],
  ['tool result', '18 degrees'],
  ['structured output', 'Which city?'],
]

describe.each(cells)('nothing of what is redacted reaches the target: %s to %s', (caller, target) => {
  test.each(PLACES)('%s: %s', async (feature, word) => {
    const request = REQUESTS[caller][feature] as Json | undefined
    if (!request || !JSON.stringify(request).includes(word)) return
    answers('fine')
    const body = saying(request, word, `so ${PHRASE} it is`)
    const open = await ask(caller, target, false, [], body)
    await open.text()
    // Else it would prove nothing.
    if (open.status !== 200 || !sent().includes('wolf')) return
    const answer = await ask(caller, target, false, ['pre-redact'], body)
    expect([answer.status, await answer.text()]).toEqual([200, expect.anything()])
    expect(sent()).not.toContain('wolf')
    expect(sent()).toContain(`so ${STAR} it is`)
    const blocked = await ask(caller, target, false, ['pre-block'], body)
    expect(blocked.status).toBe(400)
  })
})

const MOODS = ['down', 'slow', 'wrong', 'refuses', 'fails'] as const

describe.each(IDS)('a scanner that gives no verdict: %s', (caller) => {
  test.each(MOODS)(
    '%s',
    async (mood) => {
      answers('all is well here')
      if (mood === 'down') scanner.down()
      else if (mood === 'slow') scanner.set('hangs')
      else scanner.set(mood)
      try {
        for (const stream of [false, true])
          for (const when of ['pre_call', 'during_call', 'post_call']) {
            const before = house.mock.requests.length
            const [closed, open] = await Promise.all([
              ask(caller, 'openai', stream, [`${when}-closed`], hello(caller, 'Hi')),
              ask(caller, 'openai', stream, [`${when}-open`], hello(caller, 'Hi')),
            ])
            const written = await closed.text()
            const label = `${when} ${stream}`
            // A stream has begun by then; its end waits for a verdict that is slower.
            const isLate = stream && when !== 'pre_call' && closed.status === 200
            if (!isLate) expect([label, closed.status]).toEqual([label, 503])
            refused(caller, written, `${when}-closed`, 'unavailable')
            if (isLate) expect([label, SEEN[caller].failed(written)]).toEqual([label, true])
            if (isLate && when === 'post_call') expect(written).not.toContain('well')
            expect([label, open.status]).toEqual([label, 200])
            expect((await heard(caller, open, stream)).text).toBe('all is well here')
            if (when === 'pre_call') expect(house.mock.requests.length).toBe(before + 1)
          }
      } finally {
        if (mood === 'down') scanner.up()
        scanner.set('well')
      }
    },
    20_000,
  )
})
