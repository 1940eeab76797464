/**
 * The contract of a dialect. Pure: no I/O, no clock (the caller gives `now` where an answer carries a time).
 * Reading is tolerant (unknown fields become extras); writing never drops silently (what cannot be said is warned of).
 */
import type { Failure } from '../core/failure.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Usage } from '../core/usage.ts'
import type {
  Chat,
  DialectId,
  Embed,
  EmbedReply,
  Event,
  Json,
  Reply,
  Rerank,
  RerankReply,
  WireId,
} from './canonical.ts'

/**
 * Names what the target's dialect cannot say: the caller's word for it, and why. Called itself it means that the answer
 * will be another one than was asked for; `adapted` is for what was said in another way or left out without harm
 * (thinking of another model, a hint), worth a header but never a refusal.
 */
export interface Warn {
  (param: string, reason: string): void
  adapted?: (param: string, reason: string) => void
}

/** One event of a stream as it came off the wire, without its framing. */
export interface Frame {
  /** The SSE `event:` line, where there was one. */
  event?: string | undefined
  /** The JSON text (or `[DONE]`). */
  data: string
  /** The same before it was text, where it may end in the middle of a letter (AWS's frames around somebody's stream). */
  bytes?: Uint8Array
}

/** What a tap saw in one frame that is passed on without being translated. */
export interface Sight {
  /** Something the caller asked for: text, thinking, a tool call. The first one is the commit point. */
  content: boolean
  /** The upstream said why it stopped (any choice). */
  finished: boolean
  /** The dialect's own end of stream. */
  end: boolean
  /** The frame holds nothing but usage (OpenAI's last chunk with `choices: []`): taken out unless asked for. */
  usageOnly: boolean
  /** Cumulative, where this frame reports some. */
  usage?: Usage | undefined
  failure?: Failure | undefined
  /** Not an event of this dialect (broken JSON): to be taken out. */
  garbage: boolean
}

export interface Written {
  status: number
  body: Json
}

/** What an answer may need that is not in it. */
export interface Answering {
  /** Seconds since the epoch. */
  created: number
  /** An id for the whole answer, used where the upstream gave none. */
  id: string
  /** Tokens that the prompt most likely has, for dialects that tell them before the target does. */
  inputLikely?: number
}

/** What is read of a request body without translating it. */
export interface Fields {
  /**
   * Model and streaming stand in the path and not in the body (Google), whose fields go by camel and by snake case: one
   * field may not stand in both. Whoever reads such a request puts them in as `model` and `stream`.
   */
  asksInPath?: boolean
  /** Where the number of choices stands, where it is not `n`. The first one present counts. */
  choices?: readonly string[]
  /** Where the most tokens of the answer stand, `options.num_predict` for a nested one. The first one present counts. */
  maxTokens: readonly string[]
  /** The least that may stand there (Anthropic: 0 fills the cache). Missing: 1. */
  leastTokens?: number
  /** Zero and less mean no limit (Ollama). */
  zeroIsUnlimited?: boolean
  /** What must be there and not empty; with `?` it may be missing, but not be of another kind. */
  required: Readonly<Record<string, 'array' | 'string' | 'any' | 'array?' | 'string?'>>
  /** Every field that decides what is asked: none of these may stand twice or in another case. */
  known: readonly string[]
}

/** What is needed of a dialect to ask a target in it. Some dialects are spoken by targets only. */
interface Asking {
  id: WireId
  /** An upstream's error answer, whatever its shape: JSON of this dialect, another JSON, HTML, nothing. */
  readError(status: number, body: string): Failure
}

/** What is needed beside it to be asked in it by callers. */
interface Answered {
  id: DialectId
  /** Errors in the shape this dialect's clients expect. */
  writeError(refusal: Refusal): Written
  fields: Fields
  /** Headers of the caller that go along to a target of the same dialect (`anthropic-beta`). Lower case. */
  passes?: readonly string[]
}

