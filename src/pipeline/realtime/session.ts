/** A conversation between a caller and a provider: events pass as they come, answers are charged, and either end ends both. */
import { Refusal } from '../../core/refusal.ts'
import type { Json } from '../../dialects/canonical.ts'
import { readDuration } from '../../dialects/forward.ts'
import { errorBody } from '../../dialects/openai/error.ts'
import { readUsage } from '../../dialects/openai-responses/usage.ts'
import { isObject } from '../../dialects/wire.ts'
import type { Call } from '../call.ts'
import { conclude } from '../conclude.ts'
import type { Deadline } from '../deadlines.ts'
import type { Io } from '../io.ts'
import type { Connection } from './connect.ts'
import type { Purse } from './purse.ts'
import type { CallerSocket, Talk } from './talk.ts'

/** How often the key is looked at again, ms. */
const CHECK_MS = 250
/** Bytes that may wait for a provider that reads too slowly, or for money. */
const MOST_WAITING = 16 * 1024 * 1024
/** The largest event of a provider. */
const LARGEST_EVENT = 16 * 1024 * 1024
/** Only these are looked into; all others pass untouched. */
const WATCHED = ['"response.created"', '"response.done"', 'input_audio_transcription.completed"']

export class Session implements Talk {
  readonly #call: Call
  readonly #io: Io
  readonly #upstream: WebSocket
  readonly #early: Connection['early']
  readonly #purse: Purse
  readonly #stillAllowed: () => void
  readonly #gone: AbortController
  readonly #watch: Deadline
  /** Steps of the purse, one after the other: each may wait for money. */
  #steps: Promise<void> = Promise.resolve()
  #caller: CallerSocket | undefined
  #waiting: string[] = []
  #waitingBytes = 0
  #over = false

