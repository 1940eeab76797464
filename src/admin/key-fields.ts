/** What /key/generate and /key/update take, in LiteLLM's words, and what they answer. */
import { z } from 'zod'
import { ENVIRONMENTS, type Key } from '../core/key.ts'
import { isRouteWord, KEY_TYPES, ROUTE_GROUPS } from '../core/key-routes.ts'
import { expiryAfter, parsePeriod } from '../core/period.ts'
import { meaningOf, readPriceWords, writeSaidWords } from '../core/price-words.ts'
import { isRange } from '../core/range.ts'
import { Refusal } from '../core/refusal.ts'
import { dueOf, type Rotation } from '../core/rotation.ts'
import type { Payer } from '../core/scope.ts'
import { showTerms, termsOf } from '../core/terms.ts'
import {
  aliases,
  duration,
  GUARD_WORDS,
  guards,
  isEmpty,
  limits,
  limitsOf,
  metadata,
  models,
  readBody,
  showLimits,
  tags,
  terms,
} from './fields.ts'
import { guardFields, guardKey, keptMetadata, withOwner } from './key-guard.ts'
import { heldTo, type KeyRules, withDefaults } from './key-rules.ts'
import type { NewKey } from './keyring.ts'
import { type Money, showMoney } from './money.ts'
import type { Reach } from './reach.ts'
import type { Register } from './register.ts'

const fields = {
  key_alias: z.string().max(200).nullish(),
  models,
  ...terms,
  ...limits,
  duration: z.union([duration, z.literal('-1')]).nullish(),
  metadata,
  ...guards,
  tags,
  pricing: z.record(z.string(), z.record(z.string(), z.number().min(0))).nullish(),
  allowed_passthrough_routes: z.array(z.string().regex(/^(\*|\/.*)$/, "must be '*' or begin with '/'")).nullish(),
  team_id: z.string().max(256).nullish(),
  user_id: z.string().max(256).nullish(),
  organization_id: z.string().max(256).nullish(),
  project_id: z.string().max(256).nullish(),
  blocked: z.boolean().nullish(),
  aliases,
  allowed_routes: z
    .array(
      z
        .string()
        .max(256)
        .refine(
          isRouteWord,
          `must be a path such as /v1/chat/completions or /v1/files/*, or one of ${ROUTE_GROUPS.join(', ')}`,
        ),
    )
    .max(100)
    .nullish(),
  key_type: z.enum(Object.keys(KEY_TYPES) as (keyof typeof KEY_TYPES)[]).nullish(),
  allowed_ips: z
    .array(z.string().refine(isRange, 'must be an address or a range such as 10.0.0.0/8 or fd00::/8'))
    .max(1_000)
    .nullish(),
  environment: z.enum(ENVIRONMENTS).nullish(),
  auto_rotate: z.boolean().nullish(),
  rotation_interval: duration.nullish(),
  rotation_grace: duration.nullish(),
}
/** A secret of the operator's own making. */
const secretOf = z
  .string()
  .regex(/^sk-[\x21-\x7e]{8,200}$/, "must start with 'sk-' and have at least 8 more characters")
export const generate = z.object({ ...fields, key: secretOf.nullish() })
export const update = z.object({ ...fields, key: z.string() })
/** Of /key/service-account/generate. */
export const serviceAccount = generate.extend({ service_account_id: z.string().max(200).nullish() })
/** Of /key/regenerate. */
export const regeneration = z.object({
  ...fields,
  key: z.string().min(1).nullish(),
  new_key: secretOf.nullish(),
  grace_period: z.union([duration, z.literal('0'), z.literal('')]).nullish(),
})

/** What a key's fields are checked against. */
export interface KeyHouse {
  register: Register
  /** Whether the gateway has a model of this very name. */
  hasModel(name: string): boolean
  rules: KeyRules
  /** What this gateway is; undefined: it does not say. */
  environment: string | undefined
  /** Who pays for a key: all that it belongs to. */
  payerOf(key: Key): Payer
  /** ms since the epoch. */
  now(): number
}

export function readGenerate(
  body: Readonly<Record<string, unknown>>,
  house: KeyHouse,
  reach: Reach,
): { wanted: NewKey; secret: string | undefined } {
  guardFields(reach, body, undefined, house.register)
  const said = readBody(generate, withOwner(reach, withDefaults(house.rules, body)))
  const asked = heldTo(house.rules, said, sharedBy(house.register, said.budget_id), true)
  // What is made here is for here, unless something else is said.
  const { environment } = house
  const none: NewKey = { models: [], tags: [], limits: {}, blocked: false, metadata: {}, environment }
  const wanted = { ...none, ...changesOf(asked, none, house) }
  guardKey(reach, wanted, undefined, house)
  return { wanted, secret: asked.key ?? undefined }
}

