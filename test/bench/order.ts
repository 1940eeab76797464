/** What the bench tells its load generator, and what comes back. */
import { readFileSync } from 'node:fs'

export interface Order {
  port: number
  headers: Record<string, string>
  body: string
  stream: boolean
  connections: number
  /** Not counted, before the window; ms. */
  warmMs: number
  windowMs: number
  /** Processes whose CPU time is read. */
  pids: number[]
  /** Each connection asks this often, in place of a window. */
  each?: number
}

export interface Measured {
  /** Right answers that ended inside the window. */
  counted: number
  sent: number
  wrong: number
  /** The first wrong one. */
  sample?: string
  /** Length of the window. */
  ms: number
  /** CPU time of the contestant in the window. */
  cpuMs: number
  /** Latency in ms. */
  p50: number
  p99: number
}

/** Clock ticks a second in /proc: 100 on every Linux that Bun runs on. */
const TICKS = 100

/** User and system time of processes with all their threads, in ms; steps of 10 ms. Linux only. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold spaces; utime and stime are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return (ticks * 1000) / TICKS
}

/** Resident memory in MB. */
export function rssMb(pids: readonly number[]): number {
  let kb = 0
  for (const pid of pids) kb += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  return kb / 1024
}
