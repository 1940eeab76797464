/** Who may pass a request through: it is done with the operator's credentials, so the operator grants it, path by path. */
import type { Principal } from '../../core/principal.ts'
import { Refusal } from '../../core/refusal.ts'

/** Kept here with their owners: through the provider's own paths one key would see another's. */
const OWNED: Readonly<Record<string, string>> = {
  files: '/v1/files',
  batches: '/v1/batches',
  responses: '/v1/responses',
}

/**
 * @param segments behind `/{provider}`, decoded
 * @param keepsFiles whether the provider is one whose files and batches have owners here
 * @throws Refusal forbidden
 */
export function permit(who: Principal, provider: string, segments: readonly string[], keepsFiles: boolean): void {
  if (!who.key) return
  const path = `/${[provider, ...segments].join('/')}`
  const granted = who.key.metadata.allowed_passthrough_routes
  if (!Array.isArray(granted) || !granted.some((route) => typeof route === 'string' && covers(route, path)))
    throw new Refusal(
      'forbidden',
      `This API key may not pass requests through to ${provider}. The operator can grant it with allowed_passthrough_routes: ["${path}"] in /key/update; chat, embeddings and files have routes of their own under /v1.`,
    )
  const owned = keepsFiles
    ? segments.map((part) => OWNED[part.toLowerCase()]).find((route) => route !== undefined)
    : undefined
  if (owned)
    throw new Refusal(
      'forbidden',
      `What callers keep at ${provider} is reached by ${owned}, where each key sees its own.`,
    )
}

/** `/openai/v1/fine_tuning` covers itself and all below it, `*` everything. A `/*` at the end is the same as none. */
function covers(route: string, path: string): boolean {
  if (route === '*') return true
  const base = route.replace(/\/?\*$/, '').replace(/\/+$/, '')
  return path === base || path.startsWith(`${base}/`)
}
