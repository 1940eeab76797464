/** What is known of a target while the process runs. Changed where attempts begin and end; read by whoever chooses. */
import { type Breaker, closed } from './breaker.ts'
import { Experience } from './estimate.ts'
import type { Hedging } from './hedge.ts'
import { Pace } from './pace.ts'
import { Meter } from './rate.ts'

export class TargetState {
  readonly breaker: Breaker = closed()
  /** Of the last 60 s. */
  readonly requests = new Meter()
  readonly tokens = new Meter()
  readonly experience = new Experience()
  readonly pace = new Pace()
  /** Where slow answers are asked for twice. */
  hedging: Hedging | undefined = undefined
  /** Attempts under way. */
  inFlight = 0
  /** It has a machine with a queue of its own: who comes while all slots are taken waits there. */
  queues = false
  /** ms that one more request is expected to wait for a slot; 0 where there is no queue. */
  waitMs = 0
  /** ms that its model takes to be loaded first; 0 where it is loaded. */
  loadMs = 0
  /** Its machine was looked at, and is gone. */
  down = false
  /** Its model does not lie on the GPU as a whole: it answers slowly. */
  spilled = false
}
