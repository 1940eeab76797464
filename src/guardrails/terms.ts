/** What the operator says of a guardrail, whatever its kind: when it looks, at whose requests, and what then happens. Types. */
import type { Piece, PieceKind } from './guard.ts'

export type Mode = 'pre_call' | 'during_call' | 'post_call' | 'logging_only'
export type OnFlagged = 'block' | 'redact' | 'warn' | 'local_only'

/** Whose requests it looks at: those that one of these names. */
export interface Where {
  /** All, but those whose key, team or project is exempt (`disable_global_guardrails`). */
  everywhere: boolean
  /** Names or ids. */
  keys: readonly string[]
  teams: readonly string[]
  projects: readonly string[]
  /** Aliases and patterns. */
  models: readonly string[]
  tags: readonly string[]
}

export interface GuardTerms {
  name: string
  kind: string
  /** As the kind has read them. */
  settings: unknown
  modes: readonly Mode[]
  onFlagged: OnFlagged
  onError: 'fail_open' | 'fail_closed'
  /** ms, of each try. */
  timeoutMs: number
  /** Further tries after the first. */
  retries: number
  cache: { ttlMs: number; in: 'memory' | 'sqlite' | 'redis' } | undefined
  /** The share of requests that it looks at, 0 to 1. */
  sample: number
  /** Undefined: all that the kind looks at. */
  pieces: readonly PieceKind[] | undefined
  roles: readonly Piece['role'][] | undefined
  /** What it redacts comes back in the answer. */
  restore: boolean
  /** Its scanner stands in the house: it may see what must not leave it. */
  inHouse: boolean
  /** What becomes of routes that it can't see. */
  unseen: 'refuse' | 'allow'
  /** Characters of a stream between two looks of a guard that needs the network. */
  every: number
  where: Where
  info: Readonly<Record<string, unknown>>
}
