/** What the matrix is about: the features, and what an answer says whatever its dialect. */
export const FEATURES = [
  'text',
  'tools',
  'parallel tools',
  'tool result',
  'image',
  'thinking',
  'structured output',
] as const
export type Feature = (typeof FEATURES)[number]

/** The chat dialects that callers speak, as the matrix names them; targets speak them too. */
export const IDS = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic',
  'ollama-chat',
  'ollama-generate',
  'gemini',
] as const
export type Id = (typeof IDS)[number]
/** With those that only targets speak. */
export const TARGETS = [...IDS, 'cohere-chat', 'bedrock-converse', 'sagemaker-chat'] as const
export type TargetId = (typeof TARGETS)[number]

export interface Said {
  text: string
  thinking: string
  calls: { name: string; args: unknown }[]
  finish: 'stop' | 'tools' | undefined
}

const plain = (text: string, thinking = ''): Said => ({ text, thinking, calls: [], finish: 'stop' })
const PARIS = { name: 'get_weather', args: { city: 'Paris' } }

/** The answer to each feature's request. */
export const ANSWERS: Record<Feature, Said> = {
  text: plain('Hello there.'),
  tools: { ...plain(''), calls: [PARIS], finish: 'tools' },
  'parallel tools': { ...plain(''), calls: [PARIS, { name: 'get_time', args: { zone: 'UTC' } }], finish: 'tools' },
  'tool result': plain('It is 18 degrees at noon.'),
  image: plain('A small dot.'),
  thinking: plain('Four.', 'Two and two.'),
  'structured output': plain('{"city":"Paris"}'),
}

export const PNG = 'iVBORw0KGgo='
export const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
