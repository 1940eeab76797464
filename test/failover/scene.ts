/** What a row of the table is made of: cases, each of a scene that has a gateway (and what else it needs) of its own. */
import type { Tongue } from '../support/ask.ts'
import type { RowName } from './table.ts'

export type Form = 'streamed' | 'whole'
export const FORMS = ['streamed', 'whole'] as const satisfies readonly Form[]
export const TONGUES = ['openai', 'ollama'] as const satisfies readonly Tongue[]

export interface Case {
  rows: readonly RowName[]
  name: string
  /** The dialect of the primary, or of the caller where the fault is his. */
  tongues: readonly Tongue[]
  forms: readonly Form[]
  /** @throws where the gateway does not do what the row asks for */
  run(): Promise<void>
}

export interface Scene {
  cases: readonly Case[]
  /** Cases at once. */
  width: number
  start(): Promise<void>
  /** Ends it. @throws where something is left behind: a hold, a key in the log, books that do not add up */
  stop(): Promise<void>
}

/** What came of each case, as soon as it is known. Those that wait keep nobody from his turn. */
export function begin(scene: Scene): Map<Case, Promise<void>> {
  const results = new Map(scene.cases.map((one) => [one, Promise.withResolvers<void>()]))
  for (const { promise } of results.values()) promise.catch(() => {})
  const waiting = scene.cases[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (const one of waiting) await one.run().then(results.get(one)!.resolve, results.get(one)!.reject)
  }
  scene.start().then(
    () => {
      for (let i = 0; i < scene.width; i++) void lane()
    },
    (cause) => {
      for (const { reject } of results.values()) reject(cause)
    },
  )
  return new Map([...results].map(([one, { promise }]) => [one, promise]))
}

/** A case for each dialect and form. */
export function each(
  rows: readonly RowName[],
  run: (tongue: Tongue, stream: boolean) => Promise<void>,
  { tongues = TONGUES, forms = FORMS }: { tongues?: readonly Tongue[]; forms?: readonly Form[] } = {},
): Case[] {
  return tongues.flatMap((tongue) =>
    forms.map((form) => ({
      rows,
      name: `${tongue}, ${form}`,
      tongues: [tongue],
      forms: [form],
      run: () => run(tongue, form === 'streamed'),
    })),
  )
}
