/** Tools of OpenAI's Responses, both ways: functions lie flat, and everything else is a tool of OpenAI's own. */
import type { Chat, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import {
  bad,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalArray,
  optionalBoolean,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
} from '../wire.ts'
import { ID } from './content.ts'

const FIELDS = new Set(['type', 'name', 'description', 'parameters', 'strict'])

export function readTools(value: unknown): Tool[] | undefined {
  return optionalArray(value, 'tools')?.map((item, index) => {
    const path = `tools[${index}]`
    const tool = requiredObject(item, path)
    if (tool.type !== 'function') {
      const type = requiredString(tool.type, `${path}.type`)
      return { name: isString(tool.name) ? tool.name : type, foreign: { dialect: ID, fields: tool } }
    }
    return defined<Tool>({
      name: requiredString(tool.name, `${path}.name`),
      description: optionalString(tool.description, `${path}.description`),
      parameters: optionalObject(tool.parameters, `${path}.parameters`),
      strict: optionalBoolean(tool.strict, `${path}.strict`),
      extras: extrasOf(ID, tool, FIELDS, path),
    } as Tool)
  })
}

/** @returns undefined for a form that only OpenAI has */
export function readToolChoice(value: unknown): Chat['toolChoice'] {
  if (value === 'auto' || value === 'none' || value === 'required') return value
  if (isObject(value))
    return value.type === 'function' ? { name: requiredString(value.name, 'tool_choice.name') } : undefined
  if (value !== undefined && value !== null) throw bad('tool_choice', "'auto', 'none', 'required' or an object")
  return undefined
}

/** @param own whether the caller speaks this dialect: there a function is strict unless it says otherwise */
export function writeTool(tool: Tool, own: boolean, warn: Warn): Json[] {
  if (tool.foreign) {
    if (tool.foreign.dialect === ID) return [tool.foreign.fields]
    warn(`tools.${tool.name}`, 'the target has no such built-in tool')
    return []
  }
  const { name, description, parameters, strict } = tool
  const extras = extrasFor(ID, tool.extras, warn, TOOL_HINTS, `tools.${name}.`)
  return [
    compact({
      type: 'function',
      name,
      description,
      parameters: parameters ?? (own ? undefined : { type: 'object', properties: {} }),
      strict: strict ?? (own ? undefined : false),
      ...extras,
    }),
  ]
}

export const writeToolChoice = (choice: Chat['toolChoice']): unknown =>
  typeof choice === 'object' ? { type: 'function', name: choice.name } : choice
