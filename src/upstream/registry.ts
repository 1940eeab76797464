/** From a configured model to a link: which provider, with which settings, at what price. */
import { providers } from '../../providers/index.ts'
import type { ModelConfig } from '../config/config.ts'
import { FREE, type Price, UNKNOWN } from '../core/price.ts'
import { adjustPrice, type Listing, layPrice } from '../core/price-lay.ts'
import type { Abilities, Target, Timeouts } from '../core/target.ts'
import type { WireId } from '../dialects/canonical.ts'
import { Link } from './link.ts'
import { listed } from './pricelist.ts'
import type { Place, Provider } from './provider.ts'
import type { Ways } from './way-out.ts'

/** The provider with this id or prefix. */
export function findProvider(prefix: string): Provider | undefined {
  return providers.find((p) => p.id === prefix || p.prefixes?.includes(prefix))
}

/** The providers that may be asked in one of these dialects, to be named to whoever asked one that may not. */
export function speakers(ids: readonly WireId[]): string[] {
  return providers.filter((p) => !p.inProcess && ids.some((id) => p.speaks[id] !== undefined)).map((p) => p.id)
}

/** The providers that have such a place. */
export function keepers(place: Place): string[] {
  return providers.filter((p) => p.places?.[place] !== undefined).map((p) => p.id)
}

/**
 * @param env where keys and bases are found that the configuration does not give
 * @throws Error naming the model and what is wrong with its settings
 */
export function linkFor(
  model: ModelConfig,
  timeouts: Timeouts,
  env: Readonly<Record<string, string | undefined>>,
  ways: Ways,
): Link {
  const provider = findProvider(model.provider)
  if (!provider)
    throw new Error(
      `model_list '${model.alias}': there is no provider '${model.provider}'. There are: ${providers.map((p) => p.id).join(', ')}.`,
    )
  const given: Record<string, unknown> = {
    ...fromEnvironment(provider, env),
    ...Object.fromEntries(Object.entries(model.settings).filter(([, v]) => v !== undefined)),
  }
  const parsed = provider.settings.safeParse(given)
  if (!parsed.success) {
    const first = parsed.error.issues[0]
    throw new Error(
      `model_list '${model.alias}' (${model.prefix}/${model.model}): litellm_params.${first?.path.join('.')}: ${first?.message}.`,
    )
  }
  const known = knower(model, provider)
  const target: Target = {
    id: model.id,
    alias: model.alias,
    provider: provider.id,
    model: model.model,
    local: provider.local ?? false,
    ...known(model.model),
    ...(model.model.includes('*') ? { known } : {}),
    abilities: { ...provider.abilities, ...ownAbilities(model.info) },
    maxOutputTokens: model.info.max_output_tokens ?? model.info.max_tokens,
    rpm: model.rpm,
    tpm: model.tpm,
    weight: model.weight,
    order: model.order,
    maxParallel: model.maxParallel,
    tags: model.tags,
    when: model.when,
    canary: model.canary,
    timeouts,
    retries: model.retries,
    defaults: model.defaults,
  }
  const extraHeaders = Object.fromEntries(Object.entries(model.extraHeaders).map(([k, v]) => [k.toLowerCase(), v]))
  return new Link({
    target,
    provider,
    settings: parsed.data,
    extraHeaders,
    extraBody: model.extraBody,
    dropParams: model.dropParams,
    ways,
    named: (provider.local ?? false) || isNamed(provider.inProcess ? undefined : provider.origin(parsed.data), given),
  })
}

/** Names that callers put into a pattern are many; so many are remembered. */
const REMEMBERED = 1_000

/** What is known of a model at this provider: its price and its context window. Remembered, since a look-up is slow. */
function knower(model: ModelConfig, provider: Provider): (name: string) => Pick<Target, 'price' | 'contextTokens'> {
  const own = model.info.max_input_tokens ?? (model.settings.num_ctx as number | undefined)
  const known = new Map<string, Pick<Target, 'price' | 'contextTokens'>>()
  return (name) => {
    const found = known.get(name)
    if (found) return found
    // What runs in the house has no cloud's price, whatever its name.
    const base = model.info.base_model ?? provider.priced?.(name) ?? name
    const list = provider.local ? undefined : listed(provider.prices ?? provider.id, base)
    const made = { price: priceOver(model, provider, list?.listing), contextTokens: own ?? list?.contextTokens }
    if (known.size >= REMEMBERED) known.clear()
    known.set(name, made)
    return made
  }
}

/** What an entry says of its price, over what the library lists, and what is put on or taken off. */
export function priceOver(model: ModelConfig, provider: Provider, listing: Listing | undefined): Price {
  const price = layPrice(model.price, listing) ?? (provider.local ? FREE : UNKNOWN)
  return model.adjustment ? adjustPrice(price, model.adjustment) : price
}

/** Whether the host of this address stands in one of the settings: then the operator wrote it, and no provider. */
function isNamed(origin: string | undefined, given: Readonly<Record<string, unknown>>): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return Object.values(given).some((value) => typeof value === 'string' && value.toLowerCase().includes(hostname))
}

function fromEnvironment(
  provider: Provider,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [setting, names] of Object.entries(provider.env ?? {})) {
    const name = names?.find((n) => env[n])
    if (name) found[setting] = env[name] as string
  }
  return found
}

/** LiteLLM's `supports_*` flags, where a model has them. */
function ownAbilities(info: ModelConfig['info']): Abilities {
  const flags = {
    tools: 'supports_function_calling',
    images: 'supports_vision',
    thinking: 'supports_reasoning',
    schema: 'supports_response_schema',
    prefill: 'supports_assistant_prefill',
  } as const
  const own: Record<string, boolean> = {}
  for (const [ability, flag] of Object.entries(flags))
    if (typeof info[flag] === 'boolean') own[ability] = info[flag] as boolean
  return own
}
