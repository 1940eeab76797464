/**
 * A provider that speaks OpenAI's dialect is a row: where it is, which variables hold its key and its address, and what
 * it does otherwise than OpenAI. This makes a {@link Provider} of a row.
 */
import { z } from 'zod'
import type { Abilities } from '../core/target.ts'
import type { Json, WireId } from '../dialects/canonical.ts'
import { secret } from '../secrets/secret.ts'
import type { AmendContext, Outgoing, Path, Place, Provider, Watch } from './provider.ts'

/** What every row has; some have more. */
export interface RowSettings {
  api_key?: { reveal(): string } | undefined
  api_base?: string | undefined
  [setting: string]: unknown
}

export type Amend = (wire: Json, context: AmendContext<RowSettings>) => Json

export interface Row {
  /** Also the prefix of its model strings. */
  id: string
  /** Its address, version included; made of the settings where it holds an account or a region. Missing: `api_base` must be given. */
  base?: string | ((settings: RowSettings) => string | undefined)
  prefixes?: readonly string[]
  /** Variables that hold the key, in order. Default: `<ID>_API_KEY`. */
  keys?: readonly string[]
  /** Variables that hold the address, in order. Default: `<ID>_API_BASE`. */
  bases?: readonly string[]
  /** Further settings, in LiteLLM's words, each with the variables that hold it. */
  more?: Readonly<Record<string, readonly string[]>>
  /** Those of `more` that are secrets, each as good as a key. */
  secrets?: readonly string[]
  /** Among `more`: what must be there unless the address is given. */
  needs?: string
  /** Runs in the house: free unless priced. */
  local?: boolean
  /** What its server tells of itself. */
  watch?: Watch
  /** The provider's id in the price library, where it has the provider. */
  prices?: string
  priced?(model: string): string
  /** What it speaks and where. Default: chat and embeddings in OpenAI's places. */
  speaks?: Partial<Record<WireId, Path<RowSettings>>>
  /** What else of OpenAI's it has, in OpenAI's places, as its documentation says. */
  offers?: readonly Offer[]
  /** Headers instead of the bearer key. */
  headers?(settings: RowSettings): Record<string, string>
  authorize?(settings: RowSettings, request: Outgoing): Promise<Record<string, string>>
  /** Quirks, by dialect. */
  amend?: Partial<Record<WireId, Amend>>
  abilities?: Abilities
  /** Whether it lists its models at `/models`. Default: yes. */
  lists?: boolean
}

const CHAT = '/chat/completions'
const COMPLETIONS = '/completions'
const EMBEDDINGS = '/embeddings'
const RESPONSES = '/responses'

/** What a row may speak, in the usual places. */
export const SPEAKS = {
  chat: { 'openai-chat': CHAT },
  usual: { 'openai-chat': CHAT, 'openai-embeddings': EMBEDDINGS },
  completing: { 'openai-chat': CHAT, 'openai-completions': COMPLETIONS, 'openai-embeddings': EMBEDDINGS },
  all: {
    'openai-chat': CHAT,
    'openai-completions': COMPLETIONS,
    'openai-embeddings': EMBEDDINGS,
    'openai-responses': RESPONSES,
  },
  responding: { 'openai-chat': CHAT, 'openai-responses': RESPONSES },
  embeddings: { 'openai-embeddings': EMBEDDINGS },
} as const satisfies Record<string, Row['speaks']>

/** What OpenAI has beside chat, and where; `rerank` stands there at those who have it. */
const FORWARDED = {
  images: { 'openai-images': '/images/generations' },
  'image-edits': { 'openai-image-edits': '/images/edits' },
  'image-variations': { 'openai-image-variations': '/images/variations' },
  speech: { 'openai-speech': '/audio/speech' },
  transcriptions: { 'openai-transcriptions': '/audio/transcriptions' },
  translations: { 'openai-translations': '/audio/translations' },
  moderations: { 'openai-moderations': '/moderations' },
  rerank: { rerank: '/rerank' },
} as const satisfies Record<string, Row['speaks']>

const PLACES = { files: '/files', batches: '/batches', realtime: '/realtime' } as const satisfies Record<Place, string>

