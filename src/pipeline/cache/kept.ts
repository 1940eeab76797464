/** An answer as it is kept: what its caller got, and what has to be known to give it to somebody else. */
import type { DialectId } from '../../dialects/canonical.ts'
import type { Call } from '../call.ts'

export interface KeptAnswer {
  dialect: DialectId
  /** It was a stream, and what else makes the same bytes wrong for whoever asks in the same dialect. */
  form: string
  stream: boolean
  contentType: string
  body: Uint8Array
  /** ms since the epoch. */
  at: number
  /** What it cost whoever asked first, nano-dollars. */
  cost: number
  /** What its headers say. */
  servedBy: string
  modelId: string
  modelGroup: string
  /** The body that it answers, as a digest, where a key of idempotency stands for it. */
  asked?: string
}

/** A shelf of answers. Never rejects: what can't be read is not there, what can't be written is not kept. */
export interface AnswerShelf {
  get(key: string): Promise<KeptAnswer | undefined> | KeptAnswer | undefined
  put(key: string, answer: KeptAnswer, ttlMs: number): void
}

/** What must be the same for one answer's bytes to be another one's. */
export const formOf = ({ door, peek }: Call): string =>
  `${door.dialect.id} ${peek.stream ? (peek.includeUsage ? 'stream+usage' : 'stream') : 'whole'}`
