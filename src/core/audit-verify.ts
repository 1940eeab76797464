/**
 * Finds what was done to a chain by somebody who is not the gateway: an entry changed, taken out, put in, put elsewhere, or
 * an end that was cut off. Reads each entry once. Pure: codes and signatures are made by whoever calls.
 */
import { type ChainRow, type Checkpoint, NOTHING_BEFORE, sameBytes } from './audit-chain.ts'
import { type ChainName, chainName, type RunEntry } from './audit-entry.ts'

export interface Finding {
  chain: ChainName
  /** The first entry that it is about. */
  seq: number
  what:
    | 'changed'
    | 'removed'
    | 'inserted'
    | 'reordered'
    | 'cut_off'
    | 'rewritten'
    | 'signature'
    | 'unsigned'
    | 'details'
  sentence: string
}

export interface ChainReport {
  chain: ChainName
  /** Entries that were read, and the first and last of them. */
  entries: number
  first: number
  last: number
  /** Everything up to here was let go by the retention; 0: nothing was. */
  tombstone: number
  /** The highest signed entry, and how many behind it are not signed yet. */
  signed: number
  unsigned: number
  /** Places where the gateway itself says that it could not write. */
  gaps: number
  /** When the newest run began (ISO 8601), and whether its end is the last entry. */
  begun: string | undefined
  ended: boolean
  findings: Finding[]
}

export interface Proofs {
  /** The code of an entry. */
  macOf(before: Uint8Array, row: Pick<ChainRow, 'chain' | 'seq' | 'at' | 'body'>): Uint8Array
  isSigned(checkpoint: Checkpoint): boolean
}

/** As many wrong entries are looked at closely, and told one by one. */
const MOST = 50

/** A gateway signs after so many entries at the latest (the most that `checkpoint_entries` may be), and after one write. */
const MOST_UNSIGNED = 1_000_000
const ONE_WRITE = 20_000

interface Wrong {
  row: ChainRow
  /** The codes that stand in front of it. */
  before: Uint8Array
}

/**
 * @param rows of one chain in their order
 * @param checkpoints of it, of the database and from outside
 */
export function verifyChain(
  chain: number,
  rows: Iterable<ChainRow>,
  checkpoints: readonly Checkpoint[],
  proofs: Proofs,
  see: (row: ChainRow) => void = () => {},
): ChainReport {
  const name = chainName(chain)
  const findings: Finding[] = []
  const tell = (seq: number, what: Finding['what'], sentence: string) => {
    if (findings.length < MOST) findings.push({ chain: name, seq, what, sentence: `${name} ${seq}: ${sentence}` })
  }
  const known = checkpoints.filter((one) => {
    const isRight = isSigned(one, proofs)
    if (!isRight) tell(one.seq, 'signature', `the ${one.kind} of this entry is not signed by this gateway's key.`)
    return isRight
  })
  const tombstone = known.filter((one) => one.kind === 'tombstone').reduce(higher, undefined)
  const signed = new Map<number, Checkpoint[]>()
  for (const one of known) signed.set(one.seq, [...(signed.get(one.seq) ?? []), one])
  const newest = known.reduce(higher, undefined)

  const wrong: Wrong[] = []
  const report = { entries: 0, first: 0, last: tombstone?.seq ?? 0, gaps: 0, ended: false }
  let run: RunEntry | undefined
  let before: Uint8Array = tombstone?.mac ?? NOTHING_BEFORE
  let buried: ChainRow | undefined
  /** The first end of a run that nobody signed, though each end is. */
  let unsignedEnd: number | undefined
  for (const said of rows) {
    const row = wholeRow(said)
    if (row !== said) tell(row.seq, 'changed', 'this entry was changed: it is not made of what an entry is made of.')
    if (row.seq < 1) {
      tell(row.seq, 'inserted', 'this entry was put in: the first one has the number 1.')
      continue
    }
    // What the retention is just letting go. It goes from its beginning, so that what is left still hangs together.
    if (tombstone && row.seq <= tombstone.seq) {
      const isNext = buried === undefined || row.seq === buried.seq + 1
      const isOwn = row.seq < tombstone.seq || sameBytes(row.mac, tombstone.mac)
      if (!isNext || !isOwn || (buried && !sameBytes(proofs.macOf(buried.mac, row), row.mac)))
        tell(row.seq, 'inserted', 'this entry was put in or changed, where the retention had let everything go.')
      buried = row
      continue
    }
    if (report.entries === 0) report.first = row.seq
    report.entries++
    const expected = report.last + 1
    const isNext = row.seq === expected
    if (!isNext)
      tell(
        expected,
        'removed',
        `${expected === row.seq - 1 ? 'this entry is' : `the entries up to ${row.seq - 1} are`} missing: removed. Whether ${row.seq} is whole cannot be said without what was before it.`,
      )
    else if (!sameBytes(proofs.macOf(before, row), row.mac)) wrong.push({ row, before })
    for (const one of signed.get(row.seq) ?? [])
      if (!sameBytes(one.mac, row.mac))
        tell(
          row.seq,
          'rewritten',
          `this is not the entry that was signed at ${iso(one.at)}: the chain was written anew, here or before.`,
        )
    if (row.body.startsWith('{"kind":"gap"')) report.gaps++
    report.ended = row.body.startsWith('{"kind":"stop"')
    if (report.ended && row.seq > (newest?.seq ?? 0)) unsignedEnd ??= row.seq
    if (row.body.startsWith('{"kind":"start"')) run = readRun(row.body) ?? run
    see(row)
    before = row.mac
    report.last = row.seq
  }
  if (newest && newest.seq > report.last)
    tell(
      report.last + 1,
      'cut_off',
      `the end is cut off: ${newest.seq} entries were signed at ${iso(newest.at)}, and the last one here is ${report.last}.`,
    )
  if (buried && tombstone && buried.seq !== tombstone.seq)
    tell(buried.seq, 'inserted', 'this entry was put in, where the retention had let everything go.')
  if (report.entries === 0 && !tombstone && !newest)
    tell(1, 'cut_off', 'there is nothing here, and each start of a gateway is an entry: everything was removed.')
  explain(wrong.slice(0, MOST), proofs, tell)
  const unsigned = Math.max(0, report.last - Math.max(newest?.seq ?? 0, report.first - 1))
  if (unsignedEnd !== undefined)
    tell(
      unsignedEnd,
      'unsigned',
      'a run ended here, and each end is signed: its checkpoint was removed, and whether the entries behind the last one are those that were written cannot be said.',
    )
  else if (unsigned > mostUnsigned(run))
    tell(
      report.last - unsigned + 1,
      'unsigned',
      `the ${unsigned} entries from here on are not signed, and would have been: checkpoints were removed.`,
    )
  return {
    ...{ chain: name, ...report, begun: run?.time, tombstone: tombstone?.seq ?? 0, signed: newest?.seq ?? 0, unsigned },
    findings: findings.sort((a, b) => a.seq - b.seq),
  }
}

