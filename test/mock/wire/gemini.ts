/** Gemini's generateContent and its stream. https://ai.google.dev/api/generate-content */
import { type Answer, type Asked, textOf, vector } from '../answer.ts'
import type { Behaviour } from '../behaviour.ts'
import {
  BadRequest,
  type Fault,
  fromTurns,
  type Json,
  json,
  limit,
  model,
  type Reported,
  type Speaker,
  type Turn,
  textIn,
} from './speaker.ts'

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', tool: 'STOP' } as const

const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

const PATH = /^\/v1beta\/models\/([^/]+):(\w+)$/

/** The model and the action that a path names: they stand in no body. */
export function pathOf(path: string): { model: string; action: string } | undefined {
  const [, name, action] = PATH.exec(path) ?? []
  return name === undefined || action === undefined ? undefined : { model: decodeURIComponent(name), action }
}

function error(status: number, fault: Fault): Json {
  return { error: { code: status, message: fault.message, status: STATUS[status] ?? 'UNKNOWN' } }
}

function usageOf(usage: Reported): Json {
  return {
    promptTokenCount: usage.prompt,
    candidatesTokenCount: usage.completion - usage.reasoning,
    totalTokenCount: usage.prompt + usage.completion,
    ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
    ...(usage.cacheRead > 0 ? { cachedContentTokenCount: usage.cacheRead } : {}),
    ...(usage.service === undefined ? {} : { trafficType: `ON_DEMAND_${usage.service.toUpperCase()}` }),
  }
}

function turn(content: unknown, i: number): Turn {
  const { role, parts } = (content ?? {}) as { role?: string; parts?: Json[] }
  if (!Array.isArray(parts) || parts.length === 0)
    throw new BadRequest(`contents[${i}].parts: a list that is not empty`)
  const results = parts.filter((part) => part.functionResponse !== undefined)
  const said = results.map((part) => json((part.functionResponse as Json).response)).join(' ')
  const text = [textIn(parts.filter((part) => part.thought !== true)), said].filter((one) => one !== '').join(' ')
  return { role: role === 'model' ? 'assistant' : 'user', text, result: results.length > 0 }
}

function toolsOf(body: Json): { tools: Asked['tools']; none: boolean } {
  const all = ((body.tools ?? []) as Json[]).flatMap((tool) => (tool.functionDeclarations ?? []) as Json[])
  const calling = ((body.toolConfig as Json | undefined)?.functionCallingConfig ?? {}) as Json
  const allowed = calling.allowedFunctionNames as string[] | undefined
  const tools = all
    .filter((one) => allowed === undefined || allowed.includes(String(one.name)))
    .map((one) => ({ name: String(one.name), schema: one.parametersJsonSchema ?? lower(one.parameters) }))
  return { tools, none: calling.mode === 'NONE' }
}

/** Gemini's own schemas write their types in capitals. */
const lower = (schema: unknown): unknown =>
  JSON.parse(json(schema ?? { type: 'object' }), (key, value) =>
    key === 'type' && typeof value === 'string' ? value.toLowerCase() : value,
  )

const callParts = (answer: Answer): Json[] =>
  answer.calls.map((call) => ({ functionCall: { id: call.id, name: call.name, args: call.args } }))

export const generate: Speaker = {
  framing: 'sse',
  error,
  inBand: (fault) => ({ data: json(error(503, fault)) }),
  ask(body) {
    if (!Array.isArray(body.contents) || body.contents.length === 0) throw new BadRequest('contents: is not specified')
    const all = fromTurns(body.contents.map(turn), textIn((body.systemInstruction as Json | undefined)?.parts))
    const config = (body.generationConfig ?? {}) as Json
    const { tools, none } = toolsOf(body)
    const schema =
      config.responseJsonSchema ?? (config.responseSchema === undefined ? undefined : lower(config.responseSchema))
    return {
      ...all,
      ...limit(config.maxOutputTokens, 'maxOutputTokens'),
      model: model(body),
      stream: body.stream === true,
      includeUsage: true,
      tools,
      textOnly: all.textOnly || none,
      ...(schema === undefined ? {} : { schema }),
      n: 1,
      think: (config.thinkingConfig as Json | undefined)?.includeThoughts === true,
    }
  },
  *frames(answer, _asked, usage, behaviour) {
    let made = 0
    // Each chunk tells what it came to up to there, and the last one of all.
    const told = (all: Reported, isLast: boolean): Json => usageOf(isLast ? all : { ...all, ...answer.soFar(made) })
    const chunk = (parts: Json[], finish?: string) =>
      json({
        candidates: [
          { content: { parts, role: 'model' }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) },
        ],
        ...(usage ? { usageMetadata: told(usage, finish !== undefined) } : {}),
        modelVersion: answer.model,
        responseId: answer.id,
      })
    for (const text of answer.thinking) {
      made++
      yield { data: chunk([{ text, thought: true }]), tokens: 1 }
    }
    for (const piece of answer.pieces) {
      const text = answer.padTo > 0 ? piece.padEnd(answer.padTo, 'x') : piece
      made++
      yield { data: chunk([{ text }]), tokens: 1 }
    }
    for (const part of callParts(answer)) {
      made += 8
      yield { data: chunk([part]), tokens: 8 }
    }
    if (behaviour.noFinish !== true) yield { data: chunk([{ text: '' }], FINISH[answer.finish]) }
  },
  whole(answer, _asked, usage, behaviour) {
    const parts = [
      ...(answer.thinking.length > 0 ? [{ text: answer.thinking.join(''), thought: true }] : []),
      ...(answer.pieces.length > 0 ? [{ text: textOf(answer) }] : []),
      ...callParts(answer),
    ]
    const finish = behaviour.noFinish === true ? {} : { finishReason: FINISH[answer.finish] }
    return {
      candidates: [{ content: { parts, role: 'model' }, index: 0, ...finish }],
      ...(usage ? { usageMetadata: usageOf(usage) } : {}),
      modelVersion: answer.model,
      responseId: answer.id,
    }
  },
}

const contentText = (content: unknown): string => textIn((content as Json | undefined)?.parts)

/** `embedContent` and `batchEmbedContents`. */
export function embed(
  body: Json,
  _behaviour: Behaviour,
  count: (texts: readonly string[]) => number,
): { reply: Json; promptTokens: number } {
  const many = body.requests as Json[] | undefined
  const vectors = (many ?? [body]).map((one) => ({
    text: contentText(one.content),
    values: vector(
      contentText(one.content),
      typeof one.outputDimensionality === 'number' ? one.outputDimensionality : 64,
    ),
  }))
  const all = vectors.map(({ values }) => ({ values }))
  const promptTokens = count(vectors.map(({ text }) => text))
  return { reply: many ? { embeddings: all } : { embedding: all[0] }, promptTokens }
}
