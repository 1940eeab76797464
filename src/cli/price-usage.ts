/** A usage as the command line says it. */
import { type Usage, usage } from '../core/usage.ts'
import { UsageError } from './terminal.ts'

const flag = (description: string) => ({ type: 'string', description }) as const

export const usageArgs = {
  tokens: flag('Tokens of the whole prompt and of the answer: 1000:500, or 1000'),
  cached: flag('Of the prompt, tokens read from the cache'),
  written: flag('Of the prompt, tokens written to the cache for 5 minutes'),
  'written-hour': flag('Of the prompt, tokens written to the cache for an hour'),
  reasoning: flag('Of the answer, tokens of reasoning'),
  audio: flag('Of prompt and answer, tokens of audio: 200:100, or 200'),
  'image-tokens': flag('Of prompt and answer, tokens of images: 200:100, or 200'),
  images: flag('Images that are made'),
  seconds: flag('Seconds of media that is heard or made'),
  'gpu-seconds': flag('Seconds that the machine works'),
  characters: flag('Characters that are spoken'),
  searches: flag('Searches, or search units of a ranking'),
} as const

export type UsageArgs = { readonly [F in keyof typeof usageArgs]?: string | undefined }

/** @throws UsageError naming what is no number, or more than there is */
export function usageOf(args: UsageArgs): Usage {
  const said = (Object.keys(usageArgs) as (keyof UsageArgs)[]).some((name) => args[name] !== undefined)
  if (!said) throw new UsageError('what is used? `--tokens 1000:500` is, or for instance `--images 1`.')
  const [input, output] = pair('tokens', args)
  const [audioInput, audioOutput] = pair('audio', args)
  const [imageInput, imageOutput] = pair('image-tokens', args)
  const used = usage({
    ...{ input, output, audioInput, audioOutput, imageInput, imageOutput },
    cacheRead: whole('cached', args),
    cacheWrite: whole('written', args),
    cacheWriteHour: whole('written-hour', args),
    reasoning: whole('reasoning', args),
    images: whole('images', args),
    mediaMs: ms('seconds', args),
    gpuMs: ms('gpu-seconds', args),
    characters: whole('characters', args),
    searches: whole('searches', args),
  })
  if (used.input > input)
    throw new UsageError(`what is cached, written, audio or images is ${used.input} of a prompt of ${input} tokens.`)
  if (used.output > output)
    throw new UsageError(`what is reasoning, audio or images is ${used.output} of an answer of ${output} tokens.`)
  return used
}

const WHOLE = /^\d{1,9}$/

function whole(name: keyof UsageArgs, args: UsageArgs): number {
  const said = args[name] ?? '0'
  if (!WHOLE.test(said)) throw new UsageError(`\`--${name} ${said}\` is no whole number.`)
  return Number(said)
}

function pair(name: keyof UsageArgs, args: UsageArgs): [input: number, output: number] {
  const said = args[name] ?? '0'
  const parts = said.split(':')
  if (parts.length > 2 || !parts.every((part) => WHOLE.test(part)))
    throw new UsageError(`\`--${name} ${said}\` is no number of tokens: 1000 is, or 1000:500.`)
  return [Number(parts[0]), Number(parts[1] ?? 0)]
}

function ms(name: keyof UsageArgs, args: UsageArgs): number {
  const said = args[name] ?? '0'
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(said)) throw new UsageError(`\`--${name} ${said}\` is no number of seconds.`)
  return Math.round(Number(said) * 1000)
}
