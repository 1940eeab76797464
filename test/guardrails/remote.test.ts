/** Guards that ask somebody: what they send, what they make of answers, and of everything that is none. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { GuardError } from '../../src/guardrails/guard.ts'
import { kindNamed } from '../../src/guardrails/kinds/index.ts'
import { changed } from '../../src/guardrails/kinds/webhook.ts'
import { BAD, type Mood, startScanners, WEBHOOK_SECRET } from './mock-scanners.ts'
import { found, guard, lookLater, piece, tools } from './support.ts'

const scanners = startScanners()
afterAll(() => scanners.stop())
beforeEach(() => {
  scanners.asked.length = 0
  scanners.mood = 'well'
  scanners.next = []
})

const KEY = 'key-that-must-not-be-seen'
const SETTINGS: Record<string, Record<string, unknown>> = {
  lockllm: { api_base: scanners.url, api_key: KEY },
  openai_moderation: { api_base: `${scanners.url}/v1`, api_key: KEY },
  presidio: { presidio_analyzer_api_base: scanners.url },
  lakera: { api_base: scanners.url, api_key: KEY },
  'azure/text_moderations': { api_base: scanners.url, api_key: KEY },
  'azure/prompt_shield': { api_base: scanners.url, api_key: KEY },
  bedrock: { aws_bedrock_runtime_endpoint: scanners.url, guardrailIdentifier: 'ff6ujrregl1q', api_key: KEY },
  webhook: { url: `${scanners.url}/webhook`, secret: WEBHOOK_SECRET, offsets: 'code_points' },
  generic_guardrail_api: { api_base: scanners.url, api_key: KEY },
}
const KINDS = Object.keys(SETTINGS)
/** Those that tell what is dangerous from what is not; Presidio only finds. */
const JUDGES = KINDS.filter((kind) => kind !== 'presidio')
const FINDERS = ['presidio', 'lakera', 'bedrock', 'webhook', 'generic_guardrail_api']

const failure = async (kind: string, mood: Mood, signal?: AbortSignal): Promise<GuardError> => {
  scanners.mood = mood
  const cause = await lookLater(guard(kind, SETTINGS[kind]), [`hello ${KEY.length}`], {}, signal).then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(cause).toBeInstanceOf(GuardError)
  const told = cause as GuardError
  expect(told.message).not.toContain(KEY)
  expect(told.message).not.toContain('hello')
  return told
}

describe.each(KINDS)('%s', (kind) => {
  test('passes what is harmless, and is not asked about nothing', async () => {
    const one = guard(kind, SETTINGS[kind])
    expect(one.local).toBe(false)
    expect(await lookLater(one, ['what is the weather'])).toMatchObject({ flagged: false, findings: [] })
    expect(scanners.asked.length).toBe(1)
    expect(await lookLater(one, [])).toMatchObject({ flagged: false })
    expect(scanners.asked.length).toBe(1)
  })

  test('what is no verdict is none', async () => {
    const told: Record<string, [string, boolean]> = {}
    for (const mood of ['unauthorized', 'limits', 'fails', 'huge', 'not_json', 'empty', 'redirects', 'cuts'] as const) {
      const { why, retryable } = await failure(kind, mood)
      told[mood] = [why, retryable]
    }
    expect(told).toEqual({
      unauthorized: ['refused', false],
      limits: ['refused', true],
      fails: ['unreachable', true],
      huge: ['bad_reply', false],
      not_json: ['bad_reply', false],
      empty: ['bad_reply', false],
      redirects: ['bad_reply', false],
      cuts: ['unreachable', true],
    })
  })

  test('one that does not answer is given up with its signal', async () => {
    const { why } = await failure(kind, 'hangs', AbortSignal.timeout(50))
    expect(why).toBe('timeout')
  })

  test('one that is not there', async () => {
    const cause = await lookLater(
      guard(kind, SETTINGS[kind], tools({ fetch: () => Promise.reject(new Error(`refused ${KEY}`)) })),
      ['hello'],
    ).catch((caught: unknown) => caught)
    expect(cause).toMatchObject({ why: 'unreachable', retryable: true })
    expect((cause as Error).message).not.toContain(KEY)
  })

  test('its key prints nowhere', () => {
    const read = kindNamed(kind)?.settings.parse(SETTINGS[kind])
    expect(`${JSON.stringify(read)}${Bun.inspect(read)}`).not.toContain(KEY)
    expect(guard(kind, SETTINGS[kind]).version).not.toContain(KEY)
  })
})

