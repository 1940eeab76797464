/** The kinds of value that settings are made of. */
import { z } from 'zod'

/** Text that says something. */
export const text = (description: string) => z.string().min(1).describe(description)

/** A whole number from 1. */
export const count = (description: string) => z.number().int().min(1).optional().describe(description)

/** Seconds, more than none and at most a day. @param usual what holds where it is not given */
export const seconds = (description: string, usual: string) =>
  z.number().positive().max(86_400).optional().describe(`${description} In seconds. Default: ${usual}.`)

/** Aliases to go to, for each alias. */
export const fallbackList = (description: string) =>
  z
    .array(z.record(z.string(), z.array(z.string())))
    .optional()
    .describe(description)

export const maxFallbacks = z
  .number()
  .int()
  .min(0)
  .max(50)
  .optional()
  .describe('Aliases that one request may fall back to. Default: 5.')

export const retries = (description: string) => z.number().int().min(0).max(20).optional().describe(description)

/** In the order of JavaScript's. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
