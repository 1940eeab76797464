/**
 * How long an answer took, for callers whose dialect tells it and targets that tell nothing: Ollama's clients work out the
 * tokens a second from it.
 */
import type { Event, Timings } from '../dialects/canonical.ts'

const NS_PER_MS = 1_000_000
const CONTENT: ReadonlySet<Event['type']> = new Set(['text', 'thinking', 'refusal', 'call'])

export class Stopwatch {
  #firstAt: number | undefined

  /** @param startedAt when the target was asked, in ms of the same clock */
  constructor(
    private readonly now: () => number,
    private readonly startedAt: number,
  ) {}

  /** An answer that came whole, with its times: nobody knows when its first word was said. */
  whole<T extends { timings?: Timings }>(reply: T): T {
    return reply.timings ? reply : { ...reply, timings: this.read() }
  }

  /** One event after another, the last of which has the times. */
  event(event: Event): Event {
    if (this.#firstAt === undefined && CONTENT.has(event.type)) this.#firstAt = this.now()
    return event.type === 'finish' && !event.timings ? { ...event, timings: this.read() } : event
  }

  /** In ns. A cloud loads nothing, and nothing takes no time: clients divide by it. */
  private read(): Timings {
    const total = Math.max(1, this.now() - this.startedAt)
    const prompt = Math.min((this.#firstAt ?? this.startedAt) - this.startedAt, total - 1)
    return { total: total * NS_PER_MS, load: 0, prompt: prompt * NS_PER_MS, eval: (total - prompt) * NS_PER_MS }
  }
}
