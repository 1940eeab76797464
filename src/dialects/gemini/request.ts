/**
 * A request in Gemini's words (ai.google.dev/api/generate-content), both ways. Model and streaming stand in its path, not
 * in its body: whoever reads one puts them in as `model` and `stream`, and what is written here holds neither.
 */
import type { Chat, Json } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { requestExtras } from '../request-extras.ts'
import { compact, defined, extrasOf, optionalBoolean, optionalString } from '../wire.ts'
import { readConfig, writeConfig } from './config.ts'
import { readContents, writeContents } from './contents.ts'
import { ID } from './parts.ts'
import { camelled } from './spelling.ts'
import { readToolConfig, readTools, writeToolConfig, writeTools } from './tools.ts'

export const KNOWN = [
  'model',
  'stream',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
] as const
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

export function readRequest(said: Json): Chat {
  const body = camelled(said, '')
  const { shared, rest } = readConfig(body.generationConfig)
  const { choice, rest: toolConfig } = readToolConfig(body.toolConfig)
  const fields: Json = { ...extrasOf(ID, body, KNOWN_SET)?.fields, ...rest, ...(toolConfig ? { toolConfig } : {}) }
  for (const key of Object.keys(fields)) {
    if (fields[key] === null || (Array.isArray(fields[key]) && fields[key].length === 0)) delete fields[key]
  }
  return defined<Chat>({
    op: 'chat',
    shape: 'messages',
    model: optionalString(body.model, 'model') ?? '',
    messages: readContents(body.systemInstruction, body.contents),
    stream: optionalBoolean(body.stream, 'stream') ?? false,
    // Gemini tells it in every chunk.
    includeUsage: true,
    ...shared,
    tools: readTools(body.tools),
    toolChoice: choice,
    extras: { dialect: ID, fields },
  } as Chat)
}

/** Models that want their calls back signed. */
const mustSign = (model: string): boolean => /gemini-(?:[3-9]|\d\d)/i.test(model)

export function writeRequest(chat: Chat, warn: Warn): Json {
  const extras = { ...requestExtras(ID, chat, warn) }
  if (chat.suffix !== undefined) warn('suffix', 'Gemini takes no text after the gap')
  const generationConfig = writeConfig(chat, extras, warn)
  const { system, contents } = writeContents(chat.messages, mustSign(chat.model), warn)
  const tools = writeTools(chat, warn)
  return compact({
    systemInstruction: system,
    contents,
    tools,
    toolConfig: tools ? writeToolConfig(chat.toolChoice) : undefined,
    generationConfig,
    ...extras,
  })
}
