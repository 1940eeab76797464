/** Google's own schemas are a part of OpenAPI 3.0 with types in capitals; JSON Schema has them small. */
import type { Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'
import { camel } from './spelling.ts'

/** Members that hold a schema, a list of them, or one for each name. */
const SCHEMAS = new Set(['items', 'additionalProperties', 'not'])
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const NAMED = new Set(['properties', 'defs', '$defs'])
/** Counts that protocol buffers write as text. */
const COUNTS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])

/** A schema of Google's as JSON Schema; a JSON Schema comes through unchanged in meaning. */
export function jsonSchema(schema: Json): Json {
  const out: Json = {}
  for (const [key, value] of Object.entries(schema)) {
    const name = key.startsWith('$') ? key : camel(key)
    if (name === 'type' && isString(value)) {
      if (value !== 'TYPE_UNSPECIFIED') out.type = value.toLowerCase()
    } else if (SCHEMAS.has(name) && isObject(value)) out[name] = jsonSchema(value)
    else if (LISTS.has(name) && Array.isArray(value))
      out[name] = value.map((one) => (isObject(one) ? jsonSchema(one) : one))
    else if (NAMED.has(name) && isObject(value)) {
      const named = Object.entries(value).map(([own, one]) => [own, isObject(one) ? jsonSchema(one) : one] as const)
      out[name] = Object.fromEntries(named)
    } else if (COUNTS.has(name) && isString(value)) out[name] = Number(value)
    else if (name !== 'nullable' && name !== 'propertyOrdering') out[name] = value
  }
  if (schema.nullable === true && isString(out.type)) out.type = [out.type, 'null']
  return out
}
