/** A scanner behind a webhook that does as it is told: well, down, slow, wrong, refusing. */
import { SECRET } from './rails.ts'

export interface Scanner {
  url: string
  /** What it does from now on; ms that it takes. */
  set(mood: 'well' | 'wrong' | 'refuses' | 'fails' | 'hangs', delay?: number): void
  /** Bodies that it was asked with. */
  asked: string[]
  down(): void
  up(): void
  stop(): void
}

export function startScanner(): Scanner {
  let [mood, delay]: [string, number] = ['well', 0]
  const asked: string[] = []
  const serve = (port: number) =>
    Bun.serve({
      port,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      async fetch(request) {
        const text = await request.text()
        asked.push(text)
        if (mood === 'hangs') await Bun.sleep(30_000)
        if (delay > 0) await Bun.sleep(delay)
        if (mood === 'refuses') return Response.json({ error: 'no' }, { status: 401 })
        if (mood === 'fails') return Response.json({ error: 'oops' }, { status: 500 })
        if (mood === 'wrong') return new Response('<html>')
        const { pieces } = JSON.parse(text) as { pieces: { text: string }[] }
        const findings = pieces.flatMap(({ text }, piece) => {
          const start = text.indexOf(SECRET)
          return start < 0 ? [] : [{ piece, start, end: start + SECRET.length, what: 'CODE' }]
        })
        return Response.json({ flagged: findings.length > 0, categories: [], findings })
      },
    })
  let server = serve(0)
  const port = server.port as number
  return {
    url: `http://127.0.0.1:${port}/scan`,
    asked,
    set(now, ms = 0) {
      mood = now
      delay = ms
    },
    down: () => void server.stop(true),
    up: () => {
      server = serve(port)
    },
    stop: () => void server.stop(true),
  }
}
