/** What an alias points at, as the deciders see it: no secrets, no addresses, nothing that can do I/O. */
import type { Price } from './price.ts'

export interface Abilities {
  tools?: boolean | undefined
  images?: boolean | undefined
  audio?: boolean | undefined
  files?: boolean | undefined
  thinking?: boolean | undefined
  /** Native structured output by JSON Schema. */
  schema?: boolean | undefined
  /** Goes on with an answer whose beginning it is given. */
  prefill?: boolean | undefined
}

/** All in ms. Each is separate, since each means another fault. */
export interface Timeouts {
  connect: number
  /** Until the first content. A cold local model has a longer one. */
  firstByte: number
  /** Between two events of a stream. */
  idle: number
  total: number
}

/** When a target may be asked. Each that is given has to hold. */
export interface Conditions {
  /** One of these keys (id or alias), teams, users, projects. */
  keys?: readonly string[] | undefined
  teams?: readonly string[] | undefined
  users?: readonly string[] | undefined
  projects?: readonly string[] | undefined
  /** Each of these stands in the request's metadata. */
  metadata?: Readonly<Record<string, string>> | undefined
  /** Likely tokens of the prompt. */
  minPrompt?: number | undefined
  maxPrompt?: number | undefined
  /** Minutes of the day, from inclusive, to exclusive; over midnight where `to` is not after `from`. */
  hours?: { from: number; to: number } | undefined
  /** 0 is Sunday. Of the day on which `hours` begin. */
  days?: readonly number[] | undefined
}

export interface Target {
  /** Stable over restarts as long as its configuration is: `<alias>#<n>` unless `model_info.id` names it. */
  id: string
  alias: string
  provider: string
  /** The model in the upstream's words. */
  model: string
  /** It runs in the house: it has no bill, and failing over from it to a cloud is told in a header. */
  local: boolean
  price: Price
  /** What is known of a model that a name has put into a target with a star. */
  known?: ((model: string) => Pick<Target, 'price' | 'contextTokens'>) | undefined
  abilities: Abilities
  /** Tokens of prompt and answer together; undefined where nobody knows. */
  contextTokens?: number | undefined
  maxOutputTokens?: number | undefined
  /** Capacity, for choosing; 0 where not given. */
  rpm: number
  tpm: number
  weight: number
  /** Lowest first: later ones are asked when the earlier ones cannot be. */
  order: number
  /** Requests at once; 0: any number. */
  maxParallel: number
  /** For requests that are routed by their tags. */
  tags: readonly string[]
  /** When it may be asked at all; undefined: always. */
  when: Conditions | undefined
  /** The share of its alias's requests that it gets as a canary, 0 to 1; 0: it is none. */
  canary: number
  timeouts: Timeouts
  /** Extra attempts at this target; undefined: the gateway's. */
  retries: number | undefined
  /** Parameters that go along unless the caller gives his own (temperature, …), in OpenAI's words. */
  defaults: Readonly<Record<string, unknown>>
}

export interface Alias {
  name: string
  /** What leave for it is called, where it asks for one: its own name, or the pattern's that it was found by. */
  grant?: string | undefined
  targets: readonly Target[]
}
