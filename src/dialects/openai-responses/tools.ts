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
import { type Names, regroup } from './namespaces.ts'

const FIELDS = new Set(['type', 'name', 'description', 'parameters', 'strict'])

export function readTools(value: unknown, names: Names): Tool[] | undefined {
  return optionalArray(value, 'tools')?.flatMap((item, index) => {
    const path = `tools[${index}]`
    const tool = requiredObject(item, path)
    const isGroup = tool.type === 'namespace' && Array.isArray(tool.tools) && tool.tools.length > 0
    return isGroup ? readGroup(tool, path, names) : [readTool(tool, path)]
  })
}

function readTool(tool: Json, path: string): Tool {
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
}

/** The functions of a group by names of their own. The first one also tells what the group is for. */
function readGroup({ tools, ...fields }: Json, path: string, names: Names): Tool[] {
  const group = requiredString(fields.name, `${path}.name`)
  const about = optionalString(fields.description, `${path}.description`)
  return (optionalArray(tools, `${path}.tools`) ?? []).map((item, index) => {
    const inner = requiredObject(item, `${path}.tools[${index}]`)
    const tool: Tool = { ...readTool(inner, `${path}.tools[${index}]`), group: { fields, tool: inner } }
    if (tool.foreign) return { ...tool, name: `${group}.${tool.name}` }
    const name = names.of(group, tool.name)
    if (index > 0 || !about) return { ...tool, name }
    return { ...tool, name, description: `(${group}: ${about})${tool.description ? `\n${tool.description}` : ''}` }
  })
}

/**
 * @param tools those that were read
 * @returns undefined for a form that only OpenAI has
 */
export function readToolChoice(value: unknown, tools: readonly Tool[], names: Names): Chat['toolChoice'] {
  if (value === 'auto' || value === 'none' || value === 'required') return value
  if (isObject(value)) {
    if (value.type !== 'function') return undefined
    const name = requiredString(value.name, 'tool_choice.name')
    if (isString(value.namespace)) return { name: names.of(value.namespace, name) }
    return { name: tools.some((tool) => tool.name === name) ? name : (names.only(name) ?? name) }
  }
  if (value !== undefined && value !== null) throw bad('tool_choice', "'auto', 'none', 'required' or an object")
  return undefined
}

/** @param own whether the caller speaks this dialect: there a function is strict unless it says otherwise */
export const writeTools = (tools: readonly Tool[], own: boolean, warn: Warn): Json[] =>
  regroup(tools, (tool) => writeTool(tool, own, warn))

function writeTool(tool: Tool, own: boolean, warn: Warn): Json[] {
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

/** @param asked by its own name where its tool came in a group */
export const writeToolChoice = (choice: Chat['toolChoice'], asked: (name: string) => Json): unknown =>
  typeof choice === 'object' ? { type: 'function', ...asked(choice.name) } : choice
