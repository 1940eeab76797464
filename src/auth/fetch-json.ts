/** JSON of an identity provider: bounded in size and time, and never by a redirect. */
import type { WayOut } from './way-out.ts'

const TIMEOUT_MS = 5_000
/** Bytes. A set of keys has a few thousand. */
const LARGEST = 512 * 1024

/** @returns the status, and an object @throws Error where it is none */
export async function fetchJson(
  url: string,
  named: boolean,
  wayOut: WayOut,
  init: RequestInit & { method?: string } = {},
): Promise<{ status: number; value: Record<string, unknown> }> {
  // A redirect is no answer: whose words these are is what everything else stands on.
  const response = await wayOut(url, named, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > LARGEST) throw new Error(`${url} answers more than ${LARGEST} bytes.`)
    parts.push(part)
  }
  if (response.status >= 300 && response.status < 400) throw new Error(`${url} answers ${response.status}.`)
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new Error(`${url} answers ${response.status} and no JSON.`)
  }
  if (typeof value !== 'object' || value === null) throw new Error(`${url} answers no JSON object.`)
  return { status: response.status, value: value as Record<string, unknown> }
}
