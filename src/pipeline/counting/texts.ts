/** The texts of a request and of an answer, whatever their dialect, for whoever counts their tokens. Pure. */
import type { Chat, Embed, Event, Json, Part, Tool } from '../../dialects/canonical.ts'
import type { ChatTarget, Dialect, TargetDialect } from '../../dialects/dialect.ts'
import { EventStreamFramer } from '../../dialects/eventstream.ts'
import { NdjsonFramer } from '../../dialects/ndjson.ts'
import { SseFramer } from '../../dialects/sse.ts'
import type { Counted, CountJob } from './job.ts'

export interface PromptTexts {
  texts: string[]
  messages: number
  /** Token ids, which are counted already. */
  ids: number
  /** There is nothing in it that is no text. */
  isText: boolean
}

/** @throws where the body is none of the dialect's */
export function promptTexts(dialect: Dialect, request: NonNullable<CountJob['request']>): PromptTexts | undefined {
  if (dialect.op !== 'chat' && dialect.op !== 'embed') return undefined
  const json = JSON.parse(new TextDecoder().decode(request.body)) as Json
  const said = dialect.fields.asksInPath ? { model: request.model, stream: request.stream } : {}
  const asked = dialect.readRequest({ ...json, ...said })
  return asked.op === 'chat' ? ofChat(asked) : ofEmbed(asked)
}

function ofEmbed({ input }: Embed): PromptTexts {
  const texts = input.filter((one) => typeof one === 'string')
  const ids = input.reduce((sum, one) => sum + (typeof one === 'string' ? 0 : one.length), 0)
  return { texts, messages: 0, ids, isText: true }
}

function ofChat(chat: Chat): PromptTexts {
  const found: PromptTexts = { texts: [], messages: 0, ids: 0, isText: true }
  for (const { parts } of chat.messages) {
    found.messages++
    for (const part of parts) add(part, found)
  }
  for (const tool of chat.tools ?? []) found.texts.push(textOfTool(tool))
  if (chat.suffix) found.texts.push(chat.suffix)
  return found
}

const textOfTool = ({ name, description, parameters }: Tool): string =>
  `${name} ${description ?? ''} ${parameters === undefined ? '' : JSON.stringify(parameters)}`

function add(part: Part, to: PromptTexts): void {
  switch (part.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
      to.texts.push(part.text)
      break
    case 'call':
      to.texts.push(part.name, part.args)
      break
    case 'result':
      for (const one of part.parts) add(one, to)
      break
    case 'redacted_thinking':
    case 'foreign':
    case 'image':
    case 'audio':
    case 'file':
      to.isText = false
      break
  }
}

export interface AnswerTexts {
  said: string
  thought: string
  frames: number
  told: Counted['told']
}

/** What can be read of an answer, up to where it was cut or kept. */
export function answerTexts(dialect: TargetDialect, answer: NonNullable<CountJob['answer']>): AnswerTexts {
  const found: AnswerTexts = { said: '', thought: '', frames: 0, told: undefined }
  if (dialect.op !== 'chat') return found
  if (!answer.isStream) {
    const reply = dialect.readReply(JSON.parse(new TextDecoder().decode(answer.body)) as Json)
    for (const { parts } of reply.choices) for (const part of parts) addPart(part, found)
    found.frames = 1
    return found
  }
  const read = dialect.reader()
  const framer = framerOf(dialect)
  for (const { frame } of [...framer.push(answer.body), ...framer.end()]) {
    if (!frame) continue
    try {
      for (const event of read(frame)) addEvent(event, found)
    } catch {
      // Cut in the middle, or garbage that was passed over.
    }
  }
  return found
}

const framerOf = ({ framing }: ChatTarget) =>
  framing === 'eventstream' ? new EventStreamFramer() : framing === 'sse' ? new SseFramer() : new NdjsonFramer()

function addPart(part: Part, to: AnswerTexts): void {
  if (part.type === 'text' || part.type === 'refusal') to.said += part.text
  else if (part.type === 'thinking') to.thought += part.text
  else if (part.type === 'call') to.said += `${part.name}${part.args}`
}

function addEvent(event: Event, to: AnswerTexts): void {
  switch (event.type) {
    case 'text':
    case 'refusal':
    case 'args':
      to.frames++
      to.said += event.text
      break
    case 'call':
      to.frames++
      to.said += event.name
      break
    case 'thinking':
      to.frames++
      to.thought += event.text
      break
    case 'redacted_thinking':
    case 'image':
      to.frames++
      break
    case 'start':
      if (event.usage && event.usage.input > 0) {
        const { input, cacheRead, cacheWrite, cacheWriteHour } = event.usage
        to.told = { input, cacheRead, cacheWrite, cacheWriteHour }
      }
      break
  }
}
