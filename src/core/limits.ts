/** What a scope may do in a time, as people write it down. */

/** Evenly spaced requests, as nginx's limit_req has them: one every `everyMs`, and so many more at once. */
export interface Spacing {
  everyMs: number
  burst: number
  /** Those of the burst go at once; else each waits for its turn. */
  isAtOnce: boolean
}

export interface Limits {
  /** Requests in any 60 seconds. */
  rpm?: number | undefined
  /** Tokens in any 60 seconds, prompt and answer together. */
  tpm?: number | undefined
  /** Requests at one time. */
  parallel?: number | undefined
  /** Requests in a day of the gateway's time zone. */
  rpd?: number | undefined
  spacing?: Spacing | undefined
  /** Requests and tokens of one alias alone, in any 60 seconds. */
  rpmOf?: Readonly<Record<string, number>> | undefined
  tpmOf?: Readonly<Record<string, number>> | undefined
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `10r/m burst 5 nodelay` → a spacing; undefined where it is none. */
export function parseSpacing(text: string): Spacing | undefined {
  const match = /^(\d{1,6})r\/([smhd])(?:\s+burst[ =](\d{1,6}))?(\s+nodelay)?$/.exec(text.trim())
  if (!match) return undefined
  const [, requests = '', unit = '', burst, isAtOnce] = match
  if (Number(requests) === 0) return undefined
  return {
    everyMs: (UNIT_MS[unit] as number) / Number(requests),
    burst: Number(burst ?? 0),
    isAtOnce: isAtOnce !== undefined,
  }
}

/** The same in words again. */
export function writeSpacing({ everyMs, burst, isAtOnce }: Spacing): string {
  const unit = Object.keys(UNIT_MS).find((u) => Number.isInteger((UNIT_MS[u] as number) / everyMs)) ?? 'd'
  const rate = `${Math.round((UNIT_MS[unit] as number) / everyMs)}r/${unit}`
  return `${rate}${burst > 0 ? ` burst ${burst}` : ''}${isAtOnce ? ' nodelay' : ''}`
}