/** A key that is a team's and nobody's: it goes on when people leave. LiteLLM notes its name in the metadata. */
export function readServiceAccount(
  { service_account_id: id, ...body }: Readonly<Record<string, unknown>>,
  house: KeyHouse,
  reach: Reach,
): { wanted: NewKey; secret: string | undefined } {
  const { team_id: team, user_id: user, key_alias: alias } = body
  if (!isEmpty(user))
    throw new Refusal(
      'invalid_request',
      'user_id: a service account has no user. Make a key of his: POST /key/generate.',
      {
        param: 'user_id',
      },
    )
  if (typeof team !== 'string' || team === '')
    throw new Refusal('invalid_request', 'team_id: a service account belongs to a team.', { param: 'team_id' })
  reach.need(reach.rulesTeam(team), `The team '${team.slice(0, 100)}'`, 'team_id')
  house.register.need('team', team, 'team_id')
  const made = readGenerate(body, house, reach)
  const name = [id, alias].find((one) => typeof one === 'string' && one !== '') ?? team
  const { userId: _, ...wanted } = made.wanted
  return { ...made, wanted: { ...wanted, metadata: { ...wanted.metadata, service_account_id: name } } }
}

export function readUpdate(
  body: Readonly<Record<string, unknown>>,
  find: (reference: string) => Key,
  house: KeyHouse,
  reach: Reach,
): { key: Key; changes: Partial<NewKey> } {
  const said = readBody(update, body)
  const key = find(said.key)
  guardFields(reach, body, key, house.register)
  const asked = heldTo(house.rules, said, sharedBy(house.register, said.budget_id), false)
  const changes = changesOf(asked, key, house)
  if (changes.metadata) changes.metadata = keptMetadata(reach, changes.metadata, key)
  guardKey(reach, { ...key, ...changes }, key, house)
  return { key, changes }
}

function sharedBy(register: Register, id: string | null | undefined): Record<string, unknown> {
  const template = id ? register.template(id) : undefined
  return template ? { ...showTerms(template), ...showLimits(template.limits) } : {}
}

type Asked = z.infer<z.ZodObject<typeof fields>>

/** null clears a field; a field that is not there is left alone. */
function changesOf(asked: Asked, before: NewKey, house: KeyHouse): Partial<NewKey> {
  const { register, now } = house
  const changes: Partial<NewKey> = { ...termsOf(asked, before, now()), limits: limitsOf(asked, before.limits) }
  if (asked.key_alias !== undefined) changes.name = asked.key_alias || undefined
  if (asked.models !== undefined) changes.models = asked.models ?? []
  if (asked.duration !== undefined) {
    const life = asked.duration === null || asked.duration === '-1' ? undefined : parsePeriod(asked.duration)
    changes.expiresAt = life ? expiryAfter(life, now()) : undefined
  }
  if (asked.metadata !== undefined) {
    changes.metadata = asked.metadata ?? {}
    // LiteLLM's older place for tags.
    const said = tags.safeParse(changes.metadata.tags)
    if (changes.metadata.tags !== undefined && !said.success)
      throw new Refusal('invalid_request', 'metadata.tags: a list of up to 10 texts.', { param: 'metadata.tags' })
    if (said.data) changes.tags = said.data
  }
  if (asked.pricing !== undefined) changes.pricing = asked.pricing ? readPricing(asked.pricing, house) : undefined
  if (asked.tags !== undefined) changes.tags = asked.tags ?? []
  // Where LiteLLM keeps it, too.
  const { allowed_passthrough_routes: passed } = asked
  if (passed !== undefined)
    changes.metadata = { ...(changes.metadata ?? before.metadata), allowed_passthrough_routes: passed ?? [] }
  for (const word of GUARD_WORDS)
    if (asked[word] !== undefined)
      changes.metadata = withWord(changes.metadata ?? before.metadata, word, asked[word] ?? undefined)
  if (asked.team_id !== undefined) changes.teamId = asked.team_id || undefined
  if (asked.user_id !== undefined) changes.userId = asked.user_id || undefined
  if (asked.organization_id !== undefined) changes.organizationId = asked.organization_id || undefined
  if (asked.project_id !== undefined) changes.projectId = asked.project_id || undefined
  if (asked.aliases !== undefined) changes.aliases = isEmpty(asked.aliases) ? undefined : (asked.aliases ?? undefined)
  const routes = asked.allowed_routes ?? (asked.key_type ? KEY_TYPES[asked.key_type] : asked.allowed_routes)
  if (routes !== undefined) changes.allowedRoutes = routes?.length ? routes : undefined
  if (asked.allowed_ips !== undefined) changes.allowedIps = asked.allowed_ips?.length ? asked.allowed_ips : undefined
  if (asked.environment !== undefined) changes.environment = asked.environment ?? undefined
  if (asked.blocked !== undefined) changes.blocked = asked.blocked ?? false
  if (asked.auto_rotate !== undefined || asked.rotation_interval || asked.rotation_grace)
    changes.rotation = rotationOf(asked, before.rotation, now())
  checkReferences({ ...before, ...changes }, asked, register)
  return changes
}