/**
 * Starts and stops are written into both chains at once: what one of them knows of the newest run, and the other does not,
 * was cut off from it.
 */
export function compareRuns(reports: readonly ChainReport[]): Finding[] {
  const told = reports.filter(({ entries, begun }) => entries > 0 && begun !== undefined)
  const newest = told
    .map(({ begun }) => begun as string)
    .sort()
    .at(-1)
  const ended = told.some((one) => one.begun === newest && one.ended)
  return reports.flatMap(({ chain, entries, begun, ended: hasEnded, last, tombstone }): Finding[] => {
    // Its starts may have been let go.
    if (newest === undefined || entries === 0 || (begun === undefined && tombstone > 0)) return []
    if (begun === newest && hasEnded === ended) return []
    const what = begun === newest ? `the end of the run that began at ${newest}` : `a run that began at ${newest}`
    const sentence = `${chain} ${last + 1}: the end is cut off: the other chain tells of ${what}, and this one does not.`
    return [{ chain, seq: last + 1, what: 'cut_off', sentence }]
  })
}

function isSigned(checkpoint: Checkpoint, proofs: Proofs): boolean {
  try {
    return proofs.isSigned(checkpoint)
  } catch {
    return false
  }
}

/** A row as it should be; another one where somebody has put something else into its columns. */
function wholeRow(row: ChainRow): ChainRow {
  const { seq, at, mac, body } = row as { [name in keyof ChainRow]: unknown }
  if (typeof seq === 'number' && typeof at === 'number' && typeof body === 'string' && mac instanceof Uint8Array)
    return row
  return {
    ...{ chain: row.chain, seq: Number(seq) || 0, at: Number(at) || 0, body: typeof body === 'string' ? body : '' },
    mac: mac instanceof Uint8Array ? mac : new Uint8Array(),
  }
}

function readRun(body: string): RunEntry | undefined {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** So many entries may stand behind the last checkpoint. */
const mostUnsigned = (run: RunEntry | undefined): number =>
  Math.min(Number(run?.signed_each) || MOST_UNSIGNED, MOST_UNSIGNED) + ONE_WRITE

/** What happened to entries whose codes are wrong: it may be that they are only in the wrong place. */
function explain(
  wrong: readonly Wrong[],
  { macOf }: Proofs,
  tell: (seq: number, what: Finding['what'], sentence: string) => void,
): void {
  const codes = wrong.flatMap(({ row, before }) => [before, row.mac])
  const places = wrong.map(({ row }) => row.seq)
  /** Where it was written, if that is one of these places. */
  const home = ({ row }: Wrong): number | undefined => {
    const candidates = new Set([...places, row.seq - 1, row.seq + 1])
    for (const seq of candidates)
      if (codes.some((before) => sameBytes(macOf(before, { ...row, seq }), row.mac))) return seq
    return undefined
  }
  const homes = wrong.map(home)
  wrong.forEach(({ row }, i) => {
    const was = homes[i]
    const next = homes[i + 1]
    if (was === row.seq)
      tell(
        row.seq,
        'changed',
        'this entry is as it was written, and the one before it is not the one it was written after.',
      )
    else if (was !== undefined)
      tell(row.seq, 'reordered', `this entry was written as number ${was}: entries were moved.`)
    // What stood between it and the one before is gone, and with it the code that would prove this one.
    else if (next !== undefined && next === row.seq + 2)
      tell(row.seq, 'removed', 'the entry of this number is gone: those behind it were moved up.')
    else if (next !== undefined && next === row.seq)
      tell(row.seq, 'inserted', 'this entry was put in: the one behind it was written as this number.')
    else tell(row.seq, 'changed', 'this entry was changed, or put in: its code does not fit what it says.')
  })
}

const higher = (best: Checkpoint | undefined, one: Checkpoint): Checkpoint =>
  best === undefined || one.seq > best.seq ? one : best

const iso = (ms: number): string => new Date(ms).toISOString()
