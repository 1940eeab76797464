/** What the sources of secrets have in common: they are asked by HTTP, within a time, and what they say is not repeated. */

/** How long one answer may take, ms. */
export const TIMEOUT_MS = 10_000
const LARGEST = 1024 * 1024

/** Settings of the sources, where the environment's usual variables are not enough. */
export interface SourceOptions {
  env: Readonly<Record<string, string | undefined>>
  vault?: VaultSettings | undefined
}

export interface VaultSettings {
  address?: string | undefined
  namespace?: string | undefined
  token?: string | undefined
  role_id?: string | undefined
  secret_id?: string | undefined
  kubernetes_role?: string | undefined
  kubernetes_token_file?: string | undefined
  auth_mount?: string | undefined
  ca?: string | undefined
}

/** An answer that is not what was asked for. The sentence is for the operator and holds nothing of a secret. */
export class SourceError extends Error {
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.name = 'SourceError'
    this.status = status
  }
}

export interface Asked {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** PEM, in place of the public authorities. */
  ca?: string | undefined
}

/** @param who for the sentence: `Vault`. @returns its JSON @throws SourceError */
export async function askJson(who: string, url: string, asked: Asked): Promise<Record<string, unknown>> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: asked.method ?? 'GET',
      ...(asked.headers ? { headers: asked.headers } : {}),
      ...(asked.body === undefined ? {} : { body: asked.body }),
      ...(asked.ca === undefined ? {} : { tls: { ca: asked.ca } }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    text = await response.text()
  } catch (cause) {
    const { code, name } = cause as { code?: string; name?: string }
    throw new SourceError(`${who} can't be reached (${code ?? name ?? 'unknown'})`)
  }
  if (!response.ok) throw new SourceError(`${who} answers ${response.status}`, response.status)
  try {
    if (text.length > LARGEST) throw new Error('too long')
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw new SourceError(`${who} sent something that is no JSON`)
  }
}

/** A field of a secret that holds a map. @throws SourceError naming the fields there are, never what they hold */
export function fieldOf(map: unknown, field: string, where: string): string {
  if (typeof map !== 'object' || map === null)
    throw new SourceError(`${where} holds no map, so that it has no field \`${field}\``)
  const value = (map as Record<string, unknown>)[field]
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number') return String(value)
  const names = Object.keys(map).slice(0, 20)
  throw new SourceError(`${where} has no field \`${field}\`. It has: ${names.join(', ') || 'none'}`)
}

/** A field of a secret whose text is JSON; the text itself where no field is asked for. @throws SourceError */
export function partOf(text: string, field: string | undefined, where: string): string {
  if (field === undefined) return text
  let map: unknown
  try {
    map = JSON.parse(text)
  } catch {
    throw new SourceError(`${where} is no JSON, so that it has no field \`${field}\``)
  }
  return fieldOf(map, field, where)
}
