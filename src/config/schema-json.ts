/** The schema as JSON Schema, and ways to walk it: for explanations, the reference page and editors. */
import { z } from 'zod'
import type { Path } from './problem.ts'
import { fileSchema } from './schema.ts'

export interface JsonSchema {
  type?: string | string[]
  description?: string
  default?: unknown
  enum?: unknown[]
  examples?: readonly string[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  anyOf?: JsonSchema[]
  [key: string]: unknown
}

let made: JsonSchema | undefined

/** What a file may say, as JSON Schema 2020-12. Made once. */
export function jsonSchema(): JsonSchema {
  made ??= z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' }) as unknown as JsonSchema
  return made
}

/** The schema of the value at a path; undefined where there is none. */
export function schemaAt(path: Path): JsonSchema | undefined {
  let at: JsonSchema | undefined = jsonSchema()
  for (const part of path) at = at && step(at, part)
  return at
}

function step(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === 'number' && schema.items) return schema.items
  const own = schema.properties && Object.hasOwn(schema.properties, part) ? schema.properties[part] : undefined
  if (own) return own
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties
  for (const option of schema.anyOf ?? []) {
    const found = step(option, part)
    if (found) return found
  }
  return undefined
}

/** The keys that a map at this path may have. */
export const keysAt = (path: Path): string[] => {
  const at = schemaAt(path)
  const maps = at ? [at, ...(at.anyOf ?? [])] : []
  return maps.flatMap((map) => Object.keys(map.properties ?? {}))
}

/** In plain words: `text`, `a whole number`, `a list of text`, `one of refuse, allow`. */
export function typeName(schema: JsonSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ')
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeName({ type })).join(' or ')
  switch (schema.type) {
    case 'string':
      return 'text'
    case 'integer':
      return 'a whole number'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    case 'array':
      return schema.items ? `a list of ${plural(typeName(schema.items))}` : 'a list'
    case 'object': {
      const values = schema.additionalProperties
      return typeof values === 'object' && Object.keys(values).length > 0
        ? `a map of names to ${typeName(values)}`
        : 'a map'
    }
    default:
      return 'anything'
  }
}

const plural = (name: string): string => name.replace(/^a (map)/, '$1s').replace(/^a (list)/, '$1s')
