/** Ollama's completions, `/api/generate`. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Choice, Json, Message, Part, Reply } from '../canonical.ts'
import type { Answering, ChatDialect, Warn } from '../dialect.ts'
import { failureIn, readAnyError } from '../failure-of.ts'
import { flatten } from '../flatten.ts'
import { writeError, writeStreamError } from '../ollama/error.ts'
import { loading } from '../ollama/loading.ts'
import { readDone, readTime, readTimings, readUsage, timeOf, writeDone, writeMetrics } from '../ollama/metrics.ts'
import { common, readFormat, readOptions, readThink, withOptions } from '../ollama/options.ts'
import { lookAt } from '../ollama/tap.ts'
import { readerOf, type Shape, writerOf } from '../ollama-chat/events.ts'
import { writeParts } from '../ollama-chat/messages.ts'
import { readLogprobs } from '../ollama-chat/reply.ts'
import { imageType, joinText, withImageNotes } from '../parts.ts'
import { requestExtras } from '../request-extras.ts'
import { glanceWith, tapWith } from '../sight.ts'
import {
  badReply,
  compact,
  defined,
  extrasOf,
  isString,
  optionalArray,
  optionalBoolean,
  optionalNumber,
  optionalString,
  requiredString,
} from '../wire.ts'

const ID = 'ollama-generate'
const KNOWN = [
  'model',
  'prompt',
  'system',
  'suffix',
  'images',
  'stream',
  'format',
  'options',
  'think',
  'logprobs',
  'top_logprobs',
]
const KNOWN_SET: ReadonlySet<string> = new Set(KNOWN)

function readRequest(body: Json): Chat {
  const { shared, rest } = readOptions(body.options)
  const system = optionalString(body.system, 'system')
  const prompt = optionalString(body.prompt, 'prompt')
  const images = (optionalArray(body.images, 'images') ?? []).map((image): Part => {
    const data = requiredString(image, 'images')
    return { type: 'image', source: { kind: 'data', mediaType: imageType(data), data } }
  })
  const messages: Message[] = []
  if (system) messages.push({ role: 'system', parts: [{ type: 'text', text: system }] })
  // Without a prompt it loads the model, or unloads it.
  if (prompt || images.length > 0)
    messages.push({ role: 'user', parts: [{ type: 'text', text: prompt ?? '' }, ...images] })
  return defined<Chat>({
    op: 'chat',
    imagesAsBytes: true,
    shape: 'prompt',
    model: requiredString(body.model, 'model'),
    messages,
    stream: optionalBoolean(body.stream, 'stream') ?? true,
    ...shared,
    suffix: optionalString(body.suffix, 'suffix'),
    format: readFormat(body.format),
    thinking: readThink(body.think),
    logprobs: optionalBoolean(body.logprobs, 'logprobs'),
    topLogprobs: optionalNumber(body.top_logprobs, 'top_logprobs'),
    extras: withOptions(ID, extrasOf(ID, body, KNOWN_SET), rest),
  } as Chat)
}

function writeRequest(chat: Chat, warn: Warn): Json {
  const extras = requestExtras(ID, chat, warn)
  const { system, prompt, images } = flatten(chat.messages, ID, warn)
  if (chat.tools && chat.tools.length > 0 && chat.toolChoice !== 'none')
    warn('tools', "Ollama's generate takes no tools")
  return compact({
    model: chat.model,
    system,
    prompt: prompt === '' && images.length === 0 ? undefined : prompt,
    suffix: chat.suffix,
    images: writeParts(images, warn).images,
    ...common(chat, extras, warn),
  })
}

function readReply(body: Json): Reply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!isString(body.response)) throw badReply('The answer holds no response.')
  const parts: Part[] = []
  if (isString(body.thinking) && body.thinking !== '') parts.push({ type: 'thinking', text: body.thinking })
  if (body.response !== '') parts.push({ type: 'text', text: body.response })
  return defined<Reply>({
    id: '',
    model: isString(body.model) ? body.model : '',
    created: readTime(body.created_at),
    choices: [
      defined<Choice>({
        index: 0,
        parts,
        finish: readDone(body, false),
        logprobs: readLogprobs(body.logprobs),
      } as Choice),
    ],
    usage: readUsage(body),
    timings: readTimings(body),
    extras: Array.isArray(body.context) ? { dialect: ID, fields: { context: body.context } } : undefined,
  } as Reply)
}

function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  const choice = reply.choices[0] ?? { index: 0, parts: [] }
  const thinking = choice.parts.flatMap((part) => (part.type === 'thinking' ? [part.text] : [])).join('')
  return compact({
    model: reply.model || chat.model,
    created_at: timeOf(reply.created || answering.created),
    response: joinText(withImageNotes(choice.parts), ''),
    thinking: thinking === '' ? undefined : thinking,
    done: choice.finish !== undefined,
    done_reason: choice.finish && writeDone(choice.finish),
    ...(reply.extras?.dialect === ID ? reply.extras.fields : {}),
    logprobs: choice.logprobs,
    ...writeMetrics(reply.usage, reply.timings),
  })
}

const SHAPE: Shape = {
  read: (line) => ({
    text: isString(line.response) ? line.response : '',
    thinking: isString(line.thinking) ? line.thinking : '',
    calls: [],
  }),
  write: ({ text = '', thinking }) => ({ response: text, ...(thinking ? { thinking } : {}) }),
}

export const ollamaGenerate: ChatDialect = {
  id: ID,
  op: 'chat',
  framing: 'ndjson',
  streamsByDefault: true,
  fields: {
    maxTokens: ['options.num_predict'],
    zeroIsUnlimited: true,
    required: { prompt: 'string?' },
    known: [...KNOWN, 'template', 'raw', 'context', 'keep_alive', 'truncate', 'shift'],
  },
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  reader: () => readerOf(SHAPE),
  writer: (chat, answering) => writerOf(SHAPE, chat, answering),
  loading,
  writeError,
  writeStreamError,
  readError: readAnyError,
  streamEnd: '',
  heartbeat: '',
  tap: () => tapWith((line) => lookAt('response', line)),
  glance: (body) => glanceWith(body, (reply) => lookAt('response', reply)),
}
