/** A whole chat answer in OpenAI's words, both ways. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Choice, Citation, Json, Part, Reply, TokenLogprob } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { failureIn } from '../failure-of.ts'
import { readAnnotations, writeChatAnnotation } from '../openai/annotations.ts'
import { readFinish, writeFinish } from '../openai/finish.ts'
import { readUsage, writeUsage } from '../openai/usage.ts'
import { callsOf } from '../parts.ts'
import { badReply, callId, compact, defined, extrasOf, fromUpstream, isObject, isString } from '../wire.ts'
import { writeImage } from './images.ts'
import { readAssistant, writeCall } from './messages.ts'

const ID = 'openai-chat'
const KNOWN = new Set(['id', 'object', 'created', 'model', 'choices', 'usage'])

export function readReply(body: Json): Reply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!Array.isArray(body.choices)) throw badReply('The answer holds no choices.')
  return defined<Reply>({
    id: isString(body.id) ? body.id : '',
    model: isString(body.model) ? body.model : '',
    created: typeof body.created === 'number' ? body.created : 0,
    choices: body.choices.map(readChoice),
    usage: readUsage(body.usage, body.service_tier),
    extras: extrasOf(ID, body, KNOWN),
  } as Reply)
}

function readChoice(value: unknown, position: number): Choice {
  if (!isObject(value) || !isObject(value.message)) throw badReply('A choice of the answer holds no message.')
  const message = value.message
  const parts = fromUpstream(() => readAssistant(message, 'message'))
  return defined<Choice>({
    index: typeof value.index === 'number' ? value.index : position,
    parts,
    finish: readFinish(value.finish_reason, callsOf(parts).length > 0),
    logprobs: readLogprobs(value.logprobs),
    citations: citationsIn(message),
  } as Choice)
}

const citationsIn = (message: Json): Citation[] | undefined => {
  const found = readAnnotations(message.annotations)
  return found.length > 0 ? found : undefined
}

/** `logprobs.content`, the only kind of which anything is known elsewhere. */
export function readLogprobs(said: unknown): TokenLogprob[] | undefined {
  return isObject(said) && Array.isArray(said.content) ? (said.content as TokenLogprob[]) : undefined
}

export function writeLogprobs(logprobs: TokenLogprob[] | undefined): Json | null {
  return logprobs ? { content: logprobs, refusal: null } : null
}

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  return compact({
    id: reply.id || answering.id,
    object: 'chat.completion',
    created: reply.created || answering.created,
    model: reply.model || chat.model,
    choices: reply.choices.map((choice) => writeChoice(choice, answering)),
    usage: reply.usage && writeUsage(reply.usage),
    ...(reply.extras?.dialect === ID ? reply.extras.fields : {}),
  })
}

function writeChoice(choice: Choice, answering: Answering): Json {
  const calls = callsOf(choice.parts)
  const said = (type: 'text' | 'thinking' | 'refusal') => {
    const texts = choice.parts.flatMap((part) => (part.type === type ? [part.text] : []))
    return texts.length > 0 ? texts.join('') : undefined
  }
  const images = choice.parts.flatMap((part) => (part.type === 'image' ? [part.source] : []))
  const message = {
    role: 'assistant',
    content: said('text') ?? (calls.length > 0 || said('refusal') !== undefined ? null : ''),
    refusal: said('refusal') ?? null,
    annotations: choice.citations?.map((one) => writeChatAnnotation(one, said('text')?.length ?? 0)),
    reasoning_content: said('thinking'),
    thinking_blocks: signedBlocks(choice.parts),
    images: images.length > 0 ? images.map(writeImage) : undefined,
    tool_calls:
      calls.length > 0
        ? calls.map((call, index) => writeCall({ ...call, id: call.id || callId(answering.id, choice.index, index) }))
        : undefined,
  }
  return {
    index: choice.index,
    message: compact(message),
    logprobs: writeLogprobs(choice.logprobs),
    finish_reason: choice.finish ? writeFinish(choice.finish) : null,
  }
}

/** Signed thinking must come back unchanged in the next turn, so it is shown as LiteLLM's clients keep it. */
function signedBlocks(parts: readonly Part[]): Json[] | undefined {
  const blocks = parts.flatMap((part): Json[] => {
    if (part.type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: part.data }]
    if (part.type === 'thinking' && part.signature)
      return [{ type: 'thinking', thinking: part.text, signature: part.signature }]
    return []
  })
  return blocks.length > 0 ? blocks : undefined
}
