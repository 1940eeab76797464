/**
 * The one form that every chat dialect is translated to and from. It says what was meant, not how it was spelt;
 * what a dialect has and this form lacks travels in `extras` and goes out again only in the same dialect.
 */
import type { Refusal } from '../core/refusal.ts'
import type { Usage } from '../core/usage.ts'

/** The dialects that callers speak; targets speak them, too. */
export type DialectId =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'anthropic'
  | 'ollama-chat'
  | 'ollama-generate'
  | 'gemini'
  | 'openai-embeddings'
  | 'ollama-embed'
  | 'ollama-embeddings'
  | 'gemini-embed'
  | 'openai-moderations'
  | 'openai-images'
  | 'openai-image-edits'
  | 'openai-image-variations'
  | 'openai-speech'
  | 'openai-transcriptions'
  | 'openai-translations'
  | 'rerank'

/** All that goes over the wire to targets: beside the callers' dialects those that only targets speak. */
export type WireId =
  | DialectId
  | 'bedrock-converse'
  | 'cohere-chat'
  | 'cohere-embed'
  | 'vertex-embed'
  | 'titan-embed'
  | 'sagemaker-chat'
  | 'cohere-rerank'
  | 'jina-rerank'
  | 'voyage-rerank'
  | 'tei-rerank'
  | 'sglang-rerank'
  | 'nim-rerank'

export type Json = Record<string, unknown>

export interface Chat {
  op: 'chat'
  model: string
  /** In order; `system` (and OpenAI's `developer`) may stand anywhere. */
  messages: Message[]
  stream: boolean
  /** The caller asked for usage at the end of the stream (OpenAI's `stream_options.include_usage`). */
  includeUsage?: boolean
  /** The most tokens the answer may have. */
  maxTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  presencePenalty?: number
  frequencyPenalty?: number
  repeatPenalty?: number
  seed?: number
  stop?: string[]
  /** How many choices. */
  n?: number
  logprobs?: boolean
  topLogprobs?: number
  logitBias?: Json
  tools?: Tool[]
  toolChoice?: 'auto' | 'none' | 'required' | { name: string }
  parallelTools?: boolean
  format?: { kind: 'json' } | { kind: 'schema'; schema: Json; name?: string; description?: string; strict?: boolean }
  /** `enabled: false` switches it off where it is on by default (Ollama). `budget` is in tokens. */
  thinking?: { enabled: boolean; effort?: string; budget?: number }
  user?: string
  metadata?: Json
  /** The text after the gap, in fill-in-the-middle completions. */
  suffix?: string
  /** Whether the caller asked by prompt (completions, generate) or by messages. */
  shape: 'messages' | 'prompt'
  extras: Extras
}

/** What only one dialect knows, kept as it came. */
export interface Extras {
  dialect: DialectId
  fields: Json
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  parts: Part[]
  name?: string
  /** Fields of this message that only its own dialect knows. */
  extras?: Extras
}

export type Source = { kind: 'data'; mediaType: string; data: string } | { kind: 'url'; url: string }

export type Part =
  | { type: 'text'; text: string; extras?: Extras }
  | { type: 'image'; source: Source; detail?: string; extras?: Extras }
  | { type: 'audio'; data: string; format: string; extras?: Extras }
  | { type: 'file'; source: Source | { kind: 'id'; id: string }; name?: string; extras?: Extras }
  | { type: 'thinking'; text: string; signature?: string; extras?: Extras }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'refusal'; text: string }
  | ToolCall
  | ToolResult
  /** A part only its own dialect knows: passed on there, warned of elsewhere. */
  | { type: 'foreign'; extras: Extras }

/** `args` is JSON text as the model wrote it: never parsed and written again on the way between two string dialects. */
export interface ToolCall {
  type: 'call'
  id: string
  name: string
  args: string
  extras?: Extras
}

export interface ToolResult {
  type: 'result'
  callId: string
  name?: string
  parts: Part[]
  isError?: boolean
  extras?: Extras
}

export interface Tool {
  name: string
  description?: string
  /** JSON Schema of the arguments. */
  parameters?: Json
  strict?: boolean
  extras?: Extras
  /** A tool that only its own dialect knows (a built-in one), whole as it came: passed on there, warned of elsewhere. */
  foreign?: Extras
  /** The group that it came in (OpenAI's `namespace`) without its tools, and the tool as it stood there. */
  group?: { fields: Json; tool: Json }
}

