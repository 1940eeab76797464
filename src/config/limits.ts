/** `tollgate.limits`: how much may come in, whoever pays for it. */
import { z } from 'zod'
import { type Limits, parseSpacing } from '../core/limits.ts'
import type { GatewayLimits } from '../core/snapshot.ts'
import { count } from './words.ts'

const fields = {
  rpm: count('Requests in any 60 seconds.'),
  tpm: count('Tokens in any 60 seconds, prompt and answer together.'),
  rpd: count('Requests in a day of `timezone`.'),
  parallel: count('Requests at one time.'),
  rate: z
    .string()
    .refine((text) => parseSpacing(text) !== undefined, "must be a rate such as '10r/m' or '10r/m burst 5 nodelay'")
    .optional()
    .describe(
      "Evenly spaced requests, as nginx's `limit_req` has them: `10r/m burst 5`, with `nodelay` the burst goes at once.",
    ),
}
const limits = (of: string) => z.strictObject(fields).optional().describe(`Limits of ${of}.`)

export const limitSettings = z
  .strictObject({
    gateway: limits('the whole gateway'),
    ip: limits('each address that requests come from'),
    generation: limits('all requests that make something (chat, embeddings, images, speech), together'),
    other: limits('all other requests of callers (files, batches, counting, reading), together'),
    per_model: z
      .record(z.string(), z.strictObject(fields))
      .optional()
      .describe('Limits of aliases, each for all callers together.'),
  })
  .prefault({})
  .describe('How much may come in, whoever pays for it. Limits of keys, teams and others are set where these are made.')

type Said = z.output<typeof limitSettings>

/** @param parts LiteLLM's `priority_reservation` */
export function gatewayLimits(said: Said, parts: Readonly<Record<string, number>> | undefined): GatewayLimits {
  const { generation, other, per_model: models } = said
  return {
    gateway: limitsOf(said.gateway),
    ip: limitsOf(said.ip),
    routes: { ...some('generation', limitsOf(generation)), ...some('other', limitsOf(other)) },
    models: new Map(Object.entries(models ?? {}).map(([alias, one]) => [alias, limitsOf(one) as Limits])),
    parts,
  }
}

const some = <K extends string>(name: K, limits: Limits | undefined) => (limits ? { [name]: limits } : {})

function limitsOf(said: Said['gateway']): Limits | undefined {
  if (!said) return undefined
  const { rpm, tpm, rpd, parallel, rate } = said
  return { rpm, tpm, rpd, parallel, spacing: rate === undefined ? undefined : parseSpacing(rate) }
}
