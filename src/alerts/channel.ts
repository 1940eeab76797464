/** The contract of a channel: where messages go, and how one is said there. */
import type { Message } from './message.ts'

export interface Sending {
  /** The one way out; never follows a redirect. */
  fetch(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response>
  /** ms since the epoch. */
  now(): number
}

export interface Channel {
  name: string
  kind: string
  /** @throws Error with a sentence for the operator, without secrets; `PermanentError` where trying again is useless */
  send(message: Message, signal: AbortSignal): Promise<void>
}

/** It will be refused again. */
export class PermanentError extends Error {}

/** Posts JSON. @throws Error for any status but 2xx */
export async function post(
  { fetch }: Sending,
  url: string,
  body: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal,
    redirect: 'manual',
  })
  await response.body?.cancel()
  if (response.ok) return
  const told = `It answered with status ${response.status}.`
  // 408 and 429 say later; other 4xx say never.
  const isFinal = response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429
  throw isFinal ? new PermanentError(told) : new Error(told)
}
