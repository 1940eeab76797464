/** The prices of a configuration's targets, and those of the library, for whoever asks what something costs. */
import { providers } from '../../providers/index.ts'
import type { ModelConfig } from '../config/config.ts'
import { starMatch } from '../core/key.ts'
import { UNKNOWN } from '../core/price.ts'
import type { BookedPrice, PriceBook } from '../core/price-book.ts'
import { layPrice } from '../core/price-lay.ts'
import { findAlias, type Snapshot } from '../core/snapshot.ts'
import type { Catalog } from './catalog.ts'
import type { Link } from './link.ts'
import { LIST_VERSION, listed, listedOf } from './pricelist.ts'
import type { Provider } from './provider.ts'
import { findProvider, priceOver } from './registry.ts'

const NOBODY_SAYS = { rates: {} }

/** @param catalog of the same models, in which they stand in the same order */
export function priceBook(models: readonly ModelConfig[], { links }: Catalog, names: Snapshot): PriceBook {
  return {
    library: LIST_VERSION,
    targets: links.flatMap((link, i) => booked(models[i] as ModelConfig, link)),
    named: (name) => {
      const alias = findAlias(names, name)
      if (!alias) return ofProvider(name)
      return alias.targets.map((t) => ({
        ...{ alias: name, target: `${t.provider}/${t.model}`, id: t.id, price: t.price },
        byPattern: t.known !== undefined,
      }))
    },
    all: () => {
      const lists = new Map(
        providers
          .filter(isSold)
          .toReversed()
          .map((p) => [p.prices ?? p.id, p]),
      )
      return [...lists].flatMap(([list, provider]) =>
        listedOf(list).map(({ model, listing }) => asListed(provider, model, listing)),
      )
    },
  }
}

const isSold = (provider: Provider): boolean => !provider.local && !provider.inProcess

function booked(model: ModelConfig, { target, provider }: Link): BookedPrice[] {
  const { alias, id } = target
  const named = (name: string) => `${provider.id}/${name}`
  if (!target.known) return [{ alias, target: named(target.model), id, byPattern: false, price: target.price }]
  if (!isSold(provider)) return []
  return listedOf(provider.prices ?? provider.id)
    .filter((one) => starMatch(target.model, one.model) !== undefined)
    .map((one) => ({
      ...{ alias, target: named(one.model), id, byPattern: true },
      price: priceOver(model, provider, one.listing),
    }))
}

/** `openai/gpt-4o`, as the library lists it. */
function ofProvider(name: string): BookedPrice[] {
  const slash = name.indexOf('/')
  const provider = slash < 0 ? undefined : findProvider(name.slice(0, slash))
  if (!provider || !isSold(provider)) return []
  const model = name.slice(slash + 1)
  const { listing } = listed(provider.prices ?? provider.id, provider.priced?.(model) ?? model)
  return listing ? [asListed(provider, model, listing)] : []
}

const asListed = (provider: Provider, model: string, listing: Parameters<typeof layPrice>[1]): BookedPrice => ({
  ...{ alias: '', target: `${provider.id}/${model}`, id: '', byPattern: false },
  price: layPrice(NOBODY_SAYS, listing) ?? UNKNOWN,
})