export type Offer = keyof typeof FORWARDED | Place

const isPlace = (offer: Offer): offer is Place => offer in PLACES

/** All of it, for servers that are said to have all. */
export const ALL_OFFERS: readonly Offer[] = [
  ...(Object.keys(FORWARDED) as (keyof typeof FORWARDED)[]),
  ...(Object.keys(PLACES) as Place[]),
]

/** Offers as a provider's `speaks` and `places`. */
export function offered(offers: readonly Offer[]): {
  speaks: Partial<Record<WireId, string>>
  places: Partial<Record<Place, string>>
} {
  const forwarded = offers.filter((offer) => !isPlace(offer)) as (keyof typeof FORWARDED)[]
  return {
    speaks: Object.assign({}, ...forwarded.map((offer) => FORWARDED[offer])),
    places: Object.fromEntries(offers.filter(isPlace).map((place) => [place, PLACES[place]])),
  }
}

const tidy = (base: string): string => base.trim().replace(/\/+$/, '')

/** `nano-gpt` → `NANO_GPT`. */
const shout = (id: string): string => id.toUpperCase().replace(/[^A-Z0-9]+/g, '_')

const bearer = (s: RowSettings): Record<string, string> =>
  s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}

/** The address: the configuration's, the row's, or a sentence that says what is missing. */
const baseOf = (row: Row, s: RowSettings): string | undefined =>
  typeof row.base === 'function' ? row.base(s) : (s.api_base ?? row.base)

function settingsOf(row: Row, bases: readonly string[]) {
  const missing = (setting: string, variables: readonly string[]) =>
    `is missing: \`${row.id}\` has no address without it. Write \`${setting}\`${variables.length > 0 ? `, or set ${variables.join(' or ')}` : ''}`
  const text = z.string().min(1)
  const more = Object.fromEntries(
    Object.keys(row.more ?? {}).map((name) => [name, (row.secrets?.includes(name) ? secret() : text).optional()]),
  )
  const { needs } = row
  return z
    .object({ api_key: secret().optional(), api_base: text.optional(), ...more })
    .superRefine((s: RowSettings, context) => {
      if (baseOf(row, s) !== undefined) return
      const at = needs ?? 'api_base'
      const message = missing(at, needs ? (row.more?.[needs] ?? []) : bases)
      context.addIssue({ code: 'custom', path: [at], message })
    })
}

const namesIn = (body: unknown): string[] => {
  const { data } = body as { data?: { id: string }[] }
  return (data ?? (Array.isArray(body) ? (body as { id: string }[]) : [])).map((model) => model.id)
}

/** A row → the provider that it describes. */
export function compatible(row: Row): Provider<RowSettings> {
  const bases = row.bases ?? [`${shout(row.id)}_API_BASE`]
  const { speaks, places } = offered(row.offers ?? [])
  return {
    id: row.id,
    ...(row.prefixes ? { prefixes: row.prefixes } : {}),
    settings: settingsOf(row, bases) as unknown as z.ZodType<RowSettings>,
    env: { api_key: row.keys ?? [`${shout(row.id)}_API_KEY`], api_base: bases, ...row.more },
    ...(row.secrets ? { insteadOfKey: row.secrets } : {}),
    speaks: { ...(row.speaks ?? SPEAKS.usual), ...speaks },
    ...(Object.keys(places).length > 0 ? { places } : {}),
    origin: (s) => tidy(baseOf(row, s) ?? ''),
    headers: row.headers ?? bearer,
    ...(row.authorize ? { authorize: row.authorize } : {}),
    ...(row.amend ? { amend: row.amend } : {}),
    abilities: row.abilities ?? { tools: true },
    ...(row.local ? { local: true } : {}),
    ...(row.watch ? { watch: row.watch } : {}),
    // The library guesses by likeness where it does not know a provider: a price that is not this one's.
    prices: row.prices ?? 'unlisted',
    ...(row.priced ? { priced: row.priced } : {}),
    ...(row.lists === false ? {} : { list: { path: '/models', read: namesIn } }),
  }
}
