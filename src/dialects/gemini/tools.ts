/** Gemini's tools (ai.google.dev/api/caching#Tool), both ways. */
import type { Chat, Json, Tool } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { TOOL_HINTS } from '../hints.ts'
import {
  compact,
  defined,
  extrasFor,
  extrasOf,
  isString,
  optionalArray,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
} from '../wire.ts'
import { ID } from './parts.ts'
import { jsonSchema } from './schema.ts'
import { camelled } from './spelling.ts'

const FIELDS = new Set(['name', 'description', 'parametersJsonSchema'])

export function readTools(value: unknown): Tool[] | undefined {
  return optionalArray(value, 'tools')?.flatMap((item, index) => {
    const path = `tools[${index}]`
    const { functionDeclarations, ...own } = camelled(requiredObject(item, path), path)
    const functions = optionalArray(functionDeclarations, `${path}.functionDeclarations`) ?? []
    return [
      ...functions.map((one, at) => readFunction(one, `${path}.functionDeclarations[${at}]`)),
      ...Object.entries(own).map(
        ([name, said]): Tool => ({ name, foreign: { dialect: ID, fields: { [name]: said } } }),
      ),
    ]
  })
}

function readFunction(value: unknown, path: string): Tool {
  const said = camelled(requiredObject(value, path), path)
  const own = optionalObject(said.parameters, `${path}.parameters`)
  const schema = optionalObject(said.parametersJsonSchema, `${path}.parametersJsonSchema`)
  return defined<Tool>({
    name: requiredString(said.name, `${path}.name`),
    description: optionalString(said.description, `${path}.description`),
    parameters: schema ?? (own && jsonSchema(own)),
    extras: extrasOf(ID, said, FIELDS, path),
  } as Tool)
}

/** @returns the choice, and the configuration itself where it says more */
export function readToolConfig(value: unknown): { choice: Chat['toolChoice']; rest: Json | undefined } {
  const said = optionalObject(value, 'toolConfig')
  if (!said) return { choice: undefined, rest: undefined }
  const { functionCallingConfig, ...others } = camelled(said, 'toolConfig')
  const path = 'toolConfig.functionCallingConfig'
  const calling = camelled(optionalObject(functionCallingConfig, path) ?? {}, path)
  const names = (optionalArray(calling.allowedFunctionNames, `${path}.allowedFunctionNames`) ?? []).filter(isString)
  const mode = optionalString(calling.mode, `${path}.mode`)?.toUpperCase()
  const isPlain = Object.keys(others).length === 0 && names.length < 2 && mode !== 'VALIDATED'
  const rest = isPlain ? undefined : said
  if (mode === 'NONE') return { choice: 'none', rest }
  if (mode === 'ANY') return { choice: names.length === 1 ? { name: names[0]! } : 'required', rest }
  return { choice: mode === undefined || mode === 'MODE_UNSPECIFIED' ? undefined : 'auto', rest }
}

export function writeTools(chat: Chat, warn: Warn): Json[] | undefined {
  const functions: Json[] = []
  const others: Json[] = []
  for (const tool of chat.tools ?? []) {
    if (tool.foreign?.dialect === ID) others.push(tool.foreign.fields)
    else if (tool.foreign) warn(`tools.${tool.name}`, 'the target has no such built-in tool')
    else functions.push(writeFunction(tool, warn))
  }
  if (chat.parallelTools === false && functions.length > 0)
    warn.adapted?.('parallel_tool_calls', 'Gemini cannot be kept from calling several tools at once')
  const written = functions.length > 0 ? [{ functionDeclarations: functions }, ...others] : others
  return written.length > 0 ? written : undefined
}

function writeFunction({ name, description, parameters, extras }: Tool, warn: Warn): Json {
  const own = extrasFor(ID, extras, warn, TOOL_HINTS, `tools.${name}.`)
  return compact({ name, description, parametersJsonSchema: own.parameters ? undefined : parameters, ...own })
}

export function writeToolConfig(choice: Chat['toolChoice']): Json | undefined {
  if (choice === undefined) return undefined
  if (typeof choice === 'object') return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [choice.name] } }
  return { functionCallingConfig: { mode: { auto: 'AUTO', none: 'NONE', required: 'ANY' }[choice] } }
}
