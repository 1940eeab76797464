import type { Target } from './target.ts'

/** Targets of equal standing: one of them is chosen by the strategy, the next stage is for when none of them can. */
export interface Stage {
  alias: string
  /** What has to be given to a key before it may use them. */
  grant?: string | undefined
  targets: readonly Target[]
}
