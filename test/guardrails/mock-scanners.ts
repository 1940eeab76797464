/**
 * Scanners as their documentation has them, on one port, which fail on command. What is asked for decides: a text that holds
 * BAD is flagged by all of them, and one that holds a name of WORDS is found where it stands. How they behave is set for all
 * paths at once.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Mood =
  | 'well'
  /** Says of everything that it is harmless. */
  | 'lies'
  /** Says of everything that it is not. */
  | 'flags'
  /** Never answers. */
  | 'hangs'
  /** Says how long its answer is, and ends before. */
  | 'cuts'
  | 'unauthorized'
  | 'limits'
  | 'fails'
  | 'huge'
  | 'not_json'
  /** JSON without a verdict. */
  | 'empty'
  | 'redirects'

export interface Asked {
  path: string
  headers: Record<string, string>
  body: unknown
}

export interface Scanners {
  url: string
  /** All that was asked, in order. */
  asked: Asked[]
  mood: Mood
  /** ms before each answer. */
  delay: number
  /** Moods of the next answers, before `mood` counts. */
  next: Mood[]
  stop(): void
}

export const BAD = 'ATTACKWORD'
/** What is found at its place, and as what. */
export const WORDS: Readonly<Record<string, string>> = { 'Ada Lovelace': 'PERSON', 'ada@example.com': 'EMAIL_ADDRESS' }
export const WEBHOOK_SECRET = 'webhook-secret'

type Json = Record<string, unknown>
type Judge = (bad: boolean, asked: Json, force: Mood) => unknown

/** What stands where, in code points: as services in Python count. */
function places(text: string, force: Mood): { start: number; end: number; what: string }[] {
  if (force === 'lies') return []
  return Object.entries(WORDS).flatMap(([word, what]) => {
    const at = text.indexOf(word)
    if (at < 0) return []
    const start = [...text.slice(0, at)].length
    return [{ start, end: start + [...word].length, what }]
  })
}

const REPLIES: Readonly<Record<string, Judge>> = {
  '/v1/scan': (bad, { input, sensitivity }) => ({
    request_id: 'req_1',
    safe: !bad,
    label: bad ? 1 : 0,
    confidence: bad ? 0.97 : 0.9,
    injection: bad ? 0.97 : 0.1,
    sensitivity,
    usage: { requests: 1, input_chars: String(input).length },
  }),
  '/v1/moderations': (bad, { model }) => ({
    id: 'modr-1',
    model,
    results: [
      {
        flagged: bad,
        categories: { violence: bad, hate: false, 'self-harm/intent': false },
        category_scores: { violence: bad ? 0.91 : 0.01, hate: 0.4, 'self-harm/intent': 0.001 },
        category_applied_input_types: { violence: ['text'] },
      },
    ],
  }),
  '/analyze': (_bad, { text, entities }, force) =>
    places(String(text), force)
      .filter(({ what }) => !Array.isArray(entities) || entities.includes(what))
      .map(({ start, end, what }) => ({
        analysis_explanation: null,
        entity_type: what,
        start,
        end,
        score: what === 'PERSON' ? 0.85 : 1,
        recognition_metadata: { recognizer_name: 'SpacyRecognizer' },
      })),
  '/v2/guard': (bad, { messages, payload }, force) => {
    const found = (messages as { content: string }[]).flatMap(({ content }, message_id) =>
      places(content, force).map(({ start, end, what }) => ({
        start,
        end,
        text: [...content].slice(start, end).join(''),
        detector_type: what === 'PERSON' ? 'pii/name' : 'pii/email',
        labels: [],
        message_id,
      })),
    )
    const kinds = new Set(found.map(({ detector_type }) => detector_type))
    return {
      flagged: bad || found.length > 0,
      ...(payload ? { payload: found } : {}),
      breakdown: [
        {
          project_id: 'project-1',
          policy_id: 'policy-1',
          detector_id: 'd1',
          detector_type: 'prompt_attack',
          detected: bad,
          message_id: 0,
        },
        ...[...kinds].map((detector_type) => ({ detector_id: 'd2', detector_type, detected: true, message_id: 0 })),
      ],
      metadata: { request_uuid: '8b2b6c1c-9f7a-4f8a-9c2d-8a44ca72e975' },
    }
  },
  '/contentsafety/text:analyze': (bad) => ({
    blocklistsMatch: [],
    categoriesAnalysis: [
      { category: 'Hate', severity: 0 },
      { category: 'Violence', severity: bad ? 4 : 0 },
    ],
  }),
  '/contentsafety/text:shieldPrompt': (_bad, { userPrompt, documents }, force) => {
    const is = (text: unknown) => force === 'flags' || (force !== 'lies' && String(text).includes(BAD))
    return {
      userPromptAnalysis: { attackDetected: is(userPrompt) },
      documentsAnalysis: ((documents as string[]) ?? []).map((one) => ({ attackDetected: is(one) })),
    }
  },
  '/guardrail/': (bad, { content }, force) => {
    const texts = (content as { text: { text: string } }[]).map(({ text }) => text.text)
    const pii = texts.flatMap((text) =>
      places(text, force).map(({ start, end, what }) => ({
        action: 'ANONYMIZED',
        match: [...text].slice(start, end).join(''),
        type: what === 'PERSON' ? 'NAME' : 'EMAIL',
      })),
    )
    const stepped = bad || pii.length > 0
    return {
      action: stepped ? 'GUARDRAIL_INTERVENED' : 'NONE',
      outputs: stepped ? [{ text: 'masked' }] : [],
      assessments: stepped
        ? [
            {
              ...(bad
                ? { contentPolicy: { filters: [{ type: 'PROMPT_ATTACK', confidence: 'HIGH', action: 'BLOCKED' }] } }
                : {}),
              ...(pii.length > 0 ? { sensitiveInformationPolicy: { piiEntities: pii, regexes: [] } } : {}),
            },
          ]
        : [],
      usage: { contentPolicyUnits: 1 },
    }
  },
  '/webhook': (bad, { pieces }, force) => ({
    flagged: bad || (pieces as { text: string }[]).some(({ text }) => places(text, force).length > 0),
    categories: bad ? ['attack'] : ['pii'],
    confidence: 0.9,
    findings: (pieces as { text: string }[]).flatMap(({ text }, piece) =>
      places(text, force).map((one) => ({ piece, ...one, replacement: '[gone]' })),
    ),
  }),
  '/beta/litellm_basic_guardrail_api': (bad, { texts }, force) => {
    if (bad) return { action: 'BLOCKED', blocked_reason: 'an attack' }
    const masked = (texts as string[]).map((text) =>
      places(text, force).reduce((rest, { what }) => {
        const word = Object.keys(WORDS).find((one) => WORDS[one] === what) as string
        return rest.replace(word, `<${what}>`)
      }, text),
    )
    return masked.every((text, i) => text === (texts as string[])[i])
      ? { action: 'NONE' }
      : { action: 'GUARDRAIL_INTERVENED', texts: masked }
  },
}

