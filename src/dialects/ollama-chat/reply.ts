/** A whole chat answer in Ollama's words, both ways. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Choice, Json, Part, Reply, TokenLogprob } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { failureIn } from '../failure-of.ts'
import { readDone, readTime, readTimings, readUsage, timeOf, writeDone, writeMetrics } from '../ollama/metrics.ts'
import { callsOf, joinText, withImageNotes } from '../parts.ts'
import { badReply, callId, compact, defined, fromUpstream, isObject, isString } from '../wire.ts'
import { isCall, readCall, writeCall } from './messages.ts'

export function readReply(body: Json): Reply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!isObject(body.message)) throw badReply('The answer holds no message.')
  const parts = readSaid(body.message)
  const choice = defined<Choice>({
    index: 0,
    parts,
    finish: readDone(body, callsOf(parts).length > 0),
    logprobs: readLogprobs(body.logprobs),
  } as Choice)
  return defined<Reply>({
    id: '',
    model: isString(body.model) ? body.model : '',
    created: readTime(body.created_at),
    choices: [choice],
    usage: readUsage(body),
    timings: readTimings(body),
  } as Reply)
}

export const readLogprobs = (said: unknown): TokenLogprob[] | undefined =>
  Array.isArray(said) ? (said as TokenLogprob[]) : undefined

/** What an assistant's message of an answer holds, thinking first. */
export function readSaid(message: Json): Part[] {
  const parts: Part[] = []
  if (isString(message.thinking) && message.thinking !== '') parts.push({ type: 'thinking', text: message.thinking })
  if (isString(message.content) && message.content !== '') parts.push({ type: 'text', text: message.content })
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (isCall(call)) parts.push(fromUpstream(() => readCall(call, 'tool_calls', '')))
  }
  return parts
}

/** Arguments that are no object: where the answer was cut the call is dropped, as Ollama itself does; else it is broken. */
export const BROKEN_ARGS = () => badReply('The upstream sent a tool call whose arguments are not a JSON object.')

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  const choice = reply.choices[0] ?? { index: 0, parts: [] }
  const thinking = choice.parts.flatMap((part) => (part.type === 'thinking' ? [part.text] : [])).join('')
  const calls: Json[] = []
  for (const [index, call] of callsOf(choice.parts).entries()) {
    try {
      calls.push(writeCall({ ...call, id: call.id || callId(answering.id, 0, index) }, index, BROKEN_ARGS))
    } catch (cause) {
      if (choice.finish?.unified !== 'length') throw cause
    }
  }
  return compact({
    model: reply.model || chat.model,
    created_at: timeOf(reply.created || answering.created),
    message: compact({
      role: 'assistant',
      content: joinText(withImageNotes(choice.parts), ''),
      thinking: thinking === '' ? undefined : thinking,
      tool_calls: calls.length > 0 ? calls : undefined,
    }),
    done: choice.finish !== undefined,
    done_reason: choice.finish && writeDone(choice.finish),
    logprobs: choice.logprobs,
    ...writeMetrics(reply.usage, reply.timings),
  })
}
