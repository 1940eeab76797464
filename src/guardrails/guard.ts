/**
 * The contract of a guard: what it is shown, and what it says. A guard knows nothing of modes, of what becomes of a call
 * that it flags, of retries or of streams: that is the same for all and is decided elsewhere (src/pipeline/screen).
 */

/** Where a text stands in a request or in an answer. */
export type PieceKind =
  /** What somebody said: a system text, a user's, an assistant's, by `role`. */
  | 'text'
  | 'thinking'
  | 'refusal'
  /** Name, description and parameters of a tool, as JSON: the developer's words, not the user's. */
  | 'tool_definition'
  /** What a model calls a tool with: every string in it, decoded. */
  | 'tool_args'
  /** What a tool gave back. */
  | 'tool_result'

/** One text, decoded. */
export interface Piece {
  kind: PieceKind
  role: 'system' | 'user' | 'assistant' | 'tool'
  text: string
  /** Of an answer: which of its choices; of a request 0. */
  choice: number
}

/** What a guard is shown. */
export interface Subject {
  direction: 'input' | 'output'
  /** In their order. */
  pieces: readonly Piece[]
  /** The alias that was asked for. */
  model: string
  /** Of an output: whether it is all there. A window of a stream is not, but for the last one. */
  whole: boolean
}

/** Something that was found, and where: characters (UTF-16) of one piece, `end` behind the last one. */
export interface Finding {
  piece: number
  start: number
  end: number
  /** What it is, in capitals as Presidio names its entities: `EMAIL_ADDRESS`, `CREDIT_CARD`, `API_KEY`. */
  what: string
  /** [0, 1] */
  confidence: number
  /** What it is to be replaced with where that is not the guard's name for it: the scanner has said so itself. */
  replacement?: string
  /**
   * What becomes of a call because of this one, where the guard's settings say so of each: in place of the guardrail's
   * `on_flagged`, unless that only warns. One that is to be blocked blocks, whatever else there is.
   */
  action?: 'block' | 'redact'
}

/** What a guard says. */
export interface Look {
  flagged: boolean
  /** What for, as few words: `prompt_injection`, `violence`. For the log and the report, never for the caller. */
  categories: readonly string[]
  /** [0, 1], where the guard is one that is more or less sure. */
  confidence?: number
  /** Empty where it can't say where: then there is nothing to redact, and `redact` blocks. */
  findings: readonly Finding[]
}

export interface Guard {
  kind: string
  /**
   * @param signal ends it early; in-process guards need not look at it
   * @throws GuardError where no verdict can be had: what then happens is `on_error`'s
   */
  look(subject: Subject, signal: AbortSignal): Look | Promise<Look>
  /** It needs no network: its verdict is there at once (`look` is no promise). */
  local: boolean
  /** It judges a whole answer only (a JSON schema, a refusal): in a stream all of it is held back. */
  needsWhole: boolean
  /** Characters: nothing that it finds is longer, so that so much of a stream is held back. */
  window: number
  /** Which pieces it wants to see; a piece of another kind is not shown to it. */
  kinds: ReadonlySet<PieceKind>
  /** Changes with anything that could change a verdict: stands in the key of kept verdicts. */
  version: string
}

/** Why there is no verdict. The message is for the operator: it never reaches a caller. */
export class GuardError extends Error {
  readonly why: 'unreachable' | 'timeout' | 'refused' | 'bad_reply'
  /** Whether another try may help. */
  readonly retryable: boolean

  constructor(why: GuardError['why'], message: string, retryable: boolean) {
    super(message)
    this.name = 'GuardError'
    this.why = why
    this.retryable = retryable
  }
}

/** What guards that are not in the process may use. */
export interface GuardTools {
  /** The one way out: addresses are judged as for every upstream. Never follows a redirect. */
  fetch(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response>
  /**
   * Asks an alias of this gateway, on its own account (tag `guardrail`), without a stream.
   * @param schema the answer's, as JSON Schema: a model that can be held to one is @returns the answer's text
   */
  ask(
    alias: string,
    messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[],
    signal: AbortSignal,
    schema?: Readonly<Record<string, unknown>>,
  ): Promise<string>
  /**
   * AWS's signature (version 4) of a request, by the identity in these settings (`aws_access_key_id`, `aws_role_name` … as a
   * target of Bedrock has them) or by that of the machine. Where it is missing Bedrock's guardrails need an API key.
   * @returns the headers to send with it
   */
  sign?(
    identity: Readonly<Record<string, unknown>>,
    service: string,
    region: string,
    request: { method: 'POST'; url: string; body: string },
  ): Promise<Record<string, string>>
  /** ms since the epoch. */
  now(): number
  /** The environment, for keys that a kind looks for by a usual name (`LAKERA_API_KEY`). */
  env: Readonly<Record<string, string | undefined>>
}
