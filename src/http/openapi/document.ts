/**
 * What can be asked here, as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1): written from the one table of routes, the table of
 * permissions, the schemas that management bodies are read with, and the fields that each dialect knows.
 */
import pkg from '../../../package.json'
import { bodyOf } from '../../admin/bodies.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { type Permission, permissionOf } from '../permissions.ts'
import type { Route } from '../route.ts'
import { saidOf } from './summaries.ts'

export type Json = Record<string, unknown>

/** `/v1/files/:id` → `/v1/files/{id}`; `/v1/models/*` → `/v1/models/{path}`. */
export const pathOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}')

/** @param table all routes that there are */
export function openApi(table: readonly Route[]): Json {
  const paths: Record<string, Json> = {}
  for (const route of table) {
    const path = pathOf(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tollgate',
      version: pkg.version,
      description: 'One OpenAI endpoint for every model, with a toll on every token.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    security: [{ bearer: [] }, { key: [] }, { basic: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key, or a token of an identity provider (docs/auth.md)',
        },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        basic: { type: 'http', scheme: 'basic', description: 'Where `tollgate.auth` has `basic`' },
      },
      schemas: ERRORS,
    },
  }
}

function operationOf(route: Route): Json {
  const { method, path } = route
  const permission = permissionOf(route)
  const passes = 'passes' in route && route.passes === true
  const said = passes
    ? { summary: `Any other path of ${path.slice(1, -2)}, passed on as it is; needs allowed_passthrough_routes` }
    : saidOf(method, path)
  const body = method === 'GET' || method === 'HEAD' ? undefined : requestOf(route, passes)
  return {
    operationId: `${method.toLowerCase()}${pathOf(path)
      .replace(/[^a-zA-Z0-9]+/g, '_')
      .replace(/_$/, '')}`,
    ...(said ? { summary: said.summary } : {}),
    ...(isOpen(permission) ? { security: [] } : {}),
    'x-tollgate-roles': rolesIn(permission),
    parameters: [...inPath(path), ...(said?.query ?? []).map(inQuery)],
    ...(body ? { requestBody: body } : {}),
    responses: {
      200: { description: 'What was asked for' },
      ...(isOpen(permission) ? {} : { 401: answer(route, 'Nobody is known by this key') }),
      ...(typeof permission === 'string' ? {} : { 403: answer(route, 'Not for this role') }),
      default: answer(route, 'Why not'),
    },
  }
}

/** Whether nobody is asked who he is. */
const isOpen = (permission: Permission): boolean => permission === 'open' || permission === 'login'

const rolesIn = (permission: Permission): string | Json =>
  typeof permission === 'string' ? permission : { ...permission }

const inPath = (path: string): Json[] =>
  [...pathOf(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string', minLength: 1 } },
    ...(name === 'path' ? { description: 'May hold slashes' } : {}),
  }))

const WHOLE = new Set(['page', 'page_size', 'size', 'limit'])

const inQuery = (name: string): Json => ({
  ...{ name, in: 'query', required: false },
  schema: WHOLE.has(name)
    ? { type: 'integer', minimum: 1 }
    : { type: 'string', ...(name.endsWith('_date') ? { format: 'date' } : {}) },
})

function requestOf(route: Route, passes: boolean): Json | undefined {
  const own = bodyOf(`${route.method} ${route.path}`)
  if (own) return json(own)
  if (passes) return { required: false, content: { '*/*': {} } }
  if (/\/cancel$/.test(route.path) || route.method === 'DELETE') return undefined
  if (!('door' in route)) return json({ type: 'object' })
  if (/\/files$/.test(route.path)) return form({ file: BYTES, purpose: { type: 'string' } }, ['file', 'purpose'])
  if (/\/batches$/.test(route.path)) return json(BATCH)
  const { fields } = route.dialect
  if (fields.required.file || fields.required.image) {
    const part = fields.required.file ? 'file' : 'image'
    return form({ [part]: BYTES, model: { type: 'string' } }, [part, 'model'])
  }
  return json(bodyIn(route.dialect, !route.path.endsWith('/*')))
}

const BYTES = { type: 'string', contentMediaType: 'application/octet-stream' }
const TEXT = { type: 'string' }
const BATCH = {
  type: 'object',
  properties: { input_file_id: TEXT, endpoint: TEXT, completion_window: TEXT, metadata: { type: 'object' } },
  required: ['input_file_id', 'endpoint', 'completion_window'],
}

const json = (schema: Json): Json => ({ required: true, content: { 'application/json': { schema } } })
const form = (properties: Json, required: readonly string[]): Json => ({
  required: true,
  content: { 'multipart/form-data': { schema: { type: 'object', properties, required } } },
})

/** The fields that a dialect knows. What it does not know goes on to the target as it is. */
function bodyIn({ fields }: Dialect, namesModel: boolean): Json {
  const properties: Json = { ...Object.fromEntries(fields.known.map((field) => [field, {}])) }
  for (const field of fields.maxTokens.filter((one) => !one.includes('.')))
    properties[field] = { type: 'integer', minimum: fields.leastTokens ?? (fields.zeroIsUnlimited ? undefined : 1) }
  for (const [field, kind] of Object.entries(fields.required)) {
    const type = kind.replace('?', '')
    properties[field] = type === 'any' ? {} : type === 'array' ? { type, minItems: 1 } : { type }
  }
  const required = Object.entries(fields.required).flatMap(([field, kind]) => (kind.endsWith('?') ? [] : [field]))
  if (fields.asksInPath) return { type: 'object', properties, required, additionalProperties: true }
  properties.stream = { type: 'boolean' }
  properties.model = TEXT
  const needed = namesModel ? ['model', ...required] : required
  return { type: 'object', properties, required: needed, additionalProperties: true }
}

const KINDS = {
  anthropic: 'AnthropicError',
  gemini: 'GeminiError',
  ollama: 'OllamaError',
  openai: 'OpenAIError',
} as const

/** Errors come in the caller's words. */
function answer({ dialect }: Route, description: string): Json {
  const kind = (['anthropic', 'gemini', 'ollama'] as const).find((one) => dialect.id.startsWith(one)) ?? 'openai'
  return {
    description,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${KINDS[kind]}` } } },
  }
}

const object = (properties: Json): Json => ({ type: 'object', properties, required: Object.keys(properties) })
const NAME = { type: ['string', 'null'] }

const ERRORS = {
  OpenAIError: object({ error: object({ message: TEXT, type: TEXT, param: NAME, code: NAME }) }),
  AnthropicError: object({ type: { const: 'error' }, error: object({ type: TEXT, message: TEXT }) }),
  GeminiError: object({ error: object({ code: { type: 'integer' }, message: TEXT, status: TEXT }) }),
  OllamaError: object({ error: TEXT }),
}
