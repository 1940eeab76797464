/**
 * What a request may use beside tokens of text, so that its hold covers that too: read of its bytes, and only where the
 * price of the target asks for it.
 */

import type { Experience } from '../core/estimate.ts'
import { type Kinds, type Load, loadOf, TEXT } from '../core/load.ts'
import type { Price, Priced, Rates } from '../core/price.ts'
import type { Target } from '../core/target.ts'
import { mediaLength } from '../dialects/media-length.ts'
import { readJson } from '../dialects/read-json.ts'
import type { Call } from './call.ts'

export interface Loads {
  most: Load
  likely: Load
}

const PLAIN: Loads = { most: TEXT, likely: TEXT }

/** What of a price depends on more than tokens of text. */
interface Needs extends Kinds {
  none: boolean
  images: boolean
  media: boolean
  gpu: boolean
  characters: boolean
  searches: boolean
}

const needed = new WeakMap<Priced, Needs>()

function needsOf(price: Priced): Needs {
  let needs = needed.get(price)
  if (needs) return needs
  const all = [price, ...Object.values(price.services ?? {})].flatMap((p) => [p.rates, ...p.tiers.map((t) => t.rates)])
  const some = (test: (r: Rates) => boolean) => all.some(test)
  const text = (r: Rates) => Math.max(r.input, r.cacheRead, r.cacheWrite)
  needs = {
    none: false,
    hourCache: some((r) => r.cacheWriteHour > text(r)),
    audioInput: some((r) => Math.max(r.audioInput, r.audioRead) > text(r)),
    imageInput: some((r) => Math.max(r.imageInput, r.imageRead) > text(r)),
    audioOutput: some((r) => r.audioOutput > Math.max(r.output, r.reasoning)),
    images: some((r) => r.image > 0),
    media: some((r) => r.media > 0),
    gpu: some((r) => r.gpu > 0),
    characters: some((r) => r.character > 0),
    searches: some((r) => r.search > 0),
  }
  needs.none = Object.values(needs).every((need) => need === false)
  needed.set(price, needs)
  return needs
}

/** @param price what the attempt is held for */
export function loadsFor(call: Call, price: Price, target: Target, experience: Experience): Loads {
  if (price.kind !== 'priced') return PLAIN
  const needs = needsOf(price)
  if (needs.none) return PLAIN
  const body = new Body(call)
  const kinds: Kinds = {
    hourCache: needs.hourCache && body.has('1h'),
    audioInput: needs.audioInput && (body.isForm || body.has('audio', 'video', 'file')),
    imageInput: needs.imageInput && (body.isForm || body.has('image', 'video', 'file')),
    audioOutput:
      needs.audioOutput && (call.door.dialect.id === 'openai-speech' || body.has('audio', 'AUDIO', 'speech')),
  }
  const media = needs.media ? mediaOf(call) : NONE
  const gpu = needs.gpu && call.door.dialect.op !== 'forward'
  const searches = needs.searches ? searchesOf(call, body) : NONE
  const images = needs.images && /^openai-image/.test(call.door.dialect.id) ? (call.peek.n ?? 1) : 0
  const characters = needs.characters ? charactersOf(call) : 0
  const load = (of: 'most' | 'likely', gpuMs: number): Load =>
    loadOf(kinds, { images, characters, mediaMs: media[of], searches: searches[of], gpuMs: gpu ? gpuMs : 0 })
  return { most: load('most', target.timeouts.total), likely: load('likely', experience.likelyMs()) }
}

interface Bounds {
  most: number
  likely: number
}
const NONE: Bounds = { most: 0, likely: 0 }

/** A request's bytes as far as words in them tell something. */
class Body {
  readonly isForm: boolean
  readonly #bytes: Buffer
  /** Letters that are written as escapes say what a search for words does not see. */
  readonly #hides: boolean

  constructor({ bytes, form }: Call) {
    this.isForm = form !== undefined
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#hides = this.#bytes.includes('\\u00') && /\\u00[2-7]/.test(this.#bytes.toString('latin1'))
  }

  has(...words: string[]): boolean {
    return this.#hides || words.some((word) => this.#bytes.includes(word))
  }

  text(): string {
    return this.#bytes.toString('latin1')
  }
}

/** The characters that a voice is to speak. */
export function charactersOf({ door, peek, bytes }: Call): number {
  const span = door.dialect.id === 'openai-speech' ? peek.scan.keys.get('input') : undefined
  if (span?.kind !== 'string') return 0
  const text = readJson(bytes.subarray(span.start, span.end)) as string
  return [...text].length
}

/** The length of the files that a form brings. */
export function mediaOf({ form, bytes }: Call): Bounds {
  const files = (form ?? []).filter((part) => part.filename !== undefined)
  const lengths = files.map((part) => mediaLength(bytes.subarray(part.start, part.end)))
  return {
    most: lengths.reduce((sum, l) => sum + l.most, 0),
    likely: lengths.reduce((sum, l) => sum + l.likely, 0),
  }
}

/** Tokens of speech that is written down, a minute (gpt-4o-transcribe: $0.006, by its price a million). */
const TOKENS_A_MINUTE = 1_000

/** The tokens of a recording that is sold by them; undefined where it is not. */
export function heardTokens(call: Call, price: Price): Bounds | undefined {
  if (!/^openai-(transcriptions|translations)$/.test(call.door.dialect.id) || price.kind !== 'priced') return undefined
  if (price.rates.media > 0 || price.rates.audioInput === 0) return undefined
  const { most, likely } = mediaOf(call)
  const tokens = (ms: number): number => Math.ceil((ms * TOKENS_A_MINUTE) / 60_000)
  return { most: tokens(most), likely: tokens(likely) }
}

/** Searches that one answer makes where nobody bounds them. */
const USUAL_MOST = 10
/** Documents that a search unit ranks, and tokens up to which one is not cut in two (docs.cohere.com/docs/rerank). */
const DOCUMENTS_A_UNIT = 100
const TOKENS_A_DOCUMENT = 500

function searchesOf({ door, peek, bytes }: Call, body: Body): Bounds {
  if (door.dialect.op === 'rerank') {
    const span = peek.scan.keys.get('documents')
    if (span?.kind !== 'array') return { most: 1, likely: 1 }
    const documents = readJson(bytes.subarray(span.start, span.end)) as unknown[]
    const parts = documents.length + Math.floor((span.end - span.start) / TOKENS_A_DOCUMENT)
    const units = (n: number) => Math.max(1, Math.ceil(n / DOCUMENTS_A_UNIT))
    return { most: units(parts), likely: units(documents.length) }
  }
  // `web_search`, `web_search_options`, `google_search`, `googleSearchRetrieval`, a model that searches (`-search-preview`).
  if (!body.has('search', 'Search') && !/search|sonar/.test(peek.model ?? '')) return NONE
  const said = [...body.text().matchAll(/"(?:max_uses|max_tool_calls)"\s*:\s*(\d{1,4})\b/g)]
  const most = said.reduce((sum, [, uses]) => sum + Number(uses), 0)
  return { most: most || USUAL_MOST, likely: 1 }
}
