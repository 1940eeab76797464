/** Memory of another process, as Linux counts it. */
import { readFileSync } from 'node:fs'

const field = (pid: number, name: string): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
}

/** Resident bytes now. */
export const residentBytes = (pid: number): number => field(pid, 'VmRSS')

/** The most bytes that were ever resident. */
export const peakBytes = (pid: number): number => field(pid, 'VmHWM')
