/** /model/info as LiteLLM has it (docs.litellm.ai/docs/proxy/model_management): each target, with what it costs now. */
import type { ModelConfig } from '../config/config.ts'
import type { Access } from '../core/access.ts'
import { namesFor } from '../core/plan.ts'
import type { Price } from '../core/price.ts'
import { priceAt } from '../core/price-at.ts'
import { overridePrice } from '../core/price-lay.ts'
import { meaningOf, writePriceWords } from '../core/price-words.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Link } from '../upstream/link.ts'

export interface ModelDoor {
  snapshot(): Snapshot
  /** The configured models, and the link of each in the same order. */
  models(): readonly ModelConfig[]
  links(): readonly Link[]
}

interface Asking {
  who: Principal
  access: Access
  /** `litellm_model_id` */
  id: string | null
  /** ms since the epoch */
  now: number
}

/** The targets behind the names that a caller may use. @throws Refusal not_found where none has the id he asks for */
export function modelInfo(door: ModelDoor, { who, access, id, now }: Asking): { data: unknown[] } {
  const names = new Set(namesFor(door.snapshot(), access))
  const models = door.models()
  const data = door.links().flatMap(({ target }, i) => {
    if (!names.has(target.alias) || (id !== null && target.id !== id)) return []
    const { info, prefix } = models[i] as ModelConfig
    const own = who.key?.pricing?.[target.alias]
    const price = priceAt(own ? overridePrice(target.price, own) : target.price, now)
    return {
      model_name: target.alias,
      litellm_params: { model: `${prefix}/${target.model}`, ...limits(target) },
      model_info: {
        max_input_tokens: target.contextTokens ?? null,
        max_output_tokens: target.maxOutputTokens ?? null,
        ...withoutPrices(info),
        id: target.id,
        litellm_provider: target.provider,
        // Of a pattern nobody knows what it costs before a name is put into it.
        ...(target.known ? {} : priceOf(price)),
      },
    }
  })
  if (id !== null && data.length === 0)
    throw new Refusal(
      'not_found',
      `There is no target '${id.slice(0, 200)}' here. GET /model/info lists those there are.`,
    )
  return { data }
}

const limits = ({ rpm, tpm }: { rpm: number; tpm: number }) => ({
  ...(rpm > 0 ? { rpm } : {}),
  ...(tpm > 0 ? { tpm } : {}),
})

const priceOf = (price: Price): Record<string, unknown> => ({
  ...writePriceWords(price),
  // Where it is from, as /spend/logs tells it of each charge.
  price_version: price.kind === 'unknown' ? null : price.version,
})

/** Lists that are prices too. What holds of all of them is told by the words of this moment. */
const PRICE_LISTS = ['prices', 'tiered_pricing', 'search_context_cost_per_query']

const withoutPrices = (info: ModelConfig['info']): Record<string, unknown> =>
  Object.fromEntries(Object.entries(info).filter(([key]) => !meaningOf(key) && !PRICE_LISTS.includes(key)))
