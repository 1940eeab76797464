/** What the mock remembers of each request, and the bill it would send. */
import type { Behaviour, Detail } from './behaviour.ts'
import type { Connection, Request } from './http.ts'

export interface Tokens {
  prompt: number
  completion: number
}

export interface Seen {
  id: number
  /** Number of the connection, to see reuse. */
  connection: number
  /** When the request had arrived, ms since the epoch; the times below are ms after it. */
  at: number
  method: string
  path: string
  query: string
  headers: Record<string, string>
  /** The parsed body, or its text where it is no JSON. */
  body: unknown
  model?: string
  behaviour: Behaviour
  status?: number
  headersAt?: number
  /** The whole answer was written. */
  doneAt?: number
  /** The client left before that. */
  abortedAt?: number
  /** Bytes of the answer that the kernel took, and ms the writer waited for it: a slow reader shows here. */
  sentBytes: number
  waitedMs: number
  /** Tokens really made: the prompt once an answer began, each token once it was handed to the kernel. */
  sold: Tokens
  /** What of it has a price of its own. */
  detail: Detail
  /** What the answer said of it, if it came that far. */
  reported?: Tokens
}

export interface Bill {
  requests: number
  sold: Tokens
  reported: Tokens
  byModel: Record<string, { requests: number; sold: Tokens; reported: Tokens }>
}

const none = (): Tokens => ({ prompt: 0, completion: 0 })

const add = (to: Tokens, from: Tokens): void => {
  to.prompt += from.prompt
  to.completion += from.completion
}

/** The sum over the requests that named a model. */
export function billOf(requests: readonly Seen[]): Bill {
  const bill: Bill = { requests: 0, sold: none(), reported: none(), byModel: {} }
  for (const seen of requests) {
    if (seen.model === undefined) continue
    bill.byModel[seen.model] ??= { requests: 0, sold: none(), reported: none() }
    const row = bill.byModel[seen.model]!
    for (const line of [bill, row]) {
      line.requests++
      add(line.sold, seen.sold)
      if (seen.reported) add(line.reported, seen.reported)
    }
  }
  return bill
}

export function see(id: number, request: Request, connection: Connection, body: unknown): Seen {
  const { method, path, query, headers } = request
  const base = { id, connection: connection.id, at: Date.now(), method, path, query, headers, body }
  return { ...base, behaviour: {}, sentBytes: 0, waitedMs: 0, sold: none(), detail: {} }
}