export interface ChatTarget extends Asking {
  op: 'chat'
  /** `eventstream`: the binary frames of AWS. */
  framing: 'sse' | 'ndjson' | 'eventstream'
  /** Its targets take images as bytes only: those named by URL have to be fetched first. */
  imagesAsBytes?: boolean
  /** `chat.model` is already the target's. Writes `stream` as `chat.stream` says and asks for usage. */
  writeRequest(chat: Chat, warn: Warn): Json
  /** @throws UpstreamFailure bad_reply where it is not one. */
  readReply(body: Json): Reply
  /** Frames of one stream → events. Stateful: one a stream. Throws UpstreamFailure bad_reply on garbage. */
  reader(): (frame: Frame) => Event[]
  /** Looks at a whole answer that is relayed as it is. */
  glance(body: string): Sight
}

export interface ChatDialect extends ChatTarget, Answered {
  id: DialectId
  framing: 'sse' | 'ndjson'
  /** Whether a request without `stream` is a stream (Ollama: yes). */
  streamsByDefault: boolean
  /** @throws Refusal invalid_request with `param`, in this dialect's words. */
  readRequest(body: Json): Chat
  writeReply(reply: Reply, chat: Chat, answering: Answering): Json
  /**
   * Events → text to send, framing included; '' where there is nothing to say yet. Stateful: one a stream.
   * What stands at the end of a stream (finish, usage, the end's own mark) is written at `end`: give it one `end` event
   * always, also where the upstream closed without its own. A second `start` (another target goes on) changes nothing.
   */
  writer(chat: Chat, answering: Answering): (event: Event) => string
  /** Whether a request asks for no answer but for its model to be loaded or unloaded. */
  loading?(chat: Chat): 'load' | 'unload' | undefined
  /** Takes out of a request, in place, what only the model can read that signed it. Whether there was any. */
  unsign?(body: Json): boolean
  /**
   * What we made up in answers of other models and a target of this dialect would refuse: taken out of a request, in
   * place, where one of these marks stands in its bytes. Whether there was any.
   */
  disown?: { marks: readonly string[]; from(body: Json): boolean }
  /** An error inside a stream that has begun, framing included; after it nothing more is sent. */
  writeStreamError(refusal: Refusal): string
  /** The end of a stream that the upstream finished but did not close properly (`data: [DONE]\n\n`), or ''. */
  streamEnd: string
  /** A line that keeps a silent stream alive and that every client ignores, or '' where the dialect has none. */
  heartbeat: string
  /** Looks at frames that are relayed as they are. Stateful: one a stream. Must cost less than a JSON.parse a frame. */
  tap(): (frame: Frame) => Sight
  /** Puts a stream together to the whole answer that it makes, where nothing is lost by that. Stateful: one a stream. */
  joiner?(): Joiner
}

export interface Joiner {
  /** One frame of the stream, parsed. */
  push(frame: Json): void
  /** All of them, as the answer would have been without a stream. */
  whole(): Json
}

export interface EmbedTarget extends Asking {
  op: 'embed'
  writeRequest(embed: Embed, warn: Warn): Json
  readReply(body: Json): EmbedReply
}

export interface EmbedDialect extends EmbedTarget, Answered {
  id: DialectId
  readRequest(body: Json): Embed
  writeReply(reply: EmbedReply, embed: Embed): Json
  glance(body: string): Sight
}

export interface RerankTarget extends Asking {
  op: 'rerank'
  writeRequest(rerank: Rerank, warn: Warn): Json
  /** Some answer with a bare list. @throws UpstreamFailure bad_reply where it is no ranking */
  readReply(body: unknown): RerankReply
}

export interface RerankDialect extends RerankTarget, Answered {
  id: DialectId
  readRequest(body: Json): Rerank
  writeReply(reply: RerankReply, rerank: Rerank, answering: Answering): Json
  glance(body: string): Sight
}

/** Passed on as it is, in JSON or as a form, to targets that speak the same. */
export interface ForwardDialect extends Asking, Answered {
  id: DialectId
  op: 'forward'
  /** An answer that reports no usage is charged an estimate, as a chat's is. */
  isEstimated?: boolean
  writeStreamError(refusal: Refusal): string
  glance(body: string): Sight
  tap(): (frame: Frame) => Sight
}

/** A dialect that callers speak. */
export type Dialect = ChatDialect | EmbedDialect | RerankDialect | ForwardDialect

/** A dialect that a target is asked in. */
export type TargetDialect = ChatTarget | EmbedTarget | RerankTarget | ForwardDialect
