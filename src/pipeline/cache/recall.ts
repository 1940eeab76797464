/**
 * Looks for an answer that was given before, or is being given: of the cache, of the same request on its way, or of the
 * first request with this key of idempotency. Costs nothing where neither is in play.
 */
import { type CacheControls, type CacheRules, mayUse, tenantOf } from '../../core/cache-rules.ts'
import { Refusal } from '../../core/refusal.ts'
import { stableText } from '../../core/stable-text.ts'
import type { Chat, Json } from '../../dialects/canonical.ts'
import type { Call } from '../call.ts'
import type { Io } from '../io.ts'
import { isLocalOnly } from '../narrow.ts'
import { ownerOf } from '../recollect.ts'
import { controlsIn, controlsInHeader } from './controls.ts'
import { Flight } from './flight.ts'
import { formOf, type KeptAnswer } from './kept.ts'
import { askedOf, textOf } from './key.ts'
import { follow, replay } from './replay.ts'
import { look, type Meaning, meaningOf } from './semantic.ts'

const IDEMPOTENCY = 'idempotency-key'
/** A UUID has 36 characters; SDKs put words in front. */
const LONGEST = 255

/** What is looked for, and where what comes of it goes. */
export interface Recall {
  /** Where it would be in the cache; undefined: it is not for the cache. */
  key: string | undefined
  read: boolean
  write: boolean
  /** Whether those who ask the same meanwhile wait for it. */
  joins: boolean
  ttlMs: number
  maxAgeMs: number
  meaning: Meaning | undefined
  /** Where the answer to this key of idempotency is. */
  repeat: string | undefined
  /** What it asks, as a digest. */
  asked: string
  /** The answer that comes: others that ask the same may wait for it. */
  flight: Flight
  /** Ends the flight for those who come from now on. */
  over(): void
}

/** @returns the answer, where there is one; undefined, at once or later, where it has to be asked for */
export function recall(call: Call, io: Io): Promise<Response | undefined> | undefined {
  const wanted = wantedOf(call, io)
  return wanted && search(call, io, wanted)
}

async function search(call: Call, io: Io, wanted: Recall): Promise<Response | undefined> {
  const { flights } = io.cache
  for (;;) {
    const found = (await repeated(call, io, wanted)) ?? (await inCache(call, io, wanted))
    if (found) return found
    const name = flightName(call, wanted)
    const flight = name === undefined ? undefined : flights.get(name)
    if (!flight) {
      if (name !== undefined) takeOff(flights, name, wanted)
      break
    }
    sameBody(flight.asked, wanted)
    if (!flight.isWhole) break
    const joined = await follow(call, io, flight, wanted.repeat === undefined ? 'joined' : 'repeat')
    if (joined) return joined
  }
  call.recall = wanted
  if (wanted.repeat !== undefined) call.leaving.stay()
  return undefined
}

function takeOff(flights: Map<string, Flight>, name: string, wanted: Recall): void {
  const own = wanted.flight
  flights.set(name, own)
  wanted.over = () => {
    if (flights.get(name) === own) flights.delete(name)
  }
}

/** Within one key, so that whatever becomes of that key's leave, or of its money, is the same for all who wait. */
function flightName(call: Call, { key, repeat, read, write, joins }: Recall): string | undefined {
  if (repeat !== undefined) return `repeat ${repeat}`
  return key !== undefined && read && write && joins ? `${ownerOf(call.keyId)} ${key} ${formOf(call)}` : undefined
}

async function repeated(call: Call, io: Io, wanted: Recall): Promise<Response | undefined> {
  if (wanted.repeat === undefined) return undefined
  const kept = await io.cache.repeats.get(wanted.repeat)
  if (!kept) return undefined
  sameBody(kept.asked ?? '', wanted)
  await looked(call)
  return replay(call, io, kept, { how: 'repeat', key: undefined })
}

/** A whole answer waits for guardrails that look beside its request, wherever it comes from. @throws what they refuse with */
async function looked({ screening, leaving }: Call): Promise<void> {
  await screening?.beside
  if (leaving.revoked) throw leaving.revoked
}

/** A key of idempotency stands for one request (draft-ietf-httpapi-idempotency-key-header, 2.7). */
function sameBody(asked: string, wanted: Recall): void {
  if (wanted.repeat === undefined || asked === wanted.asked) return
  throw new Refusal(
    'idempotency_key_reused',
    'This Idempotency-Key was sent with another request before. A repeat has to be the same request; a new one needs a new key.',
    { param: 'Idempotency-Key' },
  )
}

