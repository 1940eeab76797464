/** Small questions to an upstream that are not a model's work: what it has, whether it is there. */
import type { Link } from './link.ts'

/** The largest answer that is read. */
const LARGEST = 8 * 1024 * 1024

export interface Inquiry {
  method?: 'GET' | 'POST'
  path: string
  body?: unknown
  /** ms for the whole of it */
  timeoutMs: number
  /** Ends it before. */
  signal?: AbortSignal | undefined
}

/** The JSON answer. @throws Error with a sentence for the log; `status` where there was one */
export async function inquire(link: Link, inquiry: Inquiry): Promise<unknown> {
  const { provider } = link
  const timeout = AbortSignal.timeout(inquiry.timeoutMs)
  const signal = inquiry.signal ? AbortSignal.any([inquiry.signal, timeout]) : timeout
  const response = provider.inProcess
    ? await provider.inProcess({ path: inquiry.path, body: {}, signal })
    : await link.fetch(link.origin + inquiry.path, {
        method: inquiry.method ?? 'GET',
        headers: await link.authorized({ method: inquiry.method ?? 'GET', url: link.origin + inquiry.path, body: '' }),
        signal,
        ...(inquiry.body === undefined ? {} : { body: JSON.stringify(inquiry.body) }),
      })
  const text = await response.text()
  if (text.length > LARGEST) throw new Error(`The answer is longer than ${LARGEST} bytes.`)
  if (!response.ok)
    throw Object.assign(new Error(`${response.status}`), { status: response.status, body: text.slice(0, 500) })
  return JSON.parse(text)
}
