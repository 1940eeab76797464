/** A whole completion, both ways. Odds of tokens stand in four parallel lists there. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Choice, Json, Reply, TokenLogprob } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { failureIn } from '../failure-of.ts'
import { readFinish, writeFinish } from '../openai/finish.ts'
import { readUsage, writeUsage } from '../openai/usage.ts'
import { joinText, withImageNotes } from '../parts.ts'
import { badReply, compact, defined, isObject, isString } from '../wire.ts'

export function readLogprobs(said: unknown): TokenLogprob[] | undefined {
  if (!isObject(said) || !Array.isArray(said.tokens)) return undefined
  const odds = Array.isArray(said.token_logprobs) ? said.token_logprobs : []
  const tops = Array.isArray(said.top_logprobs) ? said.top_logprobs : []
  return said.tokens.map((token, index) => {
    const top: unknown = tops[index]
    const made: TokenLogprob = { token: String(token), logprob: Number(odds[index] ?? 0) }
    if (isObject(top))
      made.top_logprobs = Object.entries(top).map(([t, logprob]) => ({ token: t, logprob: Number(logprob) }))
    return made
  })
}

/** @param offset characters of the answer before these tokens */
export function writeLogprobs(logprobs: TokenLogprob[] | undefined, offset: number): Json | null {
  if (!logprobs) return null
  let at = offset
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top_logprobs: top = [] }) =>
      Object.fromEntries(top.map((t) => [t.token, t.logprob])),
    ),
    text_offset: logprobs.map(({ token }) => {
      at += token.length
      return at - token.length
    }),
  }
}

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
  } as Reply)
}

function readChoice(value: unknown, position: number): Choice {
  if (!isObject(value) || !isString(value.text)) throw badReply('A choice of the answer holds no text.')
  return defined<Choice>({
    index: typeof value.index === 'number' ? value.index : position,
    parts: value.text === '' ? [] : [{ type: 'text', text: value.text }],
    finish: readFinish(value.finish_reason, false),
    logprobs: readLogprobs(value.logprobs),
  } as Choice)
}

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  return compact({
    id: reply.id || answering.id,
    object: 'text_completion',
    created: reply.created || answering.created,
    model: reply.model || chat.model,
    choices: reply.choices.map((choice) => ({
      text: joinText(withImageNotes(choice.parts), ''),
      index: choice.index,
      logprobs: writeLogprobs(choice.logprobs, 0),
      finish_reason: choice.finish ? finishOf(choice.finish) : null,
    })),
    usage: reply.usage && writeUsage(reply.usage),
  })
}

/** Completions call no tools: their clients know three reasons. */
export const finishOf = (finish: NonNullable<Choice['finish']>): string =>
  finish.unified === 'tool-calls' ? 'stop' : writeFinish(finish)
