/** `tollgate.backends` and what goes with it: machines of the house, their queues, and when a cloud helps out. */
import { z } from 'zod'
import { DAYS } from './words.ts'

const queue = z.number().int().min(0).max(10_000)
const wait = z.number().positive().max(86_400)

export const backends = {
  backends: z
    .record(
      z.string(),
      z.strictObject({
        slots: z
          .number()
          .int()
          .min(1)
          .max(10_000)
          .optional()
          .describe(
            'Requests that it answers at once. Default: the highest `max_parallel_requests` of its targets, else `OLLAMA_NUM_PARALLEL` of the environment for an Ollama on this machine, else what it tells, else learned.',
          ),
        queue: queue.optional().describe('Requests that may wait for it. Default: `tollgate.queue`.'),
        queue_timeout: wait
          .optional()
          .describe(
            'The longest that a request waits for one of its slots, in seconds. Default: `tollgate.queue_timeout`.',
          ),
      }),
    )
    .default({})
    .describe('What is known of servers in the house, by address: `{ "http://gpu1:11434": { slots: 4 } }`.'),
  queue: queue
    .default(256)
    .describe('Requests that may wait for a server in the house whose slots are all taken. More are refused (503).'),
  queue_timeout: wait
    .default(120)
    .describe('The longest that a request waits for a slot of a server in the house. In seconds.'),
  cloud_overflow: z
    .enum(['never', 'on_error', 'on_saturation'])
    .default('on_error')
    .describe(
      'When a request whose model has targets in the house goes to one outside: `never`, `on_error` where the house fails or its queue is full, `on_saturation` also where it would wait longer than `spill_after`.',
    ),
  spill_after: z
    .number()
    .min(0)
    .max(86_400)
    .default(10)
    .describe('With `cloud_overflow: on_saturation`: the expected wait from which on a cloud is asked, in seconds.'),
  prewarm: z
    .array(
      z.strictObject({
        model: z.string().min(1).describe('The alias whose local targets are loaded.'),
        at: z
          .string()
          .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 08:00')
          .describe('When, in `timezone`: `"08:00"`.'),
        days: z.array(z.enum(DAYS)).min(1).optional().describe('On these days of the week. Default: every day.'),
        keep_alive: z
          .union([z.string().min(1), z.number()])
          .optional()
          .describe('How long it stays loaded then: `10h`, seconds, or -1. Default: as the server does it.'),
      }),
    )
    .max(100)
    .default([])
    .describe(
      'Models of Ollama that are loaded before they are needed: `[{ model: chat, at: "08:00", days: [mon] }]`.',
    ),
} as const