/** Both worlds: what it means here, and the word the upstream used. */
export interface Finish {
  unified: 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'
  raw: string
  /** The caller's stop text that was met, where the upstream says which. */
  sequence?: string
}

export interface Reply {
  id: string
  /** The model that gave it, in the upstream's words. */
  model: string
  /** Seconds since the epoch. */
  created: number
  choices: Choice[]
  usage?: Usage
  timings?: Timings
  extras?: Extras
}

export interface Choice {
  index: number
  parts: Part[]
  /** Missing where the upstream ended without saying why: such an answer is not whole. */
  finish?: Finish
  logprobs?: TokenLogprob[]
  citations?: Citation[]
  /** What the model searched the web for. */
  searches?: string[]
}

/** A page that something in an answer comes from. */
export interface Citation {
  url: string
  title?: string
  /** What it says there. */
  quote?: string
  /** The span that it stands for, in characters of all texts of its choice one behind the other; missing: unknown. */
  start?: number
  end?: number
}

/** One token's odds, as OpenAI's `logprobs.content` and Ollama's `logprobs` say them. */
export interface TokenLogprob {
  token: string
  logprob: number
  bytes?: number[] | null
  top_logprobs?: TokenLogprob[]
}

/** What Ollama measures, in ns as it says them. */
export interface Timings {
  total?: number
  load?: number
  prompt?: number
  eval?: number
}

/** What happens in a stream. `choice` counts from 0; `index` counts the tool calls of a choice from 0. */
export type Event =
  | { type: 'start'; id?: string; model?: string; created?: number; usage?: Usage }
  | { type: 'text'; choice: number; text: string; logprobs?: TokenLogprob[] }
  /** `extras` stand with the first piece of a thought that came whole. */
  | { type: 'thinking'; choice: number; text: string; extras?: Extras }
  | { type: 'signature'; choice: number; signature: string }
  | { type: 'redacted_thinking'; choice: number; data: string }
  | { type: 'refusal'; choice: number; text: string }
  | { type: 'call'; choice: number; index: number; id: string; name: string; extras?: Extras }
  | { type: 'args'; choice: number; index: number; text: string }
  /** A picture that the model drew, whole. */
  | { type: 'image'; choice: number; source: Source & { kind: 'data' }; extras?: Extras }
  | { type: 'citation'; choice: number; citation: Citation }
  | { type: 'search'; choice: number; query: string; extras?: Extras }
  /** What only its own dialect knows: a part of its own kind, or the rest of the one that was just said. */
  | { type: 'foreign'; choice: number; extras: Extras }
  | { type: 'finish'; choice: number; reason: Finish; timings?: Timings }
  /** Cumulative: the last one holds. */
  | { type: 'usage'; usage: Usage }
  /** `told`: a refusal of the gateway's own, whose sentence the caller may read. */
  | { type: 'error'; message: string; code?: string; kind?: string; status?: number; told?: Refusal }
  /** The dialect's own end (`[DONE]`, `message_stop`, `done: true`). */
  | { type: 'end' }

export interface Embed {
  op: 'embed'
  model: string
  /** Texts, or token ids where the caller sent those. */
  input: (string | number[])[]
  /** The caller sent one input, not a list. */
  single: boolean
  dimensions?: number
  encoding?: 'float' | 'base64'
  user?: string
  extras: Extras
}

export interface EmbedReply {
  model: string
  vectors: number[][]
  usage?: Usage
  timings?: Timings
}

export interface Rerank {
  op: 'rerank'
  model: string
  query: string
  documents: (string | Json)[]
  /** How many results, the best ones. */
  top?: number
  returnDocuments?: boolean
  /** By which fields objects are ranked (Cohere's first API). */
  rankFields?: string[]
  maxTokensPerDocument?: number
  /** Whether what is too long is cut, or else refused. */
  truncate?: boolean
  extras: Extras
}

export interface RerankReply {
  id?: string
  model?: string
  /** The best first; `index` counts the documents of the request from 0. */
  results: { index: number; score: number }[]
  usage?: Usage
  /** What Cohere bills instead of tokens. */
  searchUnits?: number
}
