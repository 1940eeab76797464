/** What was used, made whole by what the gateway knows of a request itself: no provider tells it, and some charge for it. */
import type { Priced } from '../core/price.ts'
import { type Counts, type Service, serviceOf, type Usage, type UsageSource } from '../core/usage.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import { charactersOf, heardTokens, mediaOf } from './loads.ts'
import { askedService } from './price.ts'

interface Used {
  usage: Usage
  source: UsageSource
}

/**
 * Adds the service that was asked for where the answer does not say how it was served; the time that the answer took where
 * time is what costs and nobody measured it; characters that were spoken, and the length of recordings.
 * @param endedAt ms since the epoch
 */
export function completed(call: Call, hold: OpenHold, used: Used, endedAt: number): Used {
  const { price } = hold
  if (price.kind !== 'priced') return used
  const { usage } = used
  const service = serviceFor(call, hold, price, usage)
  const known = beside(call, hold, price, usage, endedAt)
  const spoken = spokenBy(call, price, usage) ?? heardBy(call, price, usage)
  if (!service && !known && !spoken) return used
  const all: Usage = { ...usage, ...known, ...spoken }
  if (service) all.service = service
  const source = used.source !== 'none' ? used.source : spoken ? 'estimated' : known ? 'counted' : 'none'
  return { usage: all, source }
}

function serviceFor(call: Call, hold: OpenHold, price: Priced, usage: Usage): Service | undefined {
  if (usage.service !== undefined || !price.services) return undefined
  return call.services.get(hold) ?? serviceOf(askedService(call, hold.attempt.target))
}

function beside(
  call: Call,
  { attempt }: OpenHold,
  { rates }: Priced,
  usage: Usage,
  endedAt: number,
): Partial<Counts> | undefined {
  const more: Partial<Counts> = {}
  const { op, id } = call.door.dialect
  // What has media is paid by its length, not by the time that it takes (LiteLLM's input_cost_per_second).
  if (rates.gpu > 0 && usage.gpuMs === 0 && op !== 'forward')
    more.gpuMs = Math.max(0, Math.round(endedAt - attempt.startedAt))
  if (rates.character > 0 && usage.characters === 0 && id === 'openai-speech') more.characters = charactersOf(call)
  if (rates.media > 0 && usage.mediaMs === 0 && call.form) more.mediaMs = mediaOf(call).likely
  return Object.values(more).some((count) => count > 0) ? more : undefined
}

/**
 * Tokens of speech for each character that is spoken: a voice that is sold by the token tells none of them with its sound
 * (gpt-4o-mini-tts: 1,250 a minute by its price, and 900 characters are a minute).
 */
const TOKENS_A_CHARACTER = 1.4
const CHARACTERS_A_TOKEN = 4

/** A transcription as bare text tells nothing of the recording. */
function heardBy(call: Call, price: Priced, usage: Usage): Partial<Counts> | undefined {
  if (usage.input > 0 || usage.mediaMs > 0) return undefined
  const audioInput = heardTokens(call, price)?.likely
  return audioInput === undefined ? undefined : { input: audioInput, audioInput }
}

function spokenBy(call: Call, { rates }: Priced, usage: Usage): Partial<Counts> | undefined {
  if (call.door.dialect.id !== 'openai-speech' || usage.output > 0) return undefined
  if (rates.audioOutput === 0 || rates.character > 0) return undefined
  const characters = charactersOf(call)
  const audioOutput = Math.ceil(characters * TOKENS_A_CHARACTER)
  return { input: Math.ceil(characters / CHARACTERS_A_TOKEN), output: audioOutput, audioOutput }
}