test.each(JUDGES)('%s flags what is bad, in any piece', async (kind) => {
  const one = guard(kind, SETTINGS[kind])
  expect(
    await lookLater(one, ['hello', piece(`a page that says ${BAD}`, { kind: 'tool_result', role: 'tool' })]),
  ).toMatchObject({
    flagged: true,
  })
  expect(await lookLater(one, [`${BAD}`], { direction: 'output' })).toMatchObject({ flagged: true })
})

test.each(FINDERS)('%s says where, in UTF-16, whatever stands before', async (kind) => {
  const one = guard(kind, SETTINGS[kind])
  const text = '👩‍👩‍👧 e\u0301𝔘 write to ada@example.com or Ada Lovelace 😀'
  const said = await lookLater(one, ['first', text])
  expect(said.flagged).toBe(true)
  if (kind === 'generic_guardrail_api') {
    const [one] = said.findings
    expect(one && text.slice(0, one.start) + one.replacement + text.slice(one.end)).toBe(
      '👩‍👩‍👧 e\u0301𝔘 write to <EMAIL_ADDRESS> or <PERSON> 😀',
    )
    return
  }
  expect(said.findings.map(({ piece }) => piece)).toEqual([1, 1])
  expect(
    found(said, text)
      .map(([, shown]) => shown)
      .sort(),
  ).toEqual(['Ada Lovelace', 'ada@example.com'])
})

test('each asks as its documentation says', async () => {
  for (const kind of KINDS) await lookLater(guard(kind, SETTINGS[kind]), ['hello'])
  const by = Object.fromEntries(scanners.asked.map(({ path, ...rest }) => [path, rest]))
  expect(by['/v1/scan']?.body).toEqual({ input: 'hello', sensitivity: 'medium' })
  expect(by['/v1/scan']?.headers.authorization).toBe(`Bearer ${KEY}`)
  expect(by['/v1/moderations']?.body).toEqual({ model: 'omni-moderation-latest', input: 'hello' })
  expect(by['/analyze']?.body).toEqual({ text: 'hello', language: 'en' })
  expect(by['/v2/guard']?.body).toEqual({
    messages: [{ role: 'user', content: 'hello' }],
    payload: true,
    breakdown: true,
  })
  expect(by['/contentsafety/text:analyze']?.headers['ocp-apim-subscription-key']).toBe(KEY)
  expect(by['/contentsafety/text:shieldPrompt']?.body).toEqual({ userPrompt: 'hello', documents: [] })
  expect(by['/guardrail/ff6ujrregl1q/version/DRAFT/apply']?.body).toEqual({
    source: 'INPUT',
    content: [{ text: { text: 'hello' } }],
  })
  expect(by['/beta/litellm_basic_guardrail_api']?.body).toMatchObject({ texts: ['hello'], input_type: 'request' })
  expect(by['/webhook']?.body).toEqual({
    version: 1,
    direction: 'input',
    model: 'm',
    whole: true,
    pieces: [{ kind: 'text', role: 'user', text: 'hello', choice: 0 }],
  })
})

test('of an answer without an end so much is read as an answer may have', async () => {
  let given = 0
  let left = false
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        given += 16_384
        controller.enqueue(new Uint8Array(16_384).fill(32))
      },
      cancel() {
        left = true
      },
    })
  const one = guard('lockllm', SETTINGS.lockllm, tools({ fetch: async () => new Response(endless()) }))
  expect(await lookLater(one, ['hello']).catch((caught: unknown) => caught)).toMatchObject({ why: 'bad_reply' })
  expect(given).toBeLessThan(200_000)
  expect(left).toBe(true)
})

