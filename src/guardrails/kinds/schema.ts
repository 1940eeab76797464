/** An answer that must be JSON, of a schema. */
import { RE2JS } from 're2js'
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED } from '../look.ts'

const settings = z.strictObject({
  schema: z
    .union([z.boolean(), z.record(z.string(), z.unknown())])
    .default(true)
    .describe('A JSON Schema (2020-12). Default: any JSON.'),
  fenced: z
    .boolean()
    .default(false)
    .describe('Whether JSON between marks of code (three backticks) counts as JSON. Default: false.'),
})

/** Patterns of a schema in linear time, as others are. */
const regExp = Object.assign(
  (source: string) => {
    const compiled = RE2JS.compile(source)
    // Ajv keeps patterns by what they say of themselves: two that say the same would be one.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => `/${source}/` }
  },
  { code: '' },
)

export const schema = defineKind({
  kind: 'schema',
  settings,
  make(said) {
    // Loaded where it is needed: it takes longer than all other kinds together.
    const { Ajv2020 }: typeof import('ajv/dist/2020.js') = require('ajv/dist/2020.js')
    // Formats are notes: what checks them would be guesswork.
    const ajv = new Ajv2020({ strict: false, validateFormats: false, addUsedSchema: false, code: { regExp } })
    let validate: (value: unknown) => unknown
    try {
      validate = ajv.compile(said.schema)
    } catch (cause) {
      throw new Error(`the schema can't be used: ${(cause as Error).message}.`)
    }
    return {
      kind: 'schema',
      local: true,
      needsWhole: true,
      window: 1,
      kinds: new Set(['text']),
      version: versionOf('schema', 1, said),
      look({ pieces, direction }) {
        if (direction === 'input') return PASSED
        const choices = new Map<number, string>()
        for (const { choice, text } of pieces) choices.set(choice, (choices.get(choice) ?? '') + text)
        const faults = new Set<string>()
        for (const text of choices.values()) {
          let value: unknown
          try {
            value = JSON.parse(said.fenced ? unfenced(text) : text)
          } catch {
            faults.add('not_json')
            continue
          }
          if (validate(value) !== true) faults.add('schema')
        }
        return faults.size > 0 ? { flagged: true, categories: [...faults], findings: [] } : PASSED
      },
    }
  },
})

function unfenced(text: string): string {
  const trimmed = text.trim()
  if (!trimmed.startsWith('```') || !trimmed.endsWith('```')) return text
  return trimmed.slice(trimmed.indexOf('\n') + 1, -3)
}
