/** `hedge`: when a second target is asked because the first one is slow. */
import { z } from 'zod'
import type { HedgeRules } from '../core/hedge.ts'

export const hedge = z.union([
  z.enum(['off', 'p95']),
  z.strictObject({
    after: z
      .union([z.literal('p95'), z.number().positive().max(600)])
      .default('p95')
      .describe('How long the first one may be silent: `p95`, or seconds.'),
    most: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe(
        'The share of the requests to a target that may be asked twice, so that an outage does not double the load.',
      ),
  }),
])

/** A twentieth is slower than p95 at any time; an outage may double no more than this. */
const USUAL_SHARE = 0.1

/** Times in ms; undefined where nothing is asked for twice. */
export function hedgeRules(said: z.infer<typeof hedge>): HedgeRules | undefined {
  if (said === 'off') return undefined
  if (said === 'p95') return { after: 'p95', most: USUAL_SHARE }
  const { after, most } = said
  return { after: after === 'p95' ? after : Math.round(after * 1000), most }
}
