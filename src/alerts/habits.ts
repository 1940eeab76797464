/** What keys usually do, and which models they know: learnt hour by hour, kept over restarts, bounded. */
import { average, baseline, hourOf, type LearntName, learn, type Memory, noMemory } from '../core/alert/baseline.ts'
import type { Learnt } from '../core/alert/condition.ts'

const MOST_SUBJECTS = 5_000
const MOST_MODELS = 200
/** A key is known for so long before a model is new to it, ms. */
const KNOWN_MS = 86_400_000

interface Habit {
  memory: Memory | undefined
  /** The hour that is under way, and what was in it. */
  hour: number
  of: Record<LearntName, number>
  /** ms since the epoch: its first request. */
  first: number
  models: string[]
  changed: boolean
}

/** As it is kept. */
export interface KeptHabit {
  subject: string
  memory: Memory | undefined
  first: number
  models: readonly string[]
}

export class Habits {
  /** In the order of their last use. */
  readonly #all = new Map<string, Habit>()

  take({ subject, memory, first, models }: KeptHabit, now: number): void {
    this.#all.set(subject, { memory, hour: hourOf(now), of: nothing(), first, models: [...models], changed: false })
  }

  /** @returns whether it is the first time that this subject, which is known, asks this model */
  note(subject: string, model: string | undefined, amounts: Readonly<Record<LearntName, number>>, at: number): boolean {
    const habit = this.#use(subject, at)
    this.#turn(habit, hourOf(at))
    for (const name of NAMES) habit.of[name] += amounts[name]
    if (model === undefined || habit.models.includes(model) || habit.models.length >= MOST_MODELS) return false
    habit.models.push(model)
    habit.changed = true
    return at - habit.first >= KNOWN_MS
  }

  /** What is usual of it at this time; undefined while not enough is known. */
  usual(subject: string, name: LearntName, what: Learnt, now: number): number | undefined {
    const habit = this.#all.get(subject)
    if (!habit) return undefined
    this.#turn(habit, hourOf(now))
    return what === 'baseline' ? baseline(habit.memory, name, hourOf(now)) : average(habit.memory, name)
  }

  forget(isHis: (subject: string) => boolean): void {
    for (const subject of this.#all.keys()) if (isHis(subject)) this.#all.delete(subject)
  }

  /** What has to be kept anew. */
  changed(): KeptHabit[] {
    const out: KeptHabit[] = []
    for (const [subject, habit] of this.#all) {
      if (!habit.changed) continue
      habit.changed = false
      out.push({ subject, memory: habit.memory, first: habit.first, models: habit.models })
    }
    return out
  }

  #use(subject: string, at: number): Habit {
    let habit = this.#all.get(subject)
    if (habit) this.#all.delete(subject)
    else habit = { memory: undefined, hour: hourOf(at), of: nothing(), first: at, models: [], changed: true }
    this.#all.set(subject, habit)
    if (this.#all.size > MOST_SUBJECTS) {
      const [oldest] = this.#all.keys()
      this.#all.delete(oldest as string)
    }
    return habit
  }

  /** An hour that is over is learnt. */
  #turn(habit: Habit, hour: number): void {
    if (hour <= habit.hour) return
    habit.memory ??= noMemory(habit.hour)
    learn(habit.memory, habit.hour, habit.of)
    habit.of = nothing()
    habit.hour = hour
    habit.changed = true
  }
}

const NAMES: readonly LearntName[] = ['requests_per_hour', 'tokens_per_hour', 'hourly_cost']
const nothing = (): Record<LearntName, number> => ({ requests_per_hour: 0, tokens_per_hour: 0, hourly_cost: 0 })