async function inCache(call: Call, io: Io, wanted: Recall): Promise<Response | undefined> {
  const { key, read } = wanted
  if (key === undefined || !read) return undefined
  const young = (kept: KeptAnswer | undefined) =>
    kept && io.now() - kept.at <= wanted.maxAgeMs && canBeGiven(call, kept) ? kept : undefined
  const exact = young(await io.cache.answers.get(key))
  if (exact) await looked(call)
  if (exact) return replay(call, io, exact, { how: 'hit', key })
  if (!wanted.meaning) return undefined
  const near = await look(io, wanted.meaning)
  const alike = near && young(await io.cache.answers.get(near.key))
  if (alike) await looked(call)
  return alike && replay(call, io, alike, { how: 'hit', key: near.key, similarity: near.similarity })
}

/** What is forwarded is given as it came; everything else can be said in any dialect and form. */
const canBeGiven = (call: Call, kept: KeptAnswer): boolean =>
  call.door.dialect.op !== 'forward' || kept.form === formOf(call)

function wantedOf(call: Call, io: Io): Recall | undefined {
  const { rules } = io.cache
  const repeated = io.cache.keepRepeatsMs > 0 ? call.request.headers.get(IDEMPOTENCY) : null
  if (!rules && repeated === null) return undefined
  const controls: CacheControls = {
    ...ofKey(call),
    ...controlsInHeader(call.request.headers.get('cache-control')),
    ...call.wishes.cache,
  }
  const use = rules && isCacheable(call, rules) ? mayUse(rules, controls) : { read: false, write: false }
  if (!use.read && !use.write && repeated === null) return undefined
  const asked = askedOf(call)
  const repeat = repeated === null ? undefined : repeatOf(call, io, asked, repeated)
  const wanted: Recall = {
    key: undefined,
    ...use,
    joins: false,
    ttlMs: controls.ttlMs ?? rules?.ttlMs ?? 0,
    maxAgeMs: controls.maxAgeMs ?? Number.POSITIVE_INFINITY,
    meaning: undefined,
    repeat: repeat?.key,
    asked: repeat?.asked ?? '',
    flight: new Flight(repeat?.asked ?? '', repeat !== undefined, io.cache.largest),
    over: () => {},
  }
  if (!rules || !(use.read || use.write)) return wanted
  const messages = (asked as { messages?: unknown[] }).messages?.length ?? 0
  if (messages > rules.mostMessages) return wanted.repeat === undefined ? undefined : wanted
  const tenant = tenantOf(rules.tenant, call.payer)
  wanted.key = `${tenant}:${io.cache.digest(textOf(call, asked, rules, controls.namespace))}`
  // What was taken out of it, or must not leave the house, is shown to no model of meanings.
  const isSecret = call.isRewritten || isLocalOnly(call)
  wanted.meaning = isSecret
    ? undefined
    : rules.semantic && meaningOf(call, io, asked, rules, tenant, controls.namespace)
  wanted.joins = rules.joins
  return wanted
}

/** Where the answer to a key of idempotency is, and what its request asks. */
function repeatOf(call: Call, io: Io, asked: Chat | Json, said: string): { key: string; asked: string } {
  // A form that is sent again has another boundary.
  const what = call.form ? new TextEncoder().encode(stableText(asked)) : call.received
  return {
    key: `${ownerOf(call.keyId)}:${io.cache.digest(nameOf(said))}`,
    asked: io.cache.digest(`${formOf(call)} ${call.peek.model}`, what),
  }
}

function nameOf(said: string): string {
  if (said !== '' && said.length <= LONGEST) return said
  throw new Refusal('invalid_request', `An Idempotency-Key has 1 to ${LONGEST} characters.`, {
    param: 'Idempotency-Key',
  })
}

/** Failures that are only played are no answers, and what another framing was put on is not one to be read again. */
function isCacheable({ door, wishes }: Call, rules: CacheRules): boolean {
  return rules.calls.has(door.call) && !door.reshape && wishes.plays === undefined
}

/** LiteLLM: what a key's metadata says of all its requests (`cache: {"no-cache": true}`). */
function ofKey({ who }: Call): CacheControls | undefined {
  const said = who?.key?.metadata.cache
  return said === undefined || said === null ? undefined : controlsIn(said)
}