describe('LockLLM’s fields and thresholds', () => {
  test('other names, as a service has them that answers alike', async () => {
    const asked: unknown[] = []
    const fetch = async (_url: string, init: RequestInit) => {
      asked.push(JSON.parse(init.body as string))
      return Response.json({ result: { is_attack: true, score: 0.7, kind: 'jailbreak' } })
    }
    const one = guard(
      'lockllm',
      {
        api_key: KEY,
        path: '/check',
        fields: { input: 'prompt', flagged: 'result.is_attack', confidence: 'result.score', label: 'result.kind' },
      },
      tools({ fetch }),
    )
    expect(await lookLater(one, ['hello'])).toMatchObject({ flagged: true, confidence: 0.7, categories: ['jailbreak'] })
    expect(asked).toEqual([{ prompt: 'hello', sensitivity: 'medium' }])
  })

  test('its own threshold in place of its verdict', async () => {
    expect(await lookLater(guard('lockllm', { ...SETTINGS.lockllm, threshold: 0.05 }), ['hello'])).toMatchObject({
      flagged: true,
    })
    expect(await lookLater(guard('lockllm', { ...SETTINGS.lockllm, threshold: 0.99 }), [BAD])).toMatchObject({
      flagged: false,
    })
  })

  test('a long text goes in parts, and one bad part flags it', async () => {
    const one = guard('lockllm', { ...SETTINGS.lockllm, max_characters: 1_000 })
    expect(await lookLater(one, [`${'word '.repeat(700)}${BAD}`])).toMatchObject({ flagged: true })
    expect(scanners.asked.length).toBeGreaterThan(3)
    expect(scanners.asked.every(({ body }) => String((body as { input: string }).input).length <= 1_000)).toBe(true)
  })
})

test('OpenAI’s categories have thresholds, and may be left out', async () => {
  const with_ = (more: object) =>
    lookLater(guard('openai_moderation', { ...SETTINGS.openai_moderation, ...more }), [BAD])
  expect(await with_({})).toMatchObject({ flagged: true, categories: ['violence'], confidence: 0.91 })
  expect(await with_({ thresholds: { violence: 0.95 } })).toMatchObject({ flagged: false })
  expect(await with_({ thresholds: { hate: 0.3 } })).toMatchObject({ categories: ['violence', 'hate'] })
  expect(await with_({ categories: ['hate'] })).toMatchObject({ flagged: false })
})

test('Presidio’s entities, their thresholds and what becomes of each', async () => {
  const text = 'Ada Lovelace, ada@example.com'
  const with_ = (more: object) => lookLater(guard('presidio', { ...SETTINGS.presidio, ...more }), [text])
  expect((await with_({ presidio_score_thresholds: { ALL: 0.9 } })).findings.map(({ what }) => what)).toEqual([
    'EMAIL_ADDRESS',
  ])
  expect((await with_({ presidio_entities_deny_list: ['EMAIL_ADDRESS'] })).findings.map(({ what }) => what)).toEqual([
    'PERSON',
  ])
  const configured = await with_({ pii_entities_config: { PERSON: 'BLOCK' } })
  expect(configured.findings).toMatchObject([{ what: 'PERSON', action: 'block' }])
  expect(scanners.asked.at(-1)?.body).toMatchObject({ entities: ['PERSON'] })
})

test('a place that is not in the text is no verdict', async () => {
  const fetch = async () => Response.json([{ entity_type: 'PERSON', start: 2, end: 400, score: 1 }])
  const cause = await lookLater(guard('presidio', SETTINGS.presidio, tools({ fetch })), ['short']).catch(
    (caught: unknown) => caught,
  )
  expect(cause).toMatchObject({ why: 'bad_reply' })
})

