/**
 * What is usual of a key: by hour of the week, learnt from hours that are over. It says nothing until it knows enough, since a
 * rule that cries on its first day is switched off on its second. Pure; the memory is plain JSON.
 */
import { HOUR_MS } from './metric.ts'

const HOURS_OF_WEEK = 168
/** Weeks of an hour until its own mean counts; and hours in all until the mean of all stands in for it. */
const ENOUGH_WEEKS = 2
const ENOUGH_HOURS = 72
/** What lies longer ago fades: four weeks of an hour, four weeks of all. */
const MOST_WEEKS = 4
const MOST_HOURS = MOST_WEEKS * HOURS_OF_WEEK

/** The numbers that are learnt. */
export const LEARNT = ['requests_per_hour', 'tokens_per_hour', 'hourly_cost'] as const
export type LearntName = (typeof LEARNT)[number]

/** What is never less usual than this, so that a key that sleeps is not woken by its first request. */
const LEAST: Readonly<Record<LearntName, number>> = { requests_per_hour: 6, tokens_per_hour: 10_000, hourly_cost: 0.05 }

export interface Memory {
  /** The first hour that was learnt, and the one after the last, since the epoch. */
  from: number
  next: number
  /** Mean of each number: by hour of the week, how often that was learnt, and of all hours. */
  weeks: number[]
  means: Record<LearntName, number[]>
  all: Record<LearntName, number>
}

export const noMemory = (hour: number): Memory => ({
  from: hour,
  next: hour,
  weeks: Array(HOURS_OF_WEEK).fill(0),
  means: { requests_per_hour: zeros(), tokens_per_hour: zeros(), hourly_cost: zeros() },
  all: { requests_per_hour: 0, tokens_per_hour: 0, hourly_cost: 0 },
})

const zeros = (): number[] => Array(HOURS_OF_WEEK).fill(0)

export const hourOf = (now: number): number => Math.floor(now / HOUR_MS)

/** Learns an hour that is over. Hours between the last one and this had nothing in them. @param hour since the epoch */
export function learn(memory: Memory, hour: number, of: Readonly<Record<LearntName, number>>): void {
  if (hour < memory.next) return
  // After a long silence only what could still count is gone through.
  for (let empty = Math.max(memory.next, hour - MOST_HOURS); empty < hour; empty++) learnOne(memory, empty, NOTHING)
  memory.next = hour
  learnOne(memory, hour, of)
}

const NOTHING: Readonly<Record<LearntName, number>> = { requests_per_hour: 0, tokens_per_hour: 0, hourly_cost: 0 }

function learnOne(memory: Memory, hour: number, of: Readonly<Record<LearntName, number>>): void {
  const at = hour % HOURS_OF_WEEK
  const weeks = Math.min((memory.weeks[at] as number) + 1, MOST_WEEKS)
  memory.weeks[at] = weeks
  memory.next = hour + 1
  const hours = Math.min(memory.next - memory.from, MOST_HOURS)
  for (const name of LEARNT) {
    const means = memory.means[name]
    means[at] = (means[at] as number) + (of[name] - (means[at] as number)) / weeks
    memory.all[name] += (of[name] - memory.all[name]) / hours
  }
}

/** What is usual at this hour of the week; undefined while not enough is known. */
export function baseline(memory: Memory | undefined, name: LearntName, hour: number): number | undefined {
  if (!memory) return undefined
  const at = hour % HOURS_OF_WEEK
  if ((memory.weeks[at] as number) >= ENOUGH_WEEKS) return Math.max(memory.means[name][at] as number, LEAST[name])
  return average(memory, name)
}

/** The mean of all hours; undefined while not enough is known. */
export function average(memory: Memory | undefined, name: LearntName): number | undefined {
  if (!memory || memory.next - memory.from < ENOUGH_HOURS) return undefined
  return Math.max(memory.all[name], LEAST[name])
}
