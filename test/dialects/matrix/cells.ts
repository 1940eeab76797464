/** What the cells of the matrix have in common, and where a target cannot do what it was asked. */
import { expect } from 'bun:test'
import type { Got } from './got.ts'
import { type Feature, type Id, PNG, type Said, SCHEMA, type TargetId } from './said.ts'

/** What a target cannot be told: the parameters that are named (refused or dropped, by policy), or a plain refusal. */
export type Limit = { lost: string[] } | { refused: string }

const TOOLS: Limit = { lost: ['tools'] }

/** Cells whose target is not able to do it. */
export const LIMITS: Partial<Record<TargetId, Partial<Record<Feature, Limit>>>> = {
  'openai-completions': {
    tools: TOOLS,
    'parallel tools': TOOLS,
    image: { refused: 'messages' },
    'structured output': { lost: ['response_format'] },
  },
  'ollama-generate': { tools: TOOLS, 'parallel tools': TOOLS },
}

/** What is left of an answer where its target only continues texts. */
export function givenBy(target: TargetId, said: Said): Said {
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

const CITY = { type: 'object', properties: { city: { type: 'string' } } }
const ZONE = { type: 'object', properties: { zone: { type: 'string' } } }
const WEATHER = { name: 'get_weather', description: 'Weather of a city', parameters: CITY }
const TIME = { name: 'get_time', description: 'Time of a zone', parameters: ZONE }
const ASK = 'What is the weather in Paris?'

/** What must have arrived at the target: each feature's point, and nothing of it lost. */
export function expected(feature: Feature, caller: Id, target: TargetId): Partial<Got> {
  const isBare = target === 'openai-completions' || target === 'ollama-generate'
  switch (feature) {
    case 'text': {
      const system = caller === 'openai-completions' ? '' : 'Be brief.'
      const said =
        target === 'openai-completions' && system !== ''
          ? { text: `${system}\n\nHello`, system: '' }
          : { text: 'Hello', system }
      return { ...said, maxTokens: 50, temperature: 0.5 }
    }
    case 'tools':
      return { text: ASK, tools: isBare ? [] : [WEATHER] }
    case 'parallel tools':
      return { text: ASK, tools: isBare ? [] : [WEATHER, TIME] }
    case 'tool result':
      if (isBare)
        return {
          text: expect.stringMatching(/get_weather\(.*Paris.*\)\s*get_time\(.*UTC.*\)[\s\S]*18 degrees[\s\S]*noon/),
        }
      return {
        text: ASK,
        calls: [
          { name: 'get_weather', args: { city: 'Paris' } },
          { name: 'get_time', args: { zone: 'UTC' } },
        ],
        results: [
          { of: 'get_weather', text: '18 degrees' },
          { of: 'get_time', text: 'noon' },
        ],
      }
    case 'image':
      return { text: 'What is this?', images: [PNG] }
    case 'thinking':
      return { text: '2+2?', thinks: target !== 'openai-completions' }
    case 'structured output':
      return { text: 'Which city?', schema: target === 'openai-completions' ? undefined : SCHEMA }
  }
}
