/** The request audit: one entry for each request, made of what is known of it at its end. Its text is made off the way of the request. */
import { type AddressRule, CHAINS, type RequestEntry, truncated } from '../core/audit-entry.ts'
import type { RequestLog } from '../pipeline/io.ts'
import type { AuditLog } from './log.ts'
import { Strangers } from './strangers.ts'

/** Longer bodies are hashed at once and in slices, so that they are neither kept nor block anybody. Bytes. */
const KEPT = 64 * 1024
const SLICE = 1024 * 1024

export class RequestAudit {
  readonly #log: AuditLog
  readonly #addresses: AddressRule
  readonly #strangers: Strangers
  #second = Number.NaN
  #secondText = ''
  /** Bodies that are being hashed. */
  readonly #hashing = new Set<Promise<void>>()

  constructor(log: AuditLog, addresses: AddressRule, now: () => number) {
    this.#log = log
    this.#addresses = addresses
    this.#strangers = new Strangers(
      now,
      (ip) => this.address(ip),
      (entry, at) => log.add({ chain: CHAINS.requests, at, body: () => JSON.stringify(entry) }),
    )
  }

  /** A request is over. */
  see(line: RequestLog): void {
    if (!line.who && !this.#strangers.isTold(line.outcome, line.ip)) return
    if (line.prompt.byteLength <= KEPT) this.#add(line, undefined)
    else {
      const hashing = this.#hash(line.prompt).then((digest) => {
        this.#add(line, digest)
        this.#hashing.delete(hashing)
      })
      this.#hashing.add(hashing)
    }
  }

  #add(line: RequestLog, digest: string | undefined): void {
    const at = line.startedAt + line.totalMs
    let told: RequestLog | undefined = line
    let text = ''
    this.#log.add({
      chain: CHAINS.requests,
      at,
      body: () => {
        // Once made it stays, and lets the prompt go.
        if (told) {
          text = JSON.stringify(this.#entryOf(told, digest))
          told = undefined
        }
        return text
      },
    })
  }

  #entryOf(line: RequestLog, digest: string | undefined): RequestEntry {
    const { keys } = this.#log
    const { who, payer, prompt, tried } = line
    const user = payer.user ?? who?.userId
    return {
      kind: 'request',
      id: line.requestId,
      time: this.#time(line.startedAt),
      key: line.keyId && keys.key(line.keyId),
      user: user && this.#log.person('user', user),
      customer: payer.customer && this.#log.person('customer', payer.customer),
      team: payer.team,
      ip: this.address(line.ip),
      role: who?.role,
      way: who?.way,
      call: line.call,
      own: line.own,
      model: line.alias?.slice(0, 200),
      target: line.target,
      prompt: prompt.byteLength === 0 ? undefined : (digest ?? keys.prompt(prompt)),
      bytes: prompt.byteLength,
      input_tokens: line.inputTokens,
      output_tokens: line.outputTokens,
      cost_nano: line.costNano,
      ms: Math.round(line.totalMs),
      upstream_ms: line.upstreamMs === undefined ? undefined : Math.round(line.upstreamMs),
      status: line.status,
      outcome: line.outcome,
      stream: line.stream,
      cache: line.cache,
      guardrails: line.guardrails?.length ? line.guardrails : undefined,
      attempts: tried.length > 0 ? tried : undefined,
    }
  }

  /** ISO 8601. What is the same within a second is made once. */
  #time(ms: number): string {
    const second = Math.floor(ms / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1_000).toISOString().slice(0, 20)
    }
    return `${this.#secondText}${String(Math.floor(ms) - second * 1_000).padStart(3, '0')}Z`
  }

  async #hash(bytes: Uint8Array): Promise<string> {
    const hasher = this.#log.keys.promptHasher()
    for (let from = 0; from < bytes.byteLength; from += SLICE) {
      await new Promise((resolve) => setImmediate(resolve))
      hasher.update(bytes.subarray(from, from + SLICE))
    }
    return hasher.digest('hex')
  }

  /** An address as the configuration has it written down. */
  address(ip: string | undefined): string | undefined {
    if (ip === undefined || this.#addresses === 'none') return undefined
    if (this.#addresses === 'full') return ip
    return this.#addresses === 'hashed' ? this.#log.keys.address(ip) : truncated(ip)
  }

  /** What is folded, and what is still being hashed, is written. */
  async stop(): Promise<void> {
    await Promise.all(this.#hashing)
    this.#strangers.flush()
  }
}
