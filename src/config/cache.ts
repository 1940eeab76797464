/** The cache of answers: LiteLLM's switch and parameters, and what it has no word for. */
import { z } from 'zod'
import { type CacheRules, TENANTS } from '../core/cache-rules.ts'
import { Secret } from '../secrets/secret.ts'
import type { Env } from './interpolate.ts'

/** LiteLLM's call types, and the routes that it has no such name for. */
const CALLS = [
  'acompletion',
  'atext_completion',
  'aembedding',
  'arerank',
  'aresponses',
  'atranscription',
  'amoderation',
  'anthropic_messages',
  'agenerate_content',
] as const
/** The same in LiteLLM's words for what waits (`completion`). */
const SYNC: Readonly<Record<string, string>> = {
  completion: 'acompletion',
  text_completion: 'atext_completion',
  embedding: 'aembedding',
  rerank: 'arerank',
  responses: 'aresponses',
  transcription: 'atranscription',
}

const PLACES = ['local', 'disk', 'redis', 'redis-semantic'] as const

const seconds = (description: string) =>
  z.number().min(0).max(31_622_400).optional().describe(`${description} In seconds.`)

export const cacheParams = z
  .strictObject({
    type: z
      .enum(PLACES, {
        error: `must be one of ${PLACES.join(', ')}: no other place is built. Valkey speaks Redis' protocol: use redis.`,
      })
      .default('local')
      .describe(
        'Where answers are kept: in memory (`local`), in the data folder (`disk`, SQLite), or in `redis`. `redis-semantic` is redis with `tollgate.cache.semantic`.',
      ),
    mode: z
      .enum(['default_on', 'default_off'])
      .default('default_on')
      .describe('`default_off`: only requests that say `cache: {"use-cache": true}`.'),
    url: z
      .string()
      .regex(/^(redis|rediss|valkey|valkeys):\/\//, 'must begin with redis:// or rediss://')
      .meta({ examples: ['redis://localhost:6379'] })
      .optional()
      .describe('Redis by its URL; `REDIS_URL` says the same.'),
    host: z.string().min(1).optional().describe('Redis by its host; `REDIS_HOST` says the same.'),
    port: z.coerce
      .number()
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Its port; `REDIS_PORT` says the same. Default: 6379.'),
    username: z.string().optional().describe('Its user; `REDIS_USERNAME` says the same.'),
    password: z.string().optional().describe('Its password; `REDIS_PASSWORD` says the same.'),
    ssl: z.boolean().default(false).describe('Whether it is spoken to over TLS.'),
    namespace: z.string().max(128).default('').describe('Stands in every key.'),
    ttl: seconds('How long an answer is kept. Default: 600.'),
    default_in_memory_ttl: seconds('The same, for `local`.'),
    default_in_redis_ttl: seconds('The same, for `redis`.'),
    supported_call_types: z
      .array(z.union([z.enum(CALLS), z.enum(Object.keys(SYNC) as [string, ...string[]])]))
      .optional()
      .describe(`What is kept. Default: ${CALLS.filter((call) => call !== 'amoderation').join(', ')}.`),
    max_messages: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('A conversation with more messages is not kept. Default: all are (LiteLLM: 4).'),
    similarity_threshold: z.number().gt(0).max(1).optional().describe('`tollgate.cache.semantic.threshold` wins.'),
    redis_semantic_cache_embedding_model: z
      .string()
      .min(1)
      .optional()
      .describe('The alias that makes vectors. `tollgate.cache.semantic.model` wins.'),
    semantic_cache_embedding_timeout: seconds('`tollgate.cache.semantic.timeout` wins.'),
  })
  .describe('The cache of answers. `cache: true` switches it on.')

export const cacheSettings = z
  .strictObject({
    tenant: z
      .enum(TENANTS)
      .default('team')
      .describe(
        'Who shares answers: keys of one `team` (those of a project only with that project; a key without a team only with its user, or with nobody), of one `user`, of one `organization`; each `key` or `customer` alone; or all of the `gateway`.',
      ),
    max_mb: z
      .number()
      .positive()
      .max(1_048_576)
      .default(64)
      .describe('The most that is kept, in megabytes (2^20 bytes). Redis bounds itself.'),
    max_entries: z.number().int().positive().max(10_000_000).default(50_000).describe('The most answers in memory.'),
    max_entry_kb: z
      .number()
      .positive()
      .max(1_048_576)
      .default(2_048)
      .describe('A longer answer is not kept, in kilobytes (2^10 bytes).'),
    singleflight: z
      .boolean()
      .default(true)
      .describe('Requests of one key that ask the same at the same time are asked once, where the cache is on.'),
    semantic: z
      .strictObject({
        model: z
          .string()
          .min(1)
          .describe('The alias that makes vectors: its requests are paid by the tag `semantic_cache`.'),
        threshold: z
          .number()
          .gt(0)
          .max(1)
          .default(0.95)
          .describe('How alike two texts have to be (the cosine of their vectors).'),
        timeout: z.number().positive().max(60).default(2).describe('How long is waited for a vector, in seconds.'),
      })
      .optional()
      .describe(
        'Answers to requests that say the same in other words. Only the last text of the user may be another one, and the numbers in it have to be the same. Default: off.',
      ),
  })
  .prefault({})
  .describe('The cache of answers, which `litellm_settings.cache: true` switches on: docs/cache.md.')

export const idempotency = z
  .number()
  .min(0)
  .max(8_760)
  .default(24)
  .describe(
    'How long the answer to a request with an `Idempotency-Key` is kept (sealed, in the data folder) for its repeats, which get it without being charged. In hours; 0: such keys have no effect.',
  )

export interface CacheConfig {
  rules: CacheRules | undefined
  place: 'memory' | 'disk' | 'redis'
  redis: Secret | undefined
  bounds: { bytes: number; entries: number; largest: number }
  /** ms; 0: no answer is kept for repeats. */
  keepRepeatsMs: number
}

const DEFAULT_TTL_S = 600
const KB = 1024

/** @param on LiteLLM's switch */
export function cacheOf(
  on: boolean,
  params: z.output<typeof cacheParams>,
  own: z.output<typeof cacheSettings>,
  repeatsHours: number,
  env: Env,
): CacheConfig {
  const place = params.type === 'local' ? 'memory' : params.type === 'disk' ? 'disk' : 'redis'
  const largest = Math.round(own.max_entry_kb * KB)
  const model =
    own.semantic?.model ?? (params.type === 'redis-semantic' ? params.redis_semantic_cache_embedding_model : undefined)
  const ofPlace =
    place === 'memory' ? params.default_in_memory_ttl : place === 'redis' ? params.default_in_redis_ttl : undefined
  const calls = params.supported_call_types ?? CALLS.filter((call) => call !== 'amoderation')
  const rules: CacheRules = {
    tenant: own.tenant,
    defaultOn: params.mode === 'default_on',
    ttlMs: (params.ttl ?? ofPlace ?? DEFAULT_TTL_S) * 1_000,
    namespace: params.namespace,
    calls: new Set(calls.map((call) => SYNC[call] ?? call)),
    mostMessages: params.max_messages ?? Number.POSITIVE_INFINITY,
    joins: own.singleflight,
    semantic:
      model === undefined
        ? undefined
        : {
            model,
            threshold: own.semantic?.threshold ?? params.similarity_threshold ?? 0.95,
            timeoutMs: (own.semantic?.timeout ?? params.semantic_cache_embedding_timeout ?? 2) * 1_000,
          },
  }
  return {
    rules: on ? rules : undefined,
    place,
    redis: place === 'redis' ? redisOf(params, env) : undefined,
    bounds: { bytes: Math.round(own.max_mb * KB * KB), entries: own.max_entries, largest },
    keepRepeatsMs: repeatsHours * 3_600_000,
  }
}

function redisOf(params: z.output<typeof cacheParams>, env: Env): Secret {
  const host = params.host ?? env.REDIS_HOST
  const url = params.url ?? (params.host === undefined ? env.REDIS_URL : undefined)
  if (url !== undefined) return new Secret(url)
  const made = new URL(
    `${params.ssl ? 'rediss' : 'redis'}://${host ?? 'localhost'}:${params.port ?? env.REDIS_PORT ?? 6379}`,
  )
  const [user, password] = [params.username ?? env.REDIS_USERNAME, params.password ?? env.REDIS_PASSWORD]
  const account = [user, password].map((part) => encodeURIComponent(part ?? '')).join(':')
  return new Secret(account === ':' ? made.href : made.href.replace('://', `://${account}@`))
}
