/** What a request may use beside tokens of text: at most, or most likely. */

/** Kinds of tokens that a request may have at all. What it cannot have is not held for. */
export interface Kinds {
  /** It may write to a cache for an hour. */
  hourCache: boolean
  audioInput: boolean
  imageInput: boolean
  audioOutput: boolean
}

export interface Load {
  kinds: Kinds
  /** Whether any of the following is more than 0. */
  beside: boolean
  /** Images that are made. */
  images: number
  /** ms of media that is heard or made. */
  mediaMs: number
  /** ms that the machine works. */
  gpuMs: number
  /** Characters that are spoken. */
  characters: number
  searches: number
}

const NOTHING = { beside: false, images: 0, mediaMs: 0, gpuMs: 0, characters: 0, searches: 0 } as const

/** Nothing but tokens, of whatever kind. */
export const ANYTHING: Load = {
  kinds: { hourCache: true, audioInput: true, imageInput: true, audioOutput: true },
  ...NOTHING,
}

/** Nothing but text. */
export const TEXT: Load = {
  kinds: { hourCache: false, audioInput: false, imageInput: false, audioOutput: false },
  ...NOTHING,
}

/** A load of these, whose `beside` is right. */
export function loadOf(kinds: Kinds, counts: Partial<Omit<Load, 'kinds' | 'beside'>>): Load {
  const load: Load = { kinds, ...NOTHING, ...counts }
  load.beside = load.images + load.mediaMs + load.gpuMs + load.characters + load.searches > 0
  return load
}
