/** Asks a scanner over HTTP: a question in JSON, an answer of a bounded size, and every failure as a reason there is no verdict. */
import type { z } from 'zod'
import { GuardError, type GuardTools } from '../guard.ts'

/** Bytes of an answer. */
const MOST_BYTES = 65_536

export interface Question<S extends z.ZodType> {
  /** Who is asked, for the operator: `Lakera`. */
  service: string
  url: string
  headers?: Readonly<Record<string, string>>
  body: unknown
  /** What an answer is: anything else is no verdict. */
  reply: S
}

/** @throws GuardError never with what was asked or answered in it */
export async function post<S extends z.ZodType>(
  tools: GuardTools,
  { service, url, headers = {}, body, reply }: Question<S>,
  signal: AbortSignal,
): Promise<z.output<S>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  let response: Response
  try {
    response = await tools.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: text,
      signal,
    })
  } catch {
    throw gone(service, signal, 'is not reached')
  }
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => {})
    throw refused(service, response.status)
  }
  const answer = await read(response, service, signal)
  let json: unknown
  try {
    json = JSON.parse(answer)
  } catch {
    throw new GuardError('bad_reply', `${service} answered with something that is not JSON.`, false)
  }
  const parsed = reply.safeParse(json)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.')
  throw new GuardError(
    'bad_reply',
    `${service} answered without what a verdict needs${where ? ` (\`${where}\`)` : ''}.`,
    false,
  )
}

async function read(response: Response, service: string, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of response.body ?? []) {
      size += part.byteLength
      if (size > MOST_BYTES) break
      parts.push(part)
    }
  } catch {
    throw gone(service, signal, 'broke off in its answer')
  }
  if (size > MOST_BYTES) {
    throw new GuardError('bad_reply', `${service} answered with more than ${MOST_BYTES / 1_024} kB.`, false)
  }
  // An answer that is shorter than it says was cut off.
  const said = response.headers.get('content-length')
  if (said !== null && !response.headers.has('content-encoding') && Number(said) > size)
    throw new GuardError('unreachable', `${service} broke off in its answer.`, true)
  return new TextDecoder().decode(Buffer.concat(parts))
}

const gone = (service: string, signal: AbortSignal, how: string): GuardError =>
  signal.aborted
    ? new GuardError('timeout', `${service} did not answer in time.`, true)
    : new GuardError('unreachable', `${service} ${how}.`, true)

function refused(service: string, status: number): GuardError {
  if (status === 401 || status === 403)
    return new GuardError('refused', `${service} does not take the key (${status}): see its \`api_key\`.`, false)
  if (status === 429) return new GuardError('refused', `${service} is asked too often (429).`, true)
  if (status >= 500 || status === 408) return new GuardError('unreachable', `${service} fails (${status}).`, true)
  if (status >= 300 && status < 400)
    return new GuardError(
      'bad_reply',
      `${service} leads elsewhere (${status}), which is not followed: see its \`api_base\`.`,
      false,
    )
  return new GuardError('refused', `${service} refuses the question (${status}).`, false)
}
