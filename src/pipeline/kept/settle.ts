/** The charge of a batch, once, when its end is first seen: half of its target's rates for what the provider reports. */
import { batchPrice } from '../../core/batch-price.ts'
import { UpstreamFailure } from '../../core/failure.ts'
import type { Price } from '../../core/price.ts'
import { priceAt } from '../../core/price-at.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Target } from '../../core/target.ts'
import { addUsage, NO_USAGE, type Usage, type UsageSource, usage } from '../../core/usage.ts'
import { usageReader } from '../../dialects/any-usage.ts'
import type { Json } from '../../dialects/canonical.ts'
import { NdjsonFramer } from '../../dialects/ndjson.ts'
import { isObject } from '../../dialects/wire.ts'
import type { Link } from '../../upstream/link.ts'
import type { Call } from '../call.ts'
import { drop, endAttempt } from '../conclude.ts'
import type { Belonging, Io } from '../io.ts'
import { ownPrice } from '../price.ts'
import { nothing, setAside } from '../set-aside.ts'
import { fetchFrom, placeOf } from './step.ts'

/** Nothing more will happen to a batch that is one of these. */
const OVER = ['completed', 'failed', 'expired', 'cancelled']

export const isOver = (facts: Json): boolean => OVER.includes(String(facts.status))

/** @returns what was charged; undefined where it had been before */
export async function settleBatch(
  call: Call,
  io: Io,
  link: Link,
  batch: Belonging,
  facts: Json,
): Promise<{ usage: Usage; cost: number } | undefined> {
  if (io.belongings.isSettled(batch.owner, batch.id)) return undefined
  const reported = usageReader()({ usage: facts.usage }) ?? (await usageOfResults(call, io, link, facts))
  const source: UsageSource = reported ? 'provider' : 'none'
  const { target } = link
  // Its money was spent at the provider long ago: it is booked, whatever is left.
  const sold = { ...target, alias: batch.alias ?? target.alias }
  const price = priceOf(call, sold, facts)
  const hold = await setAside(call, io, sold, nothing, { attempt: 1, name: 'abatch', waitMs: 0, price })
  // Two that look at the same moment: one of them is first.
  if (!io.belongings.settle(batch.owner, batch.id)) {
    drop(io, hold)
    return undefined
  }
  const counted = reported ?? NO_USAGE
  const cost = endAttempt(call, io, hold, {
    outcome: 'ok',
    status: 200,
    usage: counted,
    source,
    firstMs: undefined,
  })
  return { usage: counted, cost }
}

/** A batch costs what batches cost when it was made. */
function priceOf(call: Call, target: Target, facts: Json): Price {
  const madeAt = typeof facts.created_at === 'number' ? facts.created_at * 1000 : call.startedAt
  return batchPrice(priceAt(ownPrice(call, target), madeAt))
}

/** More than OpenAI takes as a batch's input. */
const LONGEST_RESULTS = 1024 * 1024 * 1024

/** Where the batch itself reports none: the sum over its results. */
async function usageOfResults(call: Call, io: Io, link: Link, facts: Json): Promise<Usage | undefined> {
  if (typeof facts.output_file_id !== 'string') return undefined
  const abort = new AbortController()
  const url = placeOf(link, 'file', facts.output_file_id, 'content')
  const response = await fetchFrom(call, io, link, { method: 'GET', url, abort })
  const framer = new NdjsonFramer()
  const sum = { ...NO_USAGE }
  let length = 0
  try {
    for await (const part of response.body ?? []) {
      length += part.byteLength
      if (length > LONGEST_RESULTS)
        throw new Refusal('upstream_error', "The batch's results are too long to be counted.")
      for (const { frame } of framer.push(part)) add(sum, frame?.data)
    }
    for (const { frame } of framer.end()) add(sum, frame?.data)
  } catch (cause) {
    abort.abort()
    if (cause instanceof Refusal) throw cause
    throw new Refusal('upstream_error', "The batch's results can't be counted now. Try again.", {
      private: cause instanceof UpstreamFailure ? cause.failure.message : String(cause),
    })
  }
  return sum.input + sum.output > 0 ? usage(sum) : undefined
}

function add(sum: Usage, line: string | undefined): void {
  let json: unknown
  try {
    json = JSON.parse(line ?? '')
  } catch {
    return
  }
  const body = isObject(json) && isObject(json.response) ? json.response.body : undefined
  const one = isObject(body) ? usageReader()(body) : undefined
  if (one) addUsage(sum, one)
}
