/** Which targets may take a request at all: by what they ask for, by what the request needs, and by where they stand. Pure. */

import type { Payer } from './scope.ts'
import type { Stage } from './stage.ts'
import type { Abilities, Conditions, Target } from './target.ts'
import { wallAt } from './zone.ts'

/** What a request is, for whoever decides where it may go. */
export interface Asked {
  payer: Payer
  keyName: string | undefined
  tags: readonly string[]
  metadata: Readonly<Record<string, unknown>>
  /** Likely tokens of the prompt, as this target counts. */
  prompt(target: Target): number
  needs: Readonly<Record<Need, boolean>>
  /** It must not leave the house. */
  localOnly: boolean
}

export type Need = Extract<keyof Abilities, 'tools' | 'images' | 'audio' | 'files' | 'schema'>

export interface LeftOut {
  target: Target
  reason: string
}

export interface TagRules {
  /** Requests go by their tags at all (LiteLLM's `enable_tag_filtering`). */
  enabled: boolean
  /** One common tag is enough; else a target needs all of the request's. */
  matchAny: boolean
}

/** Rules of the whole gateway. */
export interface RouteRules {
  tags: TagRules
  /** For times of day. */
  zone: string
  /** Requests with one of these never leave the house. */
  localTags: readonly string[]
}

export interface Narrowed {
  stages: readonly Stage[]
  leftOut: readonly LeftOut[]
}

/**
 * Leaves out the targets that may not or cannot take the request. What only makes a target less able (images, tools, the
 * length of its context) leaves it out where another one is able; where none is, the nearest it can get is tried and told.
 */
export function narrow(stages: readonly Stage[], asked: Asked, rules: RouteRules, now: number): Narrowed {
  const leftOut: LeftOut[] = []
  const without = (targets: readonly Target[], reasonOf: (target: Target) => string | undefined): Target[] =>
    targets.filter((target) => {
      const reason = reasonOf(target)
      if (reason !== undefined) leftOut.push({ target, reason })
      return reason === undefined
    })
  let allowed = stages.map(({ alias, targets }) => {
    const may = without(targets, (t) => forbidden(t, asked, rules, now))
    return { alias, targets: rules.tags.enabled ? byTags(may, asked.tags, rules.tags, leftOut) : may }
  })
  for (const lacks of [lacksAbility, lacksRoom]) {
    const able = allowed.some(({ targets }) => targets.some((t) => lacks(t, asked) === undefined))
    if (able)
      allowed = allowed.map(({ alias, targets }) => ({ alias, targets: without(targets, (t) => lacks(t, asked)) }))
  }
  return { stages: allowed.filter(({ targets }) => targets.length > 0), leftOut }
}

/** Whether any of these stages has something that {@link narrow} looks at. Most have not. */
export function isConditional(stages: readonly Stage[], rules: RouteRules): boolean {
  return (
    rules.tags.enabled || stages.some(({ targets }) => targets.some((t) => t.when !== undefined || t.tags.length > 0))
  )
}

/** What is no text, number or the like says nothing: an object of a caller's need not even be one that becomes a text. */
const says = (said: unknown, value: string): boolean => typeof said !== 'object' && String(said) === value

function forbidden(target: Target, asked: Asked, { zone }: RouteRules, now: number): string | undefined {
  if (asked.localOnly && !target.local) return 'the request must stay in the house'
  const { when } = target
  if (!when) return undefined
  const { payer } = asked
  if (when.keys && !when.keys.some((k) => k === payer.key || k === asked.keyName)) return 'not for this key'
  if (when.teams && !isIn(payer.team, when.teams)) return 'not for this team'
  if (when.users && !isIn(payer.user, when.users)) return 'not for this user'
  if (when.projects && !isIn(payer.project, when.projects)) return 'not for this project'
  for (const [name, value] of Object.entries(when.metadata ?? {}))
    if (!says(asked.metadata[name], value)) return `metadata.${name} is not ${value}`
  if (when.minPrompt !== undefined && asked.prompt(target) < when.minPrompt)
    return `the prompt is shorter than ${when.minPrompt} tokens`
  if (when.maxPrompt !== undefined && asked.prompt(target) > when.maxPrompt)
    return `the prompt is longer than ${when.maxPrompt} tokens`
  return isHour(when, wallAt(zone, now)) ? undefined : 'not at this time of day'
}

const isIn = (name: string | undefined, names: readonly string[]): boolean => name !== undefined && names.includes(name)

const MINUTE = 60_000
const DAY = 1_440

/** @param wall what the clock on the wall shows, ms as if it were UTC */
function isHour({ hours, days }: Conditions, wall: number): boolean {
  const minute = Math.floor(wall / MINUTE) % DAY
  const isNight = hours !== undefined && hours.to <= hours.from
  const within =
    !hours || (isNight ? minute >= hours.from || minute < hours.to : minute >= hours.from && minute < hours.to)
  if (!within || !days) return within
  // What began before midnight belongs to the day it began on.
  const began = isNight && minute < hours.to ? wall - DAY * MINUTE : wall
  return days.includes(new Date(began).getUTCDay())
}

/**
 * LiteLLM's tag filter: targets that share a tag with the request; where none does, those tagged `default`; where there
 * is no such either, those without tags. `!tag` in a request keeps targets with that tag out, `&tag` keeps to them.
 */
function byTags(
  targets: readonly Target[],
  tags: readonly string[],
  { matchAny }: TagRules,
  leftOut: LeftOut[],
): Target[] {
  const excluded = tags.filter((t) => t.startsWith('!')).map((t) => t.slice(1))
  const required = tags.filter((t) => t.startsWith('&')).map((t) => t.slice(1))
  const wished = tags.filter((t) => !/^[!&]/.test(t))
  const may = targets.filter((t) => {
    const ok = !excluded.some((x) => t.tags.includes(x)) && required.every((x) => t.tags.includes(x))
    if (!ok) leftOut.push({ target: t, reason: "its tags are not the request's" })
    return ok
  })
  const tagged = may.filter((t) =>
    matchAny ? wished.some((x) => t.tags.includes(x)) : wished.length > 0 && wished.every((x) => t.tags.includes(x)),
  )
  const fallback = may.filter((t) => t.tags.includes('default'))
  const untagged = may.filter((t) => t.tags.length === 0)
  const chosen = tagged.length > 0 ? tagged : required.length > 0 ? may : fallback.length > 0 ? fallback : untagged
  for (const target of may)
    if (!chosen.includes(target)) leftOut.push({ target, reason: "its tags are not the request's" })
  return chosen
}

const NEEDS: readonly Need[] = ['images', 'audio', 'files', 'tools', 'schema']

function lacksAbility({ abilities }: Target, { needs }: Asked): string | undefined {
  const lacking = NEEDS.find((need) => needs[need] && abilities[need] === false)
  return lacking === undefined ? undefined : `it cannot take ${lacking}`
}

function lacksRoom(target: Target, asked: Asked): string | undefined {
  const { contextTokens } = target
  if (contextTokens === undefined || asked.prompt(target) <= contextTokens) return undefined
  return `the prompt has about ${asked.prompt(target)} tokens, and it takes ${contextTokens}`
}
