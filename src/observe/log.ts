/** The log: JSON lines for machines, readable ones for a terminal. Metadata only: no prompt, no answer, no secret. */
import pino from 'pino'

export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void
  error(message: string, facts?: Readonly<Record<string, unknown>>): void
  /** Writes what is still buffered. */
  flush(): void
}

/** Lines wait at most this long for company: a write a line costs more than the line. */
const LINGER_MS = 100
const BUFFER_BYTES = 8 * 1024

/** @param form `pretty` for people, `json` for programs; both go to standard output */
export function makeLog(form: 'json' | 'pretty'): Log {
  if (form === 'pretty') return prettyLog((line) => process.stdout.write(line))
  const destination = pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES })
  const out = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  )
  const timer = setInterval(() => destination.flush(), LINGER_MS)
  timer.unref()
  return {
    info: (message, facts = {}) => out.info(facts, message),
    warn: (message, facts = {}) => out.warn(facts, message),
    error: (message, facts = {}) => out.error(facts, message),
    flush: () => {
      clearInterval(timer)
      destination.flushSync()
    },
  }
}

/** `12:30:01 warn An attempt failed. target=mistral#1 kind=unreachable` */
export function prettyLog(write: (line: string) => void): Log {
  const line =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) => {
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
