/**
 * How entries of the audit hang together: each one's code is over the code before, its place, its time and its bytes. An
 * HMAC, since a chain without a key only finds accidents. What is hashed and signed is laid down here, so that it can be
 * checked by others, too: docs/audit.md. Pure.
 */
import { chainName } from './audit-entry.ts'

export interface ChainRow {
  chain: number
  seq: number
  /** ms since the epoch. */
  at: number
  mac: Uint8Array
  body: string
}

/** What is known of a chain from outside of it. */
export interface Checkpoint {
  chain: number
  seq: number
  kind: 'checkpoint' | 'tombstone'
  mac: Uint8Array
  at: number
  signature: Uint8Array
}

/** The code before the first one. */
export const NOTHING_BEFORE = new Uint8Array(32)

/** What a code is over, beside the code before: its place cannot be mistaken for its text. */
export const headOf = ({ chain, seq, at }: Pick<ChainRow, 'chain' | 'seq' | 'at'>): string =>
  `${chain}\n${seq}\n${at}\n`

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** What is signed of a checkpoint. */
export const signedText = ({ chain, seq, kind, mac, at }: Omit<Checkpoint, 'signature'>): string =>
  `tollgate-audit-v1\n${kind}\n${chainName(chain)}\n${seq}\n${hex(mac)}\n${at}\n`

/** A checkpoint as it is written outside: a line of JSON. */
export const anchorLine = (one: Checkpoint): string =>
  JSON.stringify({
    ...{ type: one.kind, chain: chainName(one.chain), seq: one.seq, mac: hex(one.mac) },
    ...{ time: new Date(one.at).toISOString(), signature: hex(one.signature) },
  })

/** The same, read again; undefined where it is none. */
export function readAnchor(line: string): Checkpoint | undefined {
  let said: Record<string, unknown>
  try {
    said = JSON.parse(line)
  } catch {
    return undefined
  }
  const { type, chain, seq, mac, time, signature } = said ?? {}
  const at = Date.parse(String(time))
  const isRight =
    (type === 'checkpoint' || type === 'tombstone') &&
    (chain === 'requests' || chain === 'admin') &&
    Number.isFinite(at)
  if (!isRight || !Number.isInteger(seq) || !isHex(mac, 64) || !isHex(signature, 128)) return undefined
  return {
    ...{ kind: type, chain: chain === 'admin' ? 2 : 1, seq: seq as number, at },
    ...{ mac: bytesOf(mac), signature: bytesOf(signature) },
  }
}

const isHex = (said: unknown, length: number): said is string =>
  typeof said === 'string' && said.length === length && /^[\da-f]+$/.test(said)

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
