/** An answer that has begun: its hold is open until it has been delivered. */
import type { Usage } from '../core/usage.ts'
import type { Json, Reply } from '../dialects/canonical.ts'
import type { View } from '../guardrails/view.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Link } from '../upstream/link.ts'
import type { Source } from './source.ts'

/** What a forwarded answer says. */
export interface Texts {
  view(): View
  /** Puts each text through this. */
  change(show: (text: string) => string): void
  write(): string
}

interface Common {
  link: Link
  hold: OpenHold
  /** ms from the start of the attempt to its first content. */
  firstMs: number
}

export interface WholeAnswer extends Common {
  kind: 'whole'
  body: Uint8Array | string
  contentType: string
  usage: Usage | undefined
  /** What it says, and how it is written: where somebody has to look at it. */
  told?: { reply: Reply; write(reply: Reply): Json }
  /** The same of one that is passed on as it is. */
  texts?: Texts
}

export interface StreamAnswer extends Common {
  kind: 'stream'
  /** What was read up to the first content. */
  prefix: Uint8Array[]
  source: Source
  /** Another one than the dialect's own. */
  contentType?: string
}

export type Answer = WholeAnswer | StreamAnswer
