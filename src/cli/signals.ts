/** A clean stop: the first signal finishes what is in flight, the second one does not wait. */
import type { Started } from '../config/start.ts'

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

/** Resolves when the gateway has stopped after a signal. */
export function untilSignal(started: Started, tell: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const on = (signal: keyof typeof SIGNALS) => {
      // The shell's convention: 128 and the number of the signal.
      if (stopping) process.exit(128 + SIGNALS[signal])
      stopping = true
      tell('tollgate: finishing what is in flight; a second signal stops at once')
      started.stop().then(resolve, reject)
    }
    for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, () => on(signal))
  })
}
