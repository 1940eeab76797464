/**
 * The contract of a provider: everything Tollgate knows of it is one file in `providers/`, whose default export is
 * `defineProvider({…})`. Shared code never asks for a provider's name.
 */
import type { z } from 'zod'
import type { Failure } from '../core/failure.ts'
import type { Loaded } from '../core/model-at.ts'
import type { Abilities } from '../core/target.ts'
import type { Json, WireId } from '../dialects/canonical.ts'
import type { Warn } from '../dialects/dialect.ts'

/** What an amendment may look at. */
export interface AmendContext<S> {
  settings: S
  /** The model in the upstream's words. */
  model: string
  /**
   * Names what is left out (refused, or told in a header, by the one policy of `drop_params`); `adapted` what is said in
   * another way. What only goes by another name needs no word.
   */
  warn: Warn
}

/**
 * A path under the origin: the same for every model, or made of the model, as Azure's, Gemini's and Bedrock's are.
 * Undefined where these settings do not speak the dialect (an OpenAI-compatible server without Responses).
 * A whole URL where the model decides the host (a region of Bedrock's).
 */
export type Path<S> = string | ((model: string, stream: boolean, settings: S) => string | undefined)

/** A request as it is about to be sent. */
export interface Outgoing {
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body: Uint8Array | string
}

/** A request to a provider that answers inside this process. */
export interface InProcessCall {
  path: string
  body: Json
  signal: AbortSignal
}

/** OpenAI's files, batches and Realtime API: no dialects, since nothing is translated. */
export type Place = 'files' | 'batches' | 'realtime'

/** What a server of one's own tells of itself; what is missing it does not tell. */
export interface Told {
  /** Requests that it answers at once. */
  slots?: number | undefined
  /** Requests of everybody. */
  running?: number | undefined
  waiting?: number | undefined
  loaded?: readonly Loaded[]
  /** Models that it has. */
  installed?: readonly string[]
}

/** Where it tells it. Paths are below the server's address, without `/v1`. */
export interface Watch {
  /** 500 and more where it is not well. */
  health?: string
  looks: readonly {
    path: string
    /** It is text and no JSON. */
    plain?: true
    read(body: unknown): Told
  }[]
}

export interface Provider<S = unknown> {
  /** Also the prefix of its model strings: `example/some-model`. */
  id: string
  /** Other prefixes that mean it (LiteLLM's `ollama_chat`). */
  prefixes?: readonly string[]
  /** What it takes from `litellm_params` besides the common ones, in LiteLLM's words (`api_key`, `api_base`, …). */
  settings: z.ZodType<S>
  /** Environment variables that give a setting where the configuration does not, first match wins. */
  env?: {
    api_key?: readonly string[]
    api_base?: readonly string[]
    [setting: string]: readonly string[] | undefined
  }
  /** Settings that stand in for a key: where one of them is given, none is missing. */
  insteadOfKey?: readonly string[]
  /** Where none is given it looks for one itself (an instance's role): nothing is missing then. */
  findsKeys?: boolean
  /** Dialects it understands and the path of each under its origin; the first chat dialect is the preferred one. */
  speaks: Partial<Record<WireId, Path<S>>>
  /** Another address for a request, where it depends on the body too (Gemini's embedding of one text and of many). */
  route?: Partial<Record<WireId, (url: string, body: string) => string>>
  /** Where it keeps what callers made, and where it talks by WebSocket. What is missing, it has not. */
  places?: Partial<Record<Place, Path<S>>>
  /** false: no other path of it is passed through (Ollama's would change the models that all share). */
  passThrough?: false
  /** Where it counts the tokens of a request in a dialect without answering it. */
  counts?: Partial<Record<WireId, Path<S>>>
  /** Scheme, host, port and any path prefix; no trailing slash. */
  origin(settings: S): string
  /** Headers of every request, credentials included. */
  headers(settings: S): Record<string, string>
  /**
   * Headers that are made for each request: a token that is fetched and renewed, a signature over the body. Laid over
   * `headers`. Must bound its own time and cache what can be cached.
   */
  authorize?(settings: S, request: Outgoing): Promise<Record<string, string>>
  /**
   * Quirks: the wire body, changed in place or replaced, just before it is sent. Its presence costs a parse. Nothing that
   * the caller said is left out without a word to `warn`.
   */
  amend?: Partial<Record<WireId, (wire: Json, context: AmendContext<S>) => Json>>
  abilities?: Abilities
  /** Runs in the house: free unless priced, and told apart in failover. */
  local?: boolean
  /** Requests that its server answers at once where nobody says it, to begin with; undefined: any number. */
  slots?: number
  /** The environment variable that says it to the server. */
  slotsVariable?: string
  /** What its server tells of itself. */
  watch?: Watch
  /** The provider's id in the price library, where it differs. */
  prices?: string
  /** The name under which the price library has a model, where it is not the model's own. */
  priced?(model: string): string
  /**
   * How to find out whether a model goes on with a beginning, where nobody says it (`abilities.prefill`): a POST that makes
   * nothing, and what its answer tells.
   */
  goesOn?: {
    path: string
    dialect: WireId
    ask(model: string, beginning: string): Json
    tells(answer: unknown, beginning: string): boolean
  }
  /** How to list what it has: a GET, and where the names stand in the answer. */
  list?: { path: string; read(body: unknown): string[] }
  /** Corrects what the dialect made of an error where this provider means something else by it. */
  classify?(failure: Failure, status: number, body: string): Failure
  /** Answers without a network (the demo model): the dialect's own wire, as an HTTP response. */
  inProcess?(call: InProcessCall): Promise<Response> | Response
}

/** Gives a provider file its types and nothing else. */
export function defineProvider<S>(provider: Provider<S>): Provider<S> {
  return provider
}