test('Lakera can’t redact an attack: it has no place', async () => {
  const said = await lookLater(guard('lakera', SETTINGS.lakera), [`ada@example.com ${BAD}`])
  expect(said).toMatchObject({ flagged: true, findings: [] })
  expect(said.categories).toContain('prompt_attack')
})

test('Bedrock is signed as its settings say where there is no API key', async () => {
  const signed: unknown[] = []
  const sign = async (identity: Readonly<Record<string, unknown>>, service: string, region: string) => {
    signed.push([identity.aws_access_key_id, service, region])
    return { authorization: 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE' }
  }
  const { api_key: _, ...rest } = SETTINGS.bedrock as Record<string, unknown>
  const one = guard(
    'bedrock',
    { ...rest, aws_access_key_id: 'AKIDEXAMPLE', aws_region_name: 'eu-central-1' },
    tools({ sign }),
  )
  expect(await lookLater(one, ['hello'])).toMatchObject({ flagged: false })
  expect(signed).toEqual([['AKIDEXAMPLE', 'bedrock', 'eu-central-1']])
  expect(scanners.asked[0]?.headers.authorization).toStartWith('AWS4-HMAC-SHA256')
  const nobody = tools({ sign: () => Promise.reject(new Error('no credentials')) })
  for (const given of [nobody, tools()])
    expect(await lookLater(guard('bedrock', rest, given), ['hello']).catch((caught: unknown) => caught)).toMatchObject({
      why: 'refused',
    })
})

test('a key that nobody gave is missed with its name', async () => {
  const cause = await lookLater(guard('lakera', { api_base: scanners.url }), ['hello']).catch(
    (caught: unknown) => caught,
  )
  expect(cause).toMatchObject({ why: 'refused', retryable: false })
  expect((cause as Error).message).toContain('LAKERA_API_KEY')
  expect(scanners.asked).toEqual([])
  const env = { LAKERA_API_KEY: KEY }
  expect(await lookLater(guard('lakera', { api_base: scanners.url }, tools({ env })), ['hello'])).toMatchObject({
    flagged: false,
  })
})

test('a webhook whose secret is another one refuses', async () => {
  const cause = await lookLater(guard('webhook', { ...SETTINGS.webhook, secret: 'other' }), ['hello']).catch(
    (caught: unknown) => caught,
  )
  expect(cause).toMatchObject({ why: 'refused' })
})

test('what a text was changed to is one find that says what it becomes', () => {
  const cases: [string, string][] = [
    ['mail ada@example.com now', 'mail <E> now'],
    ['abc', 'abXc'],
    ['abc', 'Xabc'],
    ['abc', ''],
    ['😀b', '😁b'],
    ['aaaa', 'aaa'],
    ['x😀', 'x'],
  ]
  for (const [from, to] of cases) {
    const [one] = changed(from, to, 0)
    expect(one && from.slice(0, one.start) + one.replacement + from.slice(one.end)).toBe(to)
    expect(one && one.end > one.start).toBe(true)
  }
  expect(changed('same', 'same', 0)).toEqual([])
})

describe('a model as a guard', () => {
  const answering = (answer: string, asked: unknown[] = []) =>
    tools({
      ask: async (alias, messages) => {
        asked.push([alias, messages])
        return answer
      },
    })
  const say = (settings: object, answer: string, asked?: unknown[], more = {}) =>
    lookLater(guard('model', { model: 'guard', ...settings }, answering(answer, asked)), ['hello'], more)

  test('Llama Guard', async () => {
    const asked: unknown[] = []
    expect(await say({}, '\n\nsafe')).toMatchObject({ flagged: false })
    expect(await say({}, 'unsafe\nS1,S10', asked)).toMatchObject({
      flagged: true,
      categories: ['violent_crimes', 'hate'],
    })
    expect(asked).toEqual([['guard', [{ role: 'user', content: 'hello' }]]])
    expect(await say({ categories: ['S2'] }, 'unsafe\nS1')).toMatchObject({ flagged: false })
    expect(await say({ categories: ['S1'] }, 'unsafe')).toMatchObject({ flagged: true })
    const output: unknown[] = []
    await say({}, 'safe', output, { direction: 'output' })
    expect(output).toMatchObject([['guard', [{ role: 'user' }, { role: 'assistant', content: 'hello' }]]])
  })

  test('ShieldGemma and Granite Guardian', async () => {
    expect(await say({ format: 'shieldgemma' }, 'Yes')).toMatchObject({ flagged: true })
    expect(await say({ format: 'shieldgemma' }, 'No')).toMatchObject({ flagged: false })
    const asked: unknown[] = []
    expect(await say({ format: 'granite_guardian', risk: 'jailbreak' }, '<score> yes </score>', asked)).toMatchObject({
      flagged: true,
    })
    const thought = '<think>\nIt says yes to all.\n</think>\n\n<score> no </score>'
    expect(await say({ format: 'granite_guardian' }, thought)).toMatchObject({ flagged: false })
    expect(await say({ format: 'granite_guardian' }, 'Yes\n<confidence> High </confidence>')).toMatchObject({
      flagged: true,
    })
    expect(asked).toMatchObject([
      [
        'guard',
        [
          { role: 'system', content: 'jailbreak' },
          { role: 'user', content: 'hello' },
        ],
      ],
    ])
  })

  test('a prompt of one’s own, out of which a text can’t step', async () => {
    const asked: [string, { role: string; content: string }[]][] = []
    expect(await say({ format: 'custom', prompt: 'Is it spam?' }, 'YES, it is', asked)).toMatchObject({ flagged: true })
    expect(await say({ format: 'custom', prompt: 'p' }, '{"verdict":"unsafe"}')).toMatchObject({ flagged: true })
    expect(await say({ format: 'custom', prompt: 'p' }, ' {"verdict": "safe"}\n')).toMatchObject({ flagged: false })
    for (const other of ['{"safe":false}', '{"verdict":"maybe"}', 'null', '{"verdict":"un'])
      expect(await say({ format: 'custom', prompt: 'p' }, other).catch((caught: unknown) => caught)).toMatchObject({
        why: 'bad_reply',
      })
    expect(await say({ format: 'custom', prompt: 'Is it spam?' }, 'No.')).toMatchObject({ flagged: false })
    expect(asked[0]?.[1][1]?.content).toMatch(/^<text-(\w{12})>\nhello\n<\/text-\1>$/)
    expect(await say({ format: 'custom', prompt: 'p', flagged: '^spam', passed: '^ham' }, 'ham it is')).toMatchObject({
      flagged: false,
    })
  })

  test('an answer without a verdict is none, and so is no answer', async () => {
    for (const format of ['llama_guard', 'shieldgemma', 'granite_guardian'])
      expect(await say({ format }, 'I think it is fine').catch((caught: unknown) => caught)).toMatchObject({
        why: 'bad_reply',
      })
    expect(await say({ format: 'custom', prompt: 'p' }, 'hm').catch((caught: unknown) => caught)).toMatchObject({
      why: 'bad_reply',
    })
    const silent = lookLater(guard('model', { model: 'guard' }), ['hello']).catch((caught: unknown) => caught)
    expect(await silent).toMatchObject({ why: 'unreachable', retryable: true })
  })

  test('a judge gives marks', async () => {
    const settings = {
      judge_model: 'judge',
      criteria: [
        { name: 'polite', weight: 3 },
        { name: 'true', weight: 1, description: 'facts' },
      ],
    }
    const mark = (answer: string) => lookLater(guard('llm_as_a_judge', settings, answering(answer)), ['hello'])
    expect(await mark('{"polite": 100, "true": 60}')).toMatchObject({ flagged: false })
    expect(await mark('Here: {"polite": 50, "true": 90}')).toMatchObject({ flagged: true, categories: ['polite'] })
    expect(await mark('{"polite": 50}').catch((caught: unknown) => caught)).toMatchObject({ why: 'bad_reply' })
    expect(await mark('all good').catch((caught: unknown) => caught)).toMatchObject({ why: 'bad_reply' })
  })
})
