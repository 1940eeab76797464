/**
 * The log: JSON lines for machines, readable ones for a terminal. Metadata only: no prompt, no answer, no secret.
 * Our own, since it stands on the hot path: a line costs 1 µs and a write is shared by all lines of 100 ms; pino with
 * its asynchronous writer took a tenth of the CPU of a request here.
 */
import { writeSync } from 'node:fs'

export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void
  error(message: string, facts?: Readonly<Record<string, unknown>>): void
  /** Writes what is still buffered. */
  flush(): void
}

/** Lines wait at most this long for company. */
const LINGER_MS = 100
/** And no more than this many characters of them. */
const BUFFER = 64 * 1024

/** @param form `pretty` for people, `json` for programs; both go to standard output */
export function makeLog(form: 'json' | 'pretty'): Log {
  return form === 'pretty' ? prettyLog(writeOut) : jsonLog(writeOut)
}

/** Whole lines to standard output. A reader that is slow or gone must not stop the gateway: what it can't take is lost. */
function writeOut(text: string): void {
  try {
    writeSync(1, text)
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'EAGAIN' && (cause as { code?: string }).code !== 'EPIPE') throw cause
  }
}

/** ISO time; the same text for all lines of a millisecond. */
function stamp(now: number): string {
  if (now !== stampedAt) {
    stampedAt = now
    stamped = new Date(now).toISOString()
  }
  return stamped
}
let stampedAt = 0
let stamped = ''

export function jsonLog(write: (text: string) => void): Log {
  let waiting = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const text = waiting
    waiting = ''
    if (text !== '') write(text)
  }
  const line =
    (level: string) =>
    (message: string, facts?: Readonly<Record<string, unknown>>): void => {
      const told = facts === undefined ? '{}' : JSON.stringify(facts)
      waiting += `{"level":"${level}","time":"${stamp(Date.now())}","message":${JSON.stringify(message)}${told === '{}' ? '}' : `,${told.slice(1)}`}\n`
      if (waiting.length >= BUFFER) flush()
      else timer ??= setTimeout(flush, LINGER_MS)
    }
  return { info: line('info'), warn: line('warn'), error: line('error'), flush }
}

/** `12:30:01 warn An attempt failed. target=mistral#1 kind=unreachable` */
export function prettyLog(write: (text: string) => void): Log {
  const line =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
      const told = Object.entries(facts)
        .filter(([, value]) => value !== undefined)
        .map(
          ([name, value]) =>
            ` ${name}=${typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : value}`,
        )
      write(`${new Date().toISOString().slice(11, 19)} ${level} ${message}${told.join('')}\n`)
    }
  return { info: line('info'), warn: line('warn'), error: line('error'), flush: () => {} }
}
