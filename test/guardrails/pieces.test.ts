/** Secrets in every kind of piece and every choice of a stream, cut anywhere: past guards and over the wire. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { seeded } from '../support/seeded.ts'

const WORD = 'mandragora'
const NAME = '<BANNED_WORD_1>'

type Json = Record<string, unknown>

let upstream: ReturnType<typeof Bun.serve>
let gateway: Gateway
/** Bytes of the next answer, in their chunks. */
let chunks: Uint8Array[] = []

beforeAll(async () => {
  upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => {
      const parts = [...chunks]
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const part = parts.shift()
          if (part) controller.enqueue(part)
          else controller.close()
          await Bun.sleep(0)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  const guard = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'words', words: [WORD], whole_words: false, on_flagged: 'redact', ...more },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [
        {
          model_name: 'm',
          litellm_params: { model: 'openai/m', api_base: `http://127.0.0.1:${upstream.port}/v1`, api_key: 'k' },
        },
      ],
      guardrails: [guard('out', { mode: 'post_call' }), guard('restore', { mode: 'pre_call', restore: true })],
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  await upstream?.stop(true)
})

const pieces = (text: string, random: () => number): string[] => {
  const parts: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + Math.floor(random() * 12)
    parts.push(text.slice(at, end))
    at = end
  }
  return parts
}

/** An answer of two choices that think, talk and call, each with `word` in all of it, mixed and cut at random. */
function answer(word: string, random: () => number): Uint8Array[] {
  const ofChoice = (index: number): Json[] => {
    const delta = (said: Json): Json => ({ index, delta: said, finish_reason: null })
    const args = (text: string): Json => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })
    return [
      ...pieces(`I think ${word} of it, ${word}`, random).map((part) => delta({ reasoning_content: part })),
      ...pieces(`He said ${word} and then ${word}${word} to them`, random).map((part) => delta({ content: part })),
      delta({
        tool_calls: [{ index: 0, id: `call_${index}`, type: 'function', function: { name: 'f', arguments: '' } }],
      }),
      ...pieces(JSON.stringify({ a: `"${word}"`, [word]: [word] }), random).map((part) => delta(args(part))),
      { index, delta: {}, finish_reason: 'tool_calls' },
    ]
  }
  const queues = [ofChoice(0), ofChoice(1)]
  let wire = ''
  const chunk = (choices: Json[], more: Json = {}) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`
  while (queues.some((left) => left.length > 0)) {
    const next = queues[random() < 0.5 ? 0 : 1]?.shift()
    if (next) wire += chunk([next])
  }
  wire += `${chunk([], { usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 } })}data: [DONE]\n\n`
  const bytes = new TextEncoder().encode(wire)
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(random() * 900)
    parts.push(bytes.subarray(at, end))
    at = end
  }
  return parts
}

async function ask(
  guard: string,
): Promise<{ written: string; choices: { thought: string; text: string; args: string }[] }> {
  const response = await gateway.call('POST', '/v1/chat/completions', {
    ...{ model: 'm', n: 2, stream: true, guardrails: [guard] },
    messages: [{ role: 'user', content: `know ${WORD}?` }],
  })
  const written = await response.text()
  const choices = [0, 1].map(() => ({ thought: '', text: '', args: '' }))
  for (const line of written.split('\n')) {
    if (!line.startsWith('data: {')) continue
    for (const { index, delta } of JSON.parse(line.slice(6)).choices) {
      const to = choices[index] as (typeof choices)[number]
      to.thought += delta.reasoning_content ?? ''
      to.text += delta.content ?? ''
      to.args += delta.tool_calls?.[0]?.function?.arguments ?? ''
    }
  }
  return { written, choices }
}

test('nothing forbidden leaves, in any of them, and all else does', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    chunks = answer(WORD, seeded(seed))
    const { written, choices } = await ask('out')
    expect([seed, written.includes(WORD)]).toEqual([seed, false])
    const star = '<BANNED_WORD>'
    for (const { thought, text, args } of choices) {
      expect([seed, thought, text]).toEqual([
        seed,
        `I think ${star} of it, ${star}`,
        `He said ${star} and then ${star}${star} to them`,
      ])
      expect(JSON.parse(args)).toEqual({ a: `"${star}"`, [star]: [star] })
    }
    expect(written.endsWith('data: [DONE]\n\n')).toBeTrue()
  }
})

test('what was taken out comes back in texts and calls of every choice; what was thought stays as it was signed', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    chunks = answer(NAME, seeded(seed))
    const { choices } = await ask('restore')
    for (const { thought, text, args } of choices) {
      expect([seed, thought, text]).toEqual([
        seed,
        `I think ${NAME} of it, ${NAME}`,
        `He said ${WORD} and then ${WORD}${WORD} to them`,
      ])
      expect(JSON.parse(args)).toEqual({ a: `"${WORD}"`, [WORD]: [WORD] })
    }
  }
})
