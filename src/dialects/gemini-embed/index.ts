/** Gemini's embeddings (ai.google.dev/api/embeddings): `:embedContent` for one, `:batchEmbedContents` for many. */
import { UpstreamFailure } from '../../core/failure.ts'
import { usage } from '../../core/usage.ts'
import type { Embed, EmbedReply, Json } from '../canonical.ts'
import type { EmbedDialect, Warn } from '../dialect.ts'
import { failureOf, readError, writeError } from '../gemini/error.ts'
import { camelled } from '../gemini/spelling.ts'
import { REQUEST_HINTS } from '../hints.ts'
import { textsOnly } from '../ollama-embed/index.ts'
import { readVector } from '../openai-embeddings/vectors.ts'
import { glanceWith } from '../sight.ts'
import {
  bad,
  badReply,
  compact,
  defined,
  extrasFor,
  extrasOf,
  isObject,
  isString,
  optionalNumber,
  optionalString,
  requiredObject,
} from '../wire.ts'

const ID = 'gemini-embed'
const KNOWN = ['model', 'content', 'requests', 'outputDimensionality']
/** What the path says stands in the body too, for whoever reads it. */
const KNOWN_SET: ReadonlySet<string> = new Set([...KNOWN, 'stream'])
/** Beside what was read of one request of many. */
const ONE = new Set(['model', 'content', 'outputDimensionality'])

/** The text of one content: only texts are embedded. */
function readText(value: unknown, path: string): string {
  if (isString(value)) return value
  const content = requiredObject(value, path)
  const { parts } = content
  const list = isObject(parts) ? [parts] : parts
  if (!Array.isArray(list) || !list.every((part) => isObject(part) && isString(part.text)))
    throw bad(`${path}.parts`, 'an array of texts')
  return list.map((part) => (part as { text: string }).text).join('\n')
}

function readRequest(said: Json): Embed {
  const body = camelled(said, '')
  const single = body.requests === undefined || body.requests === null
  const list = single ? [body] : body.requests
  if (!Array.isArray(list) || list.length === 0) throw bad('requests', 'an array, and not empty')
  const requests = list.map((one, index) =>
    camelled(requiredObject(one, `requests[${index}]`), single ? '' : `requests[${index}]`),
  )
  const path = (index: number, field: string) => (single ? field : `requests[${index}].${field}`)
  const sizes = requests.map((one, index) =>
    optionalNumber(one.outputDimensionality, path(index, 'outputDimensionality')),
  )
  if (new Set(sizes).size > 1) throw bad('requests.outputDimensionality', 'the same in all requests')
  const own = requests.map((one, index) =>
    extrasOf(ID, one, single ? KNOWN_SET : ONE, single ? '' : `requests[${index}]`),
  )
  const [first] = own
  // What each request says for itself (its task, its title) must be the same for all, to be one question.
  if (own.some((extras) => JSON.stringify(extras) !== JSON.stringify(first)))
    throw bad('requests', 'of one task and without titles of their own')
  return defined<Embed>({
    op: 'embed',
    model: optionalString(body.model, 'model') ?? '',
    input: requests.map((one, index) => readText(one.content, path(index, 'content'))),
    single,
    dimensions: sizes[0],
    extras: { dialect: ID, fields: first?.fields ?? {} },
  } as Embed)
}

function writeRequest(embed: Embed, warn: Warn): Json {
  const extras = extrasFor(ID, embed.extras, warn, REQUEST_HINTS)
  const one = (text: string): Json =>
    compact({ content: { parts: [{ text }] }, outputDimensionality: embed.dimensions, ...extras })
  const texts = textsOnly(embed, 'Gemini takes texts')
  const model = embed.model.startsWith('models/') ? embed.model : `models/${embed.model}`
  return embed.single ? one(texts[0] as string) : { requests: texts.map((text) => ({ model, ...one(text) })) }
}

const readUsage = (said: unknown) =>
  isObject(said) && said.promptTokenCount ? usage({ input: said.promptTokenCount }) : undefined

const vectorsIn = (body: Json): unknown[] | undefined =>
  Array.isArray(body.embeddings) ? body.embeddings : isObject(body.embedding) ? [body.embedding] : undefined

function readReply(body: Json): EmbedReply {
  const failure = failureOf(body)
  if (failure) throw new UpstreamFailure(failure)
  const found = vectorsIn(body)
  if (!found) throw badReply('The answer holds no embeddings.')
  const vectors = found.map((one) => readVector(isObject(one) ? one.values : undefined))
  return defined<EmbedReply>({ model: '', vectors, usage: readUsage(body.usageMetadata) } as EmbedReply)
}

function writeReply(reply: EmbedReply, embed: Embed): Json {
  const embeddings = reply.vectors.map((values) => ({ values }))
  return compact({
    ...(embed.single ? { embedding: embeddings[0] } : { embeddings }),
    usageMetadata: reply.usage && { promptTokenCount: reply.usage.input },
  })
}

export const geminiEmbed: EmbedDialect = {
  id: ID,
  op: 'embed',
  fields: { asksInPath: true, maxTokens: [], required: {}, known: [...KNOWN, 'taskType', 'title'] },
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  writeError,
  readError,
  glance: (body) =>
    glanceWith(body, (reply) => {
      const failure = failureOf(reply)
      if (failure) return { failure }
      if (!vectorsIn(reply)) return undefined
      return { content: true, finished: true, end: true, usage: readUsage(reply.usageMetadata) }
    }),
}
