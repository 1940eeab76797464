/**
 * Guards of the process on long texts: a slice at a time, so that other requests are answered meanwhile. Slices overlap by
 * more than anything that is found is long, and what touches a slice's end is looked at again with what follows.
 */
import type { Finding, Guard, Look, Piece, Subject } from './guard.ts'
import { apart, worst } from './look.ts'

/** Characters: longer texts go in slices. */
export const LONG = 65_536
/** A slice: the dearest guard on the hardest text takes some 10 ms for it. */
const SLICE = 32_768
/** Signs of an attack add up over 2,000 characters, which is more than any window but those of long banned words. */
const OVERLAP = 2_560
/** Before what a slice may find: words that say what a number is, edges of words. */
const LEAD = 256

/** Whether a look at these texts would take long enough that others notice. */
export function isLong(guard: Guard, pieces: readonly Piece[]): boolean {
  // Who needs the whole is shown the whole.
  if (!guard.local || guard.needsWhole) return false
  let size = 0
  for (const { text } of pieces) {
    size += text.length
    if (size > LONG) return true
  }
  return false
}

/** One at a time gives way to the loop, whoever asks: many long texts at once take longer, and nobody else waits for them. */
let queue: Promise<void> = Promise.resolve()
function turn(): Promise<void> {
  queue = queue.then(() => new Promise((resolve) => setImmediate(resolve)))
  return queue
}

/** What the guard says of all of it. @throws as it does, or where the signal ends it */
export async function lookInSlices(guard: Guard, subject: Subject, signal: AbortSignal): Promise<Look> {
  const looks: Look[] = []
  /** @param shown which of its findings count, as findings of the subject */
  const show = async (pieces: readonly Piece[], whole: boolean, shown: (look: Look) => readonly Finding[]) => {
    await turn()
    signal.throwIfAborted()
    const look = await guard.look({ ...subject, pieces, whole: subject.whole && whole }, signal)
    const findings = shown(look)
    // What the next slice sees with more around it is the next one's to say.
    if (look.findings.length === 0 || findings.length > 0) looks.push({ ...look, findings })
  }
  // Short ones together, as many as a slice has.
  let few: number[] = []
  let size = 0
  const showFew = async () => {
    const indexes = few
    ;[few, size] = [[], 0]
    const pieces = indexes.map((i) => subject.pieces[i] as Piece)
    const back = (look: Look) => look.findings.map((one) => ({ ...one, piece: indexes[one.piece] as number }))
    if (pieces.length > 0) await show(pieces, true, back)
  }
  const most = SLICE + Math.max(OVERLAP, guard.window + LEAD)
  for (const [i, piece] of subject.pieces.entries()) {
    if (size + piece.text.length > most) await showFew()
    if (piece.text.length > most) await through(piece, i, most, show)
    else {
      few.push(i)
      size += piece.text.length
    }
  }
  await showFew()
  const { findings, ...rest } = worst(looks)
  return { ...rest, findings: subject.pieces.flatMap((_, i) => apart(findings.filter(({ piece }) => piece === i))) }
}

type Show = (pieces: readonly Piece[], whole: boolean, shown: (look: Look) => readonly Finding[]) => Promise<void>

/** One long text. @param most characters of a slice */
async function through(piece: Piece, index: number, most: number, show: Show): Promise<void> {
  const { text } = piece
  let from = 0
  /** Before this all has been said. */
  let said = 0
  for (let length = most; ; ) {
    const to = Math.min(text.length, from + length)
    const isLast = to === text.length
    let next = isLast ? to : to - (most - SLICE)
    await show([{ ...piece, text: text.slice(from, to) }], false, ({ findings }) => {
      // What touches the end may go on: the next finds it whole.
      for (const one of findings) if (!isLast && one.end >= to - from) next = Math.min(next, from + one.start)
      const own: Finding[] = []
      for (const one of findings) {
        const [start, end] = [from + one.start, from + one.end]
        if (end > said && (isLast || start < next)) own.push({ ...one, piece: index, start, end })
      }
      for (const { end } of own) said = Math.max(said, end)
      return own
    })
    if (isLast) return
    said = Math.max(said, next)
    const begin = wordFrom(text, Math.max(0, next - LEAD))
    // It fills all of the slice: a longer one, so that it is not looked through again and again.
    length = begin <= from ? length * 2 : most
    from = Math.max(from, begin)
  }
}

/** Not within a word, where there is another place near. */
function wordFrom(text: string, at: number): number {
  for (let i = at; i > 0 && i > at - LEAD; i--) if (text.charCodeAt(i - 1) <= 32) return i
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}
