/** How well guards of the process find what they are for: texts of our own, each with what is in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guard, look } from '../support.ts'
import { fill } from './fill.ts'

interface Line {
  of: 'pii' | 'secrets' | 'injection'
  text: string
  what: string[]
  group?: string
}

interface Count {
  texts: number
  /** Found and there, found and not there, there and not found. */
  right: number
  wrong: number
  missed: number
}

export interface Measured {
  file: string
  /** By entity, by kind of secret, by group of attacks; those of benign texts are under `benign`. */
  by: Map<string, Count>
  all: Map<Line['of'], Count>
  /** What was wrong, to be looked at. */
  faults: string[]
}

export const FILES = ['pii', 'secrets', 'injection', 'benign', 'held-out'] as const
const guards = { pii: guard('pii'), secrets: guard('secrets'), injection: guard('injection') }

export function measure(file: (typeof FILES)[number]): Measured {
  const told: Measured = { file, by: new Map(), all: new Map(), faults: [] }
  const at = <K>(map: Map<K, Count>, key: K): Count => {
    const count = map.get(key) ?? { texts: 0, right: 0, wrong: 0, missed: 0 }
    map.set(key, count)
    return count
  }
  const lines = readFileSync(join(import.meta.dir, `${file}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  for (const [seed, line] of lines.entries()) {
    const { of, what, group, ...rest } = JSON.parse(line) as Line
    const text = fill(rest.text, seed + 1)
    const { findings, flagged } = look(guards[of], text)
    const got = of === 'injection' ? (flagged ? ['PROMPT_INJECTION'] : []) : findings.map((one) => one.what)
    at(told.all, of).texts++
    at(told.by, `${of}: ${group ?? what[0] ?? 'nothing'}`).texts++
    const left = [...what]
    for (const one of got) {
      const place = left.indexOf(one)
      if (place >= 0) left.splice(place, 1)
      const key = of === 'injection' ? (group as string) : one
      for (const count of [at(told.all, of), at(told.by, `${of}: ${key}`)]) count[place >= 0 ? 'right' : 'wrong']++
      if (place < 0) told.faults.push(`false ${one}: ${text}`)
    }
    for (const one of left) {
      const key = of === 'injection' ? (group as string) : one
      for (const count of [at(told.all, of), at(told.by, `${of}: ${key}`)]) count.missed++
      told.faults.push(`missed ${one}: ${text}`)
    }
  }
  return told
}

export const precision = ({ right, wrong }: Count): number | undefined =>
  right + wrong === 0 ? undefined : right / (right + wrong)
export const recall = ({ right, missed }: Count): number | undefined =>
  right + missed === 0 ? undefined : right / (right + missed)