  /** @param stillAllowed throws a Refusal once the key is blocked, expired or gone */
  constructor(
    call: Call,
    io: Io,
    connection: Connection,
    purse: Purse,
    stillAllowed: () => void,
    gone: AbortController,
  ) {
    this.#call = call
    this.#io = io
    this.#upstream = connection.socket
    this.#early = connection.early
    this.#purse = purse
    this.#stillAllowed = stillAllowed
    this.#gone = gone
    this.#upstream.onmessage = ({ data }) => this.#heard(data as string | ArrayBuffer)
    this.#upstream.onclose = ({ code, reason }) => this.#close(code, reason, 'ok')
    this.#upstream.onerror = () => this.#close(1011, 'The provider is gone.', 'unreachable')
    this.#watch = io.deadlines.arm(io.now() + CHECK_MS, (now) => {
      this.#check()
      this.#watch.at = now + CHECK_MS
    })
  }

  opened(caller: CallerSocket): void {
    this.#caller = caller
    for (const event of this.#early.splice(0)) this.#heard(event)
    // It closed between its first word and the caller's opening.
    if (this.#over) caller.close(1011, 'The provider is gone.')
  }

  /** From the caller. */
  said(message: string | Buffer): void {
    if (this.#over) return
    let out: string
    try {
      out = this.#checked(message)
    } catch (cause) {
      this.#tell(Refusal.from(cause))
      return
    }
    if (this.#purse.isReady && this.#waiting.length === 0) this.#send(out)
    else this.#keep(out)
  }

  /** Until there is money again. */
  #keep(text: string): void {
    this.#waitingBytes += text.length
    if (this.#waitingBytes <= MOST_WAITING) this.#waiting.push(text)
    else this.#cut(new Refusal('overloaded', 'Too much was said while waiting for budget.'), 1013)
  }

  left(): void {
    this.#close(1000, '', 'ok')
  }

  end(): void {
    this.#cut(new Refusal('shutting_down', 'This gateway is stopping. Connect again.'), 1001)
  }

  /** An event of the caller's as it may go on: JSON, and of no other model than the one that was asked for. */
  #checked(message: string | Buffer): string {
    const text = typeof message === 'string' ? message : message.toString('utf8')
    let event: unknown
    try {
      event = JSON.parse(text)
    } catch {}
    if (!isObject(event) || typeof event.type !== 'string')
      throw new Refusal('invalid_json', "Each event must be a JSON object with a 'type'.")
    if (event.type !== 'session.update' && event.type !== 'transcription_session.update') return text
    const { session } = event
    if (!isObject(session) || session.model === undefined || session.model === null) return text
    const { model } = this.#target
    if (session.model !== model && session.model !== this.#call.peek.model)
      throw new Refusal('invalid_request', 'The model of a session cannot be changed: connect with another one.', {
        param: 'session.model',
      })
    return JSON.stringify({ ...event, session: { ...session, model } })
  }

  get #target() {
    return (this.#call.stages[0]?.targets[0] ?? { model: '' }) as { model: string }
  }

  #send(text: string): void {
    this.#upstream.send(text)
    if (this.#upstream.bufferedAmount > MOST_WAITING)
      this.#cut(new Refusal('overloaded', 'The provider takes this slower than it is said.'), 1013)
  }

  /** From the provider. */
  #heard(data: string | ArrayBuffer): void {
    if (this.#over) return
    if (!this.#caller) {
      this.#early.push(data)
      return
    }
    if ((typeof data === 'string' ? data.length : data.byteLength) > LARGEST_EVENT) {
      this.#cut(new Refusal('upstream_error', 'The provider sent an event that is too large.'), 1009)
      return
    }
    this.#caller.send(typeof data === 'string' ? data : new Uint8Array(data))
    if (typeof data !== 'string') return
    if (data.slice(0, 200).includes('.delta"')) this.#purse.heard()
    if (WATCHED.some((word) => data.includes(word))) this.#account(data)
  }

  #account(data: string): void {
    let event: Json
    try {
      event = JSON.parse(data) as Json
    } catch {
      return
    }
    const response = isObject(event.response) ? event.response : {}
    const id = String(response.id ?? '')
    if (event.type === 'response.created') this.#step(() => this.#purse.begin(id))
    if (event.type === 'response.done') {
      const outcome = response.status === 'cancelled' ? 'aborted' : response.status === 'failed' ? 'server' : 'ok'
      this.#step(() => this.#purse.done(id, usageOf(response.usage), outcome))
      this.#check()
      this.#step(() => this.#purse.prepare())
    }
    if (event.type === 'conversation.item.input_audio_transcription.completed') {
      const counted = usageOf(event.usage)
      if (counted) this.#step(() => this.#purse.beside(counted))
    }
  }

  #step(act: () => Promise<void>): void {
    this.#steps = this.#steps.then(act).then(
      () => this.#goOn(),
      (cause) => this.#cut(Refusal.from(cause), 1008),
    )
  }

  /** There is money again: what the caller said meanwhile goes on. */
  #goOn(): void {
    if (this.#over || !this.#purse.isReady) return
    this.#waitingBytes = 0
    for (const text of this.#waiting.splice(0)) this.#send(text)
  }

  #check(): void {
    try {
      this.#stillAllowed()
    } catch (cause) {
      this.#cut(Refusal.from(cause), 1008)
    }
  }

  /** An error event, as OpenAI's clients know it. */
  #tell(refusal: Refusal): void {
    const { error } = errorBody(refusal) as { error: Json }
    const event_id = `event_${crypto.randomUUID().replaceAll('-', '')}`
    this.#caller?.send(JSON.stringify({ type: 'error', event_id, error: { ...error, event_id: null } }))
  }

  #cut(refusal: Refusal, code: number): void {
    if (this.#over) return
    this.#tell(refusal)
    this.#close(code, refusal.code, refusal.code, refusal.detail.private ?? refusal.message)
  }

  /** The one way out: both ends are closed, money is let go, one line is logged. */
  #close(code: number, reason: string, outcome: string, error?: string): void {
    if (this.#over) return
    this.#over = true
    this.#io.deadlines.disarm(this.#watch)
    this.#gone.abort()
    // 1005 and 1006 only tell that nothing was told; they may not be sent.
    const said =
      code === 1000 || (code >= 3000 && code < 5000) || [1001, 1008, 1009, 1011, 1013].includes(code) ? code : 1011
    this.#caller?.close(said, reason.slice(0, 100))
    this.#upstream.close()
    // What is still being counted is counted first.
    void this.#steps.finally(() => {
      this.#purse.end()
      conclude(this.#call, this.#io, 101, outcome, this.#purse.total, this.#purse.cost, error)
    })
  }
}

/** Of an answer, and of speech that was written down: that may be counted in seconds. */
const usageOf = (said: unknown) => readUsage(said) ?? (isObject(said) ? readDuration(said) : undefined)
