/**
 * Whole answers that are asked for as streams. Nobody can tell a target that works at a whole answer from one that hangs;
 * of a stream its first content and each silence are seen, so that somebody else can answer in time. The caller gets the
 * whole answer that the stream makes.
 */
import { UpstreamFailure } from '../core/failure.ts'
import type { ChatDialect, Joiner, TargetDialect } from '../dialects/dialect.ts'
import type { Link } from '../upstream/link.ts'
import type { Call } from './call.ts'
import { dialectFor } from './compose.ts'
import { joinCarrier, Source } from './source.ts'

/** A finished stream whose end does not come is waited for no longer than this. */
const GRACE_MS = 1_500

/** Fields of a request that mean another thing in a stream, or go without one: sound comes in another format there. */
const OTHERWISE = ['modalities', 'audio'] as const

/** Whether it is asked for as a stream: where somebody else could answer, of targets that the operator says. */
export function isWatched(call: Call, link: Link): boolean {
  const { door, peek, snapshot, stages } = call
  const { watchWhole } = snapshot.policy
  if (peek.stream || door.dialect.op !== 'chat' || watchWhole === 'never') return false
  if (watchWhole === 'local' && !link.target.local) return false
  if (stages.reduce((n, { targets }) => n + targets.length, 0) < 2) return false
  if (OTHERWISE.some((key) => peek.scan.keys.has(key))) return false
  return joins(dialectFor(door.dialect, link))
}

type Joining = ChatDialect & { joiner(): Joiner }

function joins(dialect: TargetDialect): dialect is Joining {
  return 'joiner' in dialect && dialect.joiner !== undefined
}

/** The stream of an answer that is put together. @param longest characters of it */
export function joining(
  dialect: TargetDialect,
  body: ReadableStream<Uint8Array> | null,
  abort: AbortController,
  longest: number,
): { source: Source; joiner: Joiner } {
  if (!joins(dialect) || !body) throw bad('The answer is empty.')
  const joiner = dialect.joiner()
  return { source: new Source(body, dialect.framing, joinCarrier(dialect, joiner, longest), abort), joiner }
}

/**
 * Reads to its end.
 * @param within is told after each part how many ms the next one may take
 * @throws UpstreamFailure where it ends before the answer does, or was given up
 */
export async function toItsEnd(source: Source, idleMs: number, within: (ms: number) => void): Promise<void> {
  try {
    while (!(source.ended && source.finished) && (await source.read()) !== undefined)
      within(source.finished ? GRACE_MS : idleMs)
  } catch (cause) {
    // All of it was said: that its end did not come in time is no failure.
    if (!source.finished) throw cause
  }
  if (!source.finished) throw bad('The answer ends without saying why: it is not whole.')
}

const bad = (message: string): UpstreamFailure => new UpstreamFailure({ kind: 'bad_reply', status: 200, message })
