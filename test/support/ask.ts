/** Asks a gateway as a careful client would, and says what such a client would know of the answer. */

export type Tongue = 'openai' | 'ollama'

export interface Question {
  /** Default: `openai`. */
  tongue?: Tongue
  model: string
  stream?: boolean
  /** The user's message. */
  text?: string
  /** Further fields of the body. */
  more?: Record<string, unknown>
  key?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface Said {
  status: number
  headers: Headers
  /** The body as it came. */
  body: string
  /** The answer's text. */
  text: string
  finish: string | undefined
  /** The error of a refusal, or the one inside a stream. */
  error: string | undefined
  usage: { prompt: number; completion: number } | undefined
  /** What came that is nothing of its dialect, or came after the end. */
  garbage: string[]
  /** Ended as its dialect says: a finish reason and, in a stream, its end mark; and no error. */
  whole: boolean
  /** The connection broke before the body's end. */
  broke: boolean
  /** What answered, by `x-tollgate-served-by`. */
  by: string | null
  attempts: number
  ms: number
}

const PATHS = { openai: '/v1/chat/completions', ollama: '/api/chat' } as const

/** @param gateway its address and a key for it */
export async function ask(gateway: { url: string; masterKey: string }, question: Question): Promise<Said> {
  const { tongue = 'openai', model, stream = false, text = 'Hi there', more = {}, key, headers, signal } = question
  const began = performance.now()
  const reply = await fetch(gateway.url + PATHS[tongue], {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key ?? gateway.masterKey}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: text }], ...more }),
    ...(signal ? { signal } : {}),
  })
  const { body, broke } = await read(reply)
  const isStream = stream && reply.status === 200
  const heard = isStream ? (tongue === 'openai' ? hearSse(body) : hearLines(body)) : hearWhole(body, tongue)
  return {
    status: reply.status,
    headers: reply.headers,
    body,
    broke,
    ...heard,
    whole:
      reply.status === 200 &&
      !broke &&
      heard.ended &&
      heard.garbage.length === 0 &&
      heard.error === undefined &&
      heard.finish !== undefined,
    by: reply.headers.get('x-tollgate-served-by'),
    attempts: Number(reply.headers.get('x-tollgate-attempts')),
    ms: performance.now() - began,
  }
}

/** A body as far as it comes. */
async function read(reply: Response): Promise<{ body: string; broke: boolean }> {
  const decoder = new TextDecoder()
  let body = ''
  try {
    for await (const part of reply.body ?? []) body += decoder.decode(part, { stream: true })
    return { body: body + decoder.decode(), broke: false }
  } catch {
    return { body, broke: true }
  }
}

interface Heard {
  text: string
  finish: string | undefined
  error: string | undefined
  usage: Said['usage']
  garbage: string[]
  ended: boolean
}

interface Wire {
  error?: string | { message: string; code?: string | null }
  choices?: { delta?: { content?: string }; message?: { content?: string }; finish_reason?: string | null }[]
  usage?: { prompt_tokens: number; completion_tokens: number } | null
  message?: { content?: string }
  done?: boolean
  done_reason?: string
  prompt_eval_count?: number
  eval_count?: number
}

const silent = (): Heard => ({
  text: '',
  finish: undefined,
  error: undefined,
  usage: undefined,
  garbage: [],
  ended: false,
})

/** What is not UTF-8 was decoded to U+FFFD. */
function parse(text: string, heard: Heard): Wire {
  if (text.includes('\ufffd') || heard.ended) heard.garbage.push(text)
  try {
    return JSON.parse(text) as Wire
  } catch {
    heard.garbage.push(text)
    return {}
  }
}

function errorIn({ error }: Wire): string | undefined {
  return typeof error === 'string' ? error : error?.message
}

/** As the specification reads a stream (html.spec.whatwg.org, 9.2.6); each event must be JSON. */
function hearSse(body: string): Heard {
  const heard = silent()
  let data: string[] = []
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    else if (line !== '' && !/^(:|id:|event:|retry:)/.test(line)) heard.garbage.push(line)
    if (line !== '' || data.length === 0) continue
    const event = data.join('\n')
    data = []
    if (event === '[DONE]') heard.ended = true
    else hearOpenai(parse(event, heard), heard)
  }
  heard.garbage.push(...data)
  return heard
}

function hearOpenai(wire: Wire, heard: Heard): void {
  heard.error ??= errorIn(wire)
  const choice = wire.choices?.[0]
  heard.text += choice?.delta?.content ?? choice?.message?.content ?? ''
  heard.finish = choice?.finish_reason ?? heard.finish
  if (wire.usage) heard.usage = { prompt: wire.usage.prompt_tokens, completion: wire.usage.completion_tokens }
}

function hearLines(body: string): Heard {
  const heard = silent()
  for (const line of body.split('\n')) {
    if (line === '') continue
    hearOllama(parse(line, heard), heard)
  }
  return heard
}

function hearOllama(wire: Wire, heard: Heard): void {
  heard.error ??= errorIn(wire)
  heard.text += wire.message?.content ?? ''
  if (wire.done !== true) return
  heard.ended = true
  heard.finish = wire.done_reason ?? heard.finish
  heard.usage = { prompt: wire.prompt_eval_count ?? 0, completion: wire.eval_count ?? 0 }
}

function hearWhole(body: string, tongue: Tongue): Heard {
  const heard = silent()
  const wire = parse(body, heard)
  if (tongue === 'ollama') hearOllama(wire, heard)
  else {
    hearOpenai(wire, heard)
    heard.ended = true
  }
  return heard
}

/** Runs `each` over `items`, at most `width` at a time, and gives the results in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  each: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let at = 0
  const lane = async (): Promise<void> => {
    while (at < items.length) {
      const i = at++
      results[i] = await each(items[i] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  return results
}
