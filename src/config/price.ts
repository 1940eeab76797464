/** Prices in a configuration file: their words, and what an entry says with them. */
import { z } from 'zod'
import type { OwnPrice } from '../core/price-lay.ts'
import { meaningOf, readPriceWords } from '../core/price-words.ts'
import type { ModelEntry } from './schema.ts'

const money = (most: number) => z.number().min(0).max(most).optional()

/** US dollars a token, as LiteLLM writes them. */
const tokens = (what: string) =>
  money(1).describe(`${what}, in US dollars (\`0.0000025\`). Default: from the price list.`)
const each = (what: string, more = '') =>
  money(10_000).describe(`${what}, in US dollars.${more} Default: from the price list.`)

const TIME = ' Where an answer has no media, its own time counts: what Ollama measured, else from sending to its end.'

/** A word for each kind of thing that is charged. */
const plain = {
  input_cost_per_token: tokens('A token of the prompt'),
  output_cost_per_token: tokens('A token of the answer'),
  cache_read_input_token_cost: tokens("A token of the prompt that is read from the provider's cache"),
  input_cost_per_token_cache_hit: tokens('The same in other words: a token of the prompt that is read from the cache'),
  cache_creation_input_token_cost: tokens(
    "A token of the prompt that is written to the provider's cache for 5 minutes",
  ),
  cache_creation_input_token_cost_above_1hr: tokens(
    "A token of the prompt that is written to the provider's cache for an hour",
  ),
  output_cost_per_reasoning_token: tokens('A token of reasoning'),
  input_cost_per_audio_token: tokens('A token of audio in the prompt'),
  output_cost_per_audio_token: tokens('A token of audio in the answer'),
  cache_read_input_audio_token_cost: tokens('A token of audio that is read from the cache'),
  input_cost_per_image_token: tokens('A token of images in the prompt'),
  output_cost_per_image_token: tokens('A token of images in the answer'),
  cache_read_input_image_token_cost: tokens('A token of images that is read from the cache'),
  input_cost_per_video_token: tokens('A token of videos in the prompt; counted as images, the dearer of both holds'),
  output_cost_per_video_token: tokens('A token of videos in the answer; counted as images, the dearer of both holds'),
  input_cost_per_second: each('A second of the media that is heard', TIME),
  output_cost_per_second: each('A second of the media that is made', ` The dearer of this and input counts.${TIME}`),
  cost_per_second: each('The same in other words', TIME),
  input_cost_per_audio_per_second: each('A second of the audio that is heard'),
  output_cost_per_audio_per_second: each('A second of the audio that is made'),
  output_cost_per_video_per_second: each('A second of the video that is made'),
  cost_per_gpu_second: each(
    'A second that the machine in the house works',
    " Ollama's own measure of reading and writing (without loading and waiting), else from sending to the answer's end.",
  ),
  input_cost_per_character: each('A character that is spoken'),
  output_cost_per_image: each('An image that is made'),
  input_cost_per_image: each('The same in other words'),
  input_cost_per_query: each('A search: of a web search tool, or the search units of a ranking'),
  input_cost_per_request: each('A request, whatever is in it', ' Added to everything else.'),
}

const SERVICES = ['priority', 'flex', 'batches', 'balanced', 'ultrafast']
const LENGTHS = [100, 128, 200, 272, 512]
const MAIN = [
  ...[
    'input_cost_per_token',
    'output_cost_per_token',
    'cache_read_input_token_cost',
    'cache_creation_input_token_cost',
  ],
] as const

/** LiteLLM's endings: for long prompts, for other services, for both. */
const endings: readonly (readonly [word: keyof typeof plain, ending: string])[] = [
  ...MAIN.flatMap((word) => [
    ...SERVICES.map((service) => [word, `_${service}`] as const),
    ...LENGTHS.map((n) => [word, `_above_${n}k_tokens`] as const),
    ...[100, 200, 272].flatMap((n) =>
      ['priority', 'flex', 'batches', 'ultrafast'].map((s) => [word, `_above_${n}k_tokens_${s}`] as const),
    ),
  ]),
  ...LENGTHS.map((n) => ['cache_creation_input_token_cost_above_1hr', `_above_${n}k_tokens`] as const),
  ...SERVICES.map((s) => ['output_cost_per_reasoning_token', `_${s}`] as const),
  ...['input_cost_per_audio_token', 'input_cost_per_image_token', 'input_cost_per_video_token'].map(
    (word) => [word as keyof typeof plain, '_batches'] as const,
  ),
  ['output_cost_per_image_token', '_batches'],
]

const DEFAULT = ' Default: as in the shorter word.'