export function startScanners(): Scanners {
  const server = createServer((request, response) => void answer(scanners, request, response))
  server.listen(0, '127.0.0.1')
  const { port } = server.address() as AddressInfo
  const scanners: Scanners = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    mood: 'well',
    delay: 0,
    next: [],
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
  return scanners
}

async function answer(scanners: Scanners, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  request.setEncoding('utf8')
  for await (const part of request) text += part
  const { pathname } = new URL(request.url as string, 'http://scanner')
  const body = JSON.parse(text) as Json
  scanners.asked.push({ path: pathname, headers: request.headers as Record<string, string>, body })
  const mood = scanners.next.shift() ?? scanners.mood
  if (scanners.delay > 0) await Bun.sleep(scanners.delay)
  const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
  switch (mood) {
    case 'hangs':
      return
    case 'cuts':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '400' })
      response.write('{"flagged": fal')
      // What was written leaves before the connection ends.
      setTimeout(() => response.socket?.destroy(), 5)
      return
    case 'unauthorized':
      return void json({ error: 'invalid key' }, 401)
    case 'limits':
      return void json({ error: 'too many requests' }, 429, { 'retry-after': '1' })
    case 'fails':
      return void response.writeHead(500).end('<h1>Internal Server Error</h1>')
    case 'huge':
      return void response.end(`{"flagged": false, "safe": true, "filler": "${'x'.repeat(200_000)}"}`)
    case 'not_json':
      return void response.end('<html>all is well</html>')
    case 'empty':
      return void json({})
    case 'redirects':
      return void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  }
  if (pathname === '/webhook' && !isSigned(request, text)) return void json({ error: 'wrong signature' }, 401)
  const judge = Object.entries(REPLIES).find(([path]) => pathname.startsWith(path))?.[1]
  if (!judge) return void json({ error: 'no such path' }, 404)
  const bad = mood === 'flags' || (mood !== 'lies' && text.includes(BAD))
  json(judge(bad, body, mood))
}

/** As docs/guardrails-kinds.md says that one checks it. */
function isSigned({ headers }: IncomingMessage, body: string): boolean {
  const [time, said] = [headers['x-tollgate-timestamp'], headers['x-tollgate-signature']]
  if (typeof time !== 'string' || typeof said !== 'string') return false
  const due = `v1=${createHmac('sha256', WEBHOOK_SECRET).update(`${time}.${body}`).digest('hex')}`
  return said.length === due.length && timingSafeEqual(Buffer.from(said), Buffer.from(due))
}
