/** A whole answer in Gemini's words (ai.google.dev/api/generate-content#GenerateContentResponse), both ways. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Json, Reply } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { badReply, compact, defined, extrasOf, isString } from '../wire.ts'
import { readCandidate, writeCandidate } from './candidate.ts'
import { failureOf } from './error.ts'
import { blockedFinish } from './finish.ts'
import { ID } from './parts.ts'
import { readAnswerUsage, writeUsage } from './usage.ts'

const KNOWN = new Set(['candidates', 'usageMetadata', 'modelVersion', 'responseId', 'createTime'])

export function readReply(body: Json): Reply {
  const failure = failureOf(body)
  if (failure) throw new UpstreamFailure(failure)
  const { candidates } = body
  const blocked = blockedFinish(body)
  if (!Array.isArray(candidates) && !blocked) throw badReply('The answer holds no candidates.')
  const choices = (Array.isArray(candidates) ? candidates : []).map((one, index) => readCandidate(one, index))
  return defined<Reply>({
    id: isString(body.responseId) ? body.responseId : '',
    model: isString(body.modelVersion) ? body.modelVersion : '',
    created: isString(body.createTime) ? Math.floor(Date.parse(body.createTime) / 1000) || 0 : 0,
    choices: choices.length === 0 && blocked ? [{ index: 0, parts: [], finish: blocked }] : choices,
    usage: readAnswerUsage(body),
    extras: extrasOf(ID, body, KNOWN),
  } as Reply)
}

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  return compact({
    candidates: reply.choices.map((choice) => writeCandidate(choice, answering.id)),
    usageMetadata: reply.usage && writeUsage(reply.usage),
    modelVersion: reply.model || chat.model,
    responseId: reply.id || answering.id,
    ...(reply.extras?.dialect === ID ? reply.extras.fields : {}),
  })
}
