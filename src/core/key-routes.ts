/**
 * Which routes a key may call: paths, and groups in LiteLLM's words (docs.litellm.ai/docs/proxy/virtual_keys). What its
 * role may do there is a question of its own (src/http/permissions.ts); both have to allow it. Pure.
 */
import type { Errand } from './errand.ts'

/** What a request is for, as the door knows it: models, or anything else. */

type Group = (path: string, method: string, errand: Errand) => boolean

const isAnthropic = (path: string): boolean => /^(\/anthropic)?\/v1\/messages(\/|$)/.test(path)
const isGoogle = (path: string): boolean =>
  /^\/v1(beta|alpha)\/models(\/|$)/.test(path) || /^\/v1\/models\/.+:\w+$/.test(path)
const isOllama = (path: string): boolean => path.startsWith('/api/')

const GROUPS: Readonly<Record<string, Group>> = {
  llm_api_routes: (_, __, errand) => errand === 'models',
  openai_routes: (path, _, errand) =>
    errand === 'models' && !isAnthropic(path) && !isGoogle(path) && !isOllama(path) && path !== '/auth/validate',
  anthropic_routes: (path, _, errand) => errand === 'models' && isAnthropic(path),
  google_routes: (path, _, errand) => errand === 'models' && isGoogle(path),
  ollama_routes: (path, _, errand) => errand === 'models' && isOllama(path),
  management_routes: (_, __, errand) => errand !== 'models',
  info_routes: (path, method, errand) =>
    method === 'GET' && (errand !== 'models' || /^(\/v1(beta|alpha)?)?\/(models|model\/info)(\/|$)/.test(path)),
}

export const ROUTE_GROUPS: readonly string[] = Object.keys(GROUPS)

/** LiteLLM's `key_type`: the same in a word. */
export const KEY_TYPES = {
  default: [],
  llm_api: ['llm_api_routes'],
  management: ['management_routes'],
  read_only: ['info_routes'],
} as const satisfies Record<string, readonly string[]>

/** Whether a word is a path, a path with all below it (`/v1/files/*`), or a group. */
export const isRouteWord = (word: string): boolean => /^\/[^*]*\*?$/.test(word) || ROUTE_GROUPS.includes(word)

/** @param path of the address, as it is routed */
export function mayCall(words: readonly string[], method: string, path: string, errand: Errand): boolean {
  return words.some((word) => {
    if (!word.startsWith('/')) return GROUPS[word]?.(path, method, errand) ?? false
    return word.endsWith('*') ? path.startsWith(word.slice(0, -1)) : path === word
  })
}