function describe(word: keyof typeof plain, ending: string): string {
  const what = (plain[word].description ?? '').replace(/,? in US dollars.*$/, '')
  const { above, service } = meaningOf(word + ending) ?? {}
  const long = above === undefined ? '' : `, where the prompt has more than ${above / 1000}k tokens`
  const by = service === undefined ? '' : `, served as \`${service}\``
  return `${what}${long}${by}, in US dollars.${DEFAULT}`
}

const onDays = z
  .array(z.record(z.string(), z.union([z.string(), z.number().min(0)])))
  .optional()
  .describe(
    'Prices of other days: `[{ from: 2026-12-01, input_cost_per_token: 0.000002 }, …]`. Each holds from its `from` on (a day or a moment in UTC) and leaves what it does not name as before. What stands beside this list holds before the first of them.',
  )

/** Prices may stand in litellm_params or in model_info; the former win. */
export const prices = {
  ...plain,
  ...(Object.fromEntries(
    endings.map(([word, ending]) => [word + ending, money(1).describe(describe(word, ending))]),
  ) as Record<string, ReturnType<typeof money>>),
  tiered_pricing: z
    .array(z.record(z.string(), z.union([z.number().min(0), z.array(z.number().min(0))])))
    .optional()
    .describe(
      'Prices by length of the prompt: `[{ range: [0, 32000], input_cost_per_token: 0.000001, output_cost_per_token: 0.000005 }, …]`. A range holds for the whole request, above its beginning.',
    ),
  search_context_cost_per_query: z
    .record(z.string(), z.number().min(0))
    .optional()
    .describe('A search by how much is read (`search_context_size_low` …), in US dollars. The dearest counts.'),
  prices: onDays,
}

/** What an entry says of its price. `litellm_params` win over `model_info`. */
export function priceOf(entry: ModelEntry): OwnPrice {
  const say = { ...entry.model_info, ...defined(entry.litellm_params) } as Record<string, unknown>
  const later = (say.prices ?? []) as readonly { from?: string; [word: string]: unknown }[]
  const price = readPriceWords(say)
  if (later.length === 0) return price
  // Each goes on from the one before it: all that was said up to then, with what it says itself.
  let said = say
  return {
    ...price,
    later: later
      .map((one) => ({ ...one, at: momentOf(String(one.from)) }))
      .sort((a, b) => a.at - b.at)
      .map(({ at, from: _, ...words }) => {
        said = { ...said, ...words }
        return { from: at, price: readPriceWords(said) }
      }),
  }
}

const DAY = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/
const momentOf = (from: string): number =>
  DAY.test(from) ? Date.parse(from.length === 10 ? `${from}T00:00:00Z` : from) : Number.NaN

interface Fault {
  /** Under the entry's section. */
  path: (string | number)[]
  message: string
}

/** What is wrong with the lists in a section's prices: words that price nothing, days that are none, ranges. */
export function faultsOfPrices(section: Readonly<Record<string, unknown>> | undefined): Fault[] {
  return [
    ...rows(section?.prices).flatMap((one, i, all) => [
      ...faultsOfDay(one.from, all.slice(0, i)).map((message) => ({ path: ['prices', i, 'from'], message })),
      ...faultsOfWords(one, 'from').map((key) => ({ path: ['prices', i, key], message: NO_PRICE })),
    ]),
    ...rows(section?.tiered_pricing).flatMap((one, i) => [
      ...(Array.isArray(one.range) && one.range.length === 2
        ? []
        : [{ path: ['tiered_pricing', i], message: 'needs a `range` of two numbers: `[0, 32000]`.' }]),
      ...faultsOfWords(one, 'range').map((key) => ({ path: ['tiered_pricing', i, key], message: NO_PRICE })),
    ]),
  ]
}

const rows = (list: unknown): Record<string, unknown>[] => (Array.isArray(list) ? list : [])
const NO_PRICE = 'is no word for a price, or no number.'

function faultsOfDay(from: unknown, before: readonly Record<string, unknown>[]): string[] {
  const at = momentOf(String(from))
  if (Number.isNaN(at)) return ['must be a day (`2026-12-01`) or a moment (`2026-12-01T08:00:00Z`), in UTC.']
  return before.some((one) => momentOf(String(one.from)) === at) ? ['stands twice. Put both prices together.'] : []
}

const faultsOfWords = (one: Record<string, unknown>, but: string): string[] =>
  Object.entries(one).flatMap(([key, value]) =>
    key === but || (typeof value === 'number' && meaningOf(key)) ? [] : [key],
  )

const defined = (map: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined))

export const PRICE_KEYS: readonly string[] = Object.keys(prices)

/** The words that only add a length or a service to one of the others, by that one. */
export const ENDINGS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.keys(plain).flatMap((word) => {
    const longer = endings.flatMap(([one, ending]) => (one === word ? [one + ending] : []))
    return longer.length > 0 ? [[word, longer] as const] : []
  }),
)