function withWord(metadata: NewKey['metadata'], word: string, value: unknown): NewKey['metadata'] {
  const { [word]: _, ...rest } = metadata
  return value === undefined ? rest : { ...rest, [word]: value }
}

/** How long a secret goes on that is due, where nobody says so. */
const USUAL_GRACE = '7d'

/** A schedule begins when it is said: a key that is old already is not due at once. */
function rotationOf(asked: Asked, before: Rotation | undefined, now: number): Rotation | undefined {
  if (asked.auto_rotate === false || asked.auto_rotate === null) return undefined
  const interval = asked.rotation_interval ?? before?.interval
  if (interval === undefined || (asked.auto_rotate === undefined && !before))
    throw new Refusal(
      'invalid_request',
      `${interval === undefined ? 'auto_rotate: needs rotation_interval: 30d, say' : 'rotation_interval: needs auto_rotate: true beside it'}.`,
      { param: interval === undefined ? 'rotation_interval' : 'auto_rotate' },
    )
  const grace = asked.rotation_grace ?? before?.grace ?? USUAL_GRACE
  return { interval, grace, since: before?.interval === interval ? before.since : now }
}

/** Alias → prices in LiteLLM's words. @throws Refusal for a word that is none: it would be billed as if it were not there */
function readPricing(said: Readonly<Record<string, Record<string, number>>>, house: KeyHouse): NewKey['pricing'] {
  const priced = Object.entries(said).map(([alias, words]) => {
    const at = `pricing.${alias}`
    const unknown = Object.keys(words).find((word) => !meaningOf(word))
    if (unknown)
      throw new Refusal('invalid_request', `${at}: '${unknown}' is no word for a price: input_cost_per_token is.`, {
        param: 'pricing',
      })
    if (!house.hasModel(alias))
      throw new Refusal('invalid_request', `${at}: there is no model of this name.`, { param: 'pricing' })
    return [alias, readPriceWords(words)] as const
  })
  return priced.length > 0 ? Object.fromEntries(priced) : undefined
}

/** A team or user may be a mere name that spend is counted by; whoever names one of the others means something that is there. */
function checkReferences(key: NewKey, asked: Asked, register: Register): void {
  register.checkTerms(key, asked)
  register.checkAliases(asked.aliases, 'aliases')
  if (asked.organization_id) register.need('organization', asked.organization_id, 'organization_id')
  const project = key.projectId === undefined ? undefined : register.holder('project', key.projectId)
  if (asked.project_id) register.need('project', asked.project_id, 'project_id')
  if (project?.teamId !== undefined && key.teamId !== undefined && project.teamId !== key.teamId)
    throw new Refusal(
      'invalid_request',
      `project_id: the project '${project.id}' belongs to the team '${project.teamId}', and the key to '${key.teamId}'.`,
      { param: 'project_id' },
    )
}

/** An old secret that still works, and when it was last seen since the start. */
type ShownOld = Readonly<{ hint: string; until: number; lastUse: number | undefined }>

/** A key as LiteLLM shows one: `spend` is that of the current window. Never the key itself. */
export function showKey(key: Key, money: Money, old: readonly ShownOld[], now: number): Record<string, unknown> {
  const due = dueOf(key)
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  return {
    token: key.id,
    key_name: `sk-...${key.hint}`,
    key_alias: key.name ?? null,
    models: key.models,
    ...showMoney(money),
    ...showTerms(key),
    ...showLimits(key.limits),
    expires: iso(key.expiresAt),
    blocked: key.blocked,
    team_id: key.teamId ?? null,
    user_id: key.userId ?? null,
    organization_id: key.organizationId ?? null,
    project_id: key.projectId ?? null,
    tags: key.tags,
    aliases: key.aliases ?? {},
    allowed_routes: key.allowedRoutes ?? [],
    allowed_ips: key.allowedIps ?? [],
    environment: key.environment ?? null,
    auto_rotate: due !== undefined,
    rotation_interval: key.rotation?.interval ?? null,
    rotation_grace: key.rotation?.grace ?? null,
    key_rotation_at: iso(due?.at),
    rotation_due: due !== undefined && due.at <= now,
    rotation_deadline: iso(due?.endsAt),
    rotation_count: key.serial ?? 0,
    last_rotation_at: iso(key.replacedAt),
    old_keys: old.map(({ hint, until, lastUse }) => ({
      ...{ key_name: `sk-...${hint}`, works_until: iso(until), last_used_at: iso(lastUse) },
    })),
    pricing: key.pricing
      ? Object.fromEntries(Object.entries(key.pricing).map(([alias, said]) => [alias, writeSaidWords(said)]))
      : null,
    metadata: key.metadata,
    created_at: iso(key.createdAt),
    updated_at: iso(key.updatedAt),
  }
}
