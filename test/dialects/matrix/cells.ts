/** What the cells of the matrix have in common, and where a target cannot do what it was asked. */
import type { Chat } from '../../../src/dialects/canonical.ts'
import { type Feature, type Id, PNG, type Said, SCHEMA } from './said.ts'

/** What a target cannot be told: the parameters that are named (refused or dropped, by policy), or a plain refusal. */
export type Limit = { lost: string[] } | { refused: string }

const TOOLS: Limit = { lost: ['tools'] }

/** Cells whose target is not able to do it. */
export const LIMITS: Partial<Record<Id, Partial<Record<Feature, Limit>>>> = {
  'openai-completions': {
    tools: TOOLS,
    'parallel tools': TOOLS,
    image: { refused: 'messages' },
    'structured output': { lost: ['response_format'] },
  },
  'ollama-generate': { tools: TOOLS, 'parallel tools': TOOLS },
}

/** What is left of an answer where its target only continues texts. */
export function givenBy(target: Id, said: Said): Said {
  if (target !== 'openai-completions' && target !== 'ollama-generate') return said
  return {
    text: said.text || 'I cannot call tools.',
    thinking: target === 'openai-completions' ? '' : said.thinking,
    calls: [],
    finish: said.finish && 'stop',
  }
}

/** What of it the caller is shown. */
export const shownTo = (caller: Id, said: Said): Said =>
  caller === 'openai-completions' ? { ...said, thinking: '' } : said

const textOf = (chat: Chat): string =>
  chat.messages
    .flatMap(({ parts }) =>
      parts.flatMap((part) => {
        if (part.type === 'text') return [part.text]
        return part.type === 'result' ? part.parts.flatMap((one) => (one.type === 'text' ? [one.text] : [])) : []
      }),
    )
    .join(' ')

/** What must have arrived at the target, as far as it can be told it: each feature's point, from the body it was sent. */
export function arrived(feature: Feature, target: Id, asked: Chat): unknown {
  const isBare = target === 'openai-completions' || target === 'ollama-generate'
  switch (feature) {
    case 'text':
      return [textOf(asked).includes('Hello'), asked.maxTokens, asked.temperature]
    case 'tools':
    case 'parallel tools':
      return isBare ? textOf(asked).includes('weather') : asked.tools?.map(({ name, parameters }) => [name, parameters])
    case 'tool result': {
      const call = asked.messages.flatMap(({ parts }) => parts).find((part) => part.type === 'call')
      const result = asked.messages.flatMap(({ parts }) => parts).find((part) => part.type === 'result')
      if (isBare) return /get_weather\(.*Paris.*\)[\s\S]*18 degrees/.test(textOf(asked))
      // Gemini and Ollama know a result by its tool's name.
      const of = target === 'gemini' || target === 'ollama-chat' ? result?.name : call?.name
      return [
        call?.name,
        of,
        call && JSON.parse(call.args),
        call?.id === result?.callId,
        textOf(asked).includes('18 degrees'),
      ]
    }
    case 'image': {
      const image = asked.messages.flatMap(({ parts }) => parts).find((part) => part.type === 'image')
      return image?.source
    }
    case 'thinking':
      return target === 'openai-completions' ? undefined : (asked.thinking?.enabled ?? true)
    case 'structured output':
      return target === 'openai-completions' || asked.format?.kind !== 'schema' ? undefined : asked.format.schema
  }
}

const CITY = { type: 'object', properties: { city: { type: 'string' } } }
const ZONE = { type: 'object', properties: { zone: { type: 'string' } } }

export function expected(feature: Feature, target: Id): unknown {
  const isBare = target === 'openai-completions' || target === 'ollama-generate'
  switch (feature) {
    case 'text':
      return [true, 50, 0.5]
    case 'tools':
      return isBare || [['get_weather', CITY]]
    case 'parallel tools':
      return (
        isBare || [
          ['get_weather', CITY],
          ['get_time', ZONE],
        ]
      )
    case 'tool result':
      return isBare || ['get_weather', 'get_weather', { city: 'Paris' }, true, true]
    case 'image':
      return { kind: 'data', mediaType: 'image/png', data: PNG }
    case 'thinking':
      return target === 'openai-completions' ? undefined : true
    case 'structured output':
      return target === 'openai-completions' ? undefined : SCHEMA
  }
}
