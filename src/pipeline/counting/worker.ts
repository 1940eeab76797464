/**
 * Counts tokens with OpenAI's vocabularies, in a thread of its own: loading one takes a quarter of a second and 60 MB, and
 * 100 kB of text 12 ms (measured). It is begun when something has to be counted for the first time.
 */
import { Tiktoken } from 'tiktoken/lite'
import { dialects, targetDialects } from '../../dialects/index.ts'
import type { Counted, CountJob } from './job.ts'
import { answerTexts, promptTexts } from './texts.ts'
import { type Vocabulary, vocabularyOf } from './vocabulary.ts'

declare const self: Worker

const loaded = new Map<Vocabulary, Tiktoken>()

async function encoderOf(model: string): Promise<Tiktoken> {
  const name = vocabularyOf(model)
  let encoder = loaded.get(name)
  if (!encoder) {
    const ranks =
      name === 'o200k_base'
        ? await import('tiktoken/encoders/o200k_base.json')
        : await import('tiktoken/encoders/cl100k_base.json')
    const { bpe_ranks, special_tokens, pat_str } = ranks.default
    encoder = new Tiktoken(bpe_ranks, special_tokens, pat_str)
    loaded.set(name, encoder)
  }
  return encoder
}

/** A run of letters without a space takes the square of its length (20,000 of them 0.2 s, measured): it is counted in pieces. */
const LONGEST_RUN = 1_000
const RUNS = new RegExp(`\\S{${LONGEST_RUN}}`, 'g')

function tokensIn(encoder: Tiktoken, text: string): number {
  let tokens = 0
  let from = 0
  for (const { index } of text.matchAll(RUNS)) {
    tokens += encoder.encode_ordinary(text.slice(from, index + LONGEST_RUN)).length
    from = index + LONGEST_RUN
  }
  return tokens + encoder.encode_ordinary(text.slice(from)).length
}

/** What a message adds to its text (its role and its frame), and the beginning of an answer (OpenAI's cookbook, "How to count tokens"). */
const A_MESSAGE = 4
const AN_ANSWER = 3

async function count({ model, request, answer }: CountJob): Promise<Counted> {
  const encoder = await encoderOf(model)
  const counted: Counted = { input: undefined, output: 0, reasoning: 0, frames: 0 }
  if (answer) {
    const { said, thought, frames, told } = answerTexts(targetDialects[answer.dialect], answer)
    counted.reasoning = tokensIn(encoder, thought)
    counted.output = counted.reasoning + tokensIn(encoder, said)
    counted.frames = frames
    counted.told = told
  }
  const dialect =
    request && request.dialect in dialects ? dialects[request.dialect as keyof typeof dialects] : undefined
  const prompt = request && dialect ? promptTexts(dialect, request) : undefined
  if (prompt?.isText) {
    const frame = prompt.messages > 0 ? prompt.messages * A_MESSAGE + AN_ANSWER : 0
    counted.input = prompt.texts.reduce((sum, text) => sum + tokensIn(encoder, text), prompt.ids + frame)
  }
  return counted
}

self.onmessage = async ({ data }: MessageEvent<{ id: number; job: CountJob }>) => {
  const { id, job } = data
  try {
    self.postMessage({ id, counted: await count(job) })
  } catch {
    // What cannot be read is estimated.
    self.postMessage({ id })
  }
}
