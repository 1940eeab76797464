/**
 * What an entry of the second chain says in full stands beside it, and the entry holds a code over that. Where a person is
 * taken out of it (`privacy forget`), an entry further on says so, with the new code: so that it is seen who changed it. Pure.
 */
import type { ChainRow } from './audit-chain.ts'
import type { Finding } from './audit-verify.ts'

/** How an entry of the second chain begins. */
export interface AdminEntry {
  kind: 'admin'
  id: string
  time: string
  action: string
  table: string
  /** Code over what stands beside it. */
  details: string
}

/** What was taken out of which entries: their numbers, and the codes that they have now. */
export interface RedactedEntry {
  kind: 'redacted'
  time: string
  why: string
  entries: readonly (readonly [seq: number, details: string])[]
}

/** Looks at entries in their order, and at the end says what does not fit. */
export class DetailsCheck {
  readonly #codeOf: (seq: number) => string | undefined
  /** Entries whose details are not what they were, with the code that they have now. */
  readonly #differ = new Map<number, string | undefined>()
  readonly #redacted = new Map<number, string>()
  /** Entries that have details. */
  readonly seen = new Set<number>()

  /** @param codeOf the code over what stands beside an entry now; undefined: nothing does */
  constructor(codeOf: (seq: number) => string | undefined) {
    this.#codeOf = codeOf
  }

  see({ seq, body }: Pick<ChainRow, 'seq' | 'body'>): void {
    if (body.startsWith('{"kind":"redacted"')) {
      const said = read<RedactedEntry>(body)
      for (const [of, code] of said?.entries ?? []) this.#redacted.set(of, code)
      return
    }
    if (!body.startsWith('{"kind":"admin"')) return
    this.seen.add(seq)
    const now = this.#codeOf(seq)
    if (now !== read<AdminEntry>(body)?.details) this.#differ.set(seq, now)
  }

  /** @param detailed numbers that something stands beside @param after what is not looked at: the retention's */
  findings(detailed: Iterable<number>, after: number): Finding[] {
    const orphans = [...detailed].filter((seq) => seq > after && !this.seen.has(seq)).slice(0, 50)
    const strange = orphans.map((seq): Finding => {
      const sentence = `admin ${seq}: something was put beside this entry, which has nothing beside it.`
      return { chain: 'admin', seq, what: 'details', sentence }
    })
    return [...strange, ...this.#changed()]
  }

  #changed(): Finding[] {
    return [...this.#differ].flatMap(([seq, now]): Finding[] => {
      const redacted = this.#redacted.get(seq)
      if (redacted !== undefined && redacted === now) return []
      const what = now === undefined ? 'is gone' : 'was changed'
      return [
        {
          chain: 'admin',
          seq,
          what: 'details',
          sentence: `admin ${seq}: what stands beside this entry ${what}, and no entry says so.`,
        },
      ]
    })
  }
}

function read<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
