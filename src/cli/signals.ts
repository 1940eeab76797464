/** A clean stop: the first signal finishes what is in flight, the second one does not wait. */

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

type Signal = keyof typeof SIGNALS

/**
 * Listens from now on, so that no signal is lost between a start and the words that tell of it.
 * @returns resolves at the first signal; at the second one the process ends at once
 */
export function firstSignal(tell: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    const on = (signal: Signal) => {
      // The shell's convention: 128 and the number of the signal.
      if (stopping) process.exit(128 + SIGNALS[signal])
      stopping = true
      tell('tollgate: finishing what is in flight; a second signal stops at once')
      resolve()
    }
    for (const signal of Object.keys(SIGNALS) as Signal[]) process.on(signal, () => on(signal))
  })
}
