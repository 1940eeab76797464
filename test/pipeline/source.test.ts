/** A stream that fails within a chunk that holds words, too. */
import { expect, test } from 'bun:test'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { Refusal } from '../../src/core/refusal.ts'
import { dialects } from '../../src/dialects/index.ts'
import { relayCarrier, Source, transcodeCarrier } from '../../src/pipeline/source.ts'
import { ANSWERING, plainChat } from '../dialects/support.ts'

const line = (content: string) =>
  `${JSON.stringify({ model: 'm', message: { role: 'assistant', content }, done: false })}\n`
const ERROR = '{"error":"llama runner process has terminated"}\n'

/** Each of these is one chunk of the upstream. */
function sourceOf(to: 'ollama-chat' | 'openai-responses', ...chunks: readonly string[]): Source {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })
  const from = dialects['ollama-chat']
  const carrier =
    to === from.id ? relayCarrier(from, false) : transcodeCarrier(from, dialects[to], plainChat(), ANSWERING)
  return new Source(body, 'ndjson', carrier, new AbortController())
}

/** What is sent, and the failure at its end. */
async function run(source: Source): Promise<[string, unknown]> {
  let sent = ''
  try {
    for (;;) {
      const part = await source.read()
      if (part === undefined) return [sent, undefined]
      sent += new TextDecoder().decode(part)
    }
  } catch (cause) {
    return [sent, cause]
  }
}

test.each(['ollama-chat', 'openai-responses'] as const)(
  '%s: words before a failure in one chunk are sent',
  async (to) => {
    const [sent, cause] = await run(sourceOf(to, line('one'), line('two') + ERROR + line('three')))
    expect(cause).toBeInstanceOf(UpstreamFailure)
    expect(sent).toContain('one')
    expect(sent).toContain('two')
    expect(sent).not.toContain('three')
  },
)

test('events that are numbered have all their numbers', async () => {
  const source = sourceOf('openai-responses', line('one'), line('two') + ERROR)
  const [sent] = await run(source)
  const all = sent + source.error(new Refusal('stream_interrupted', 'It broke.'))
  const numbers = [...all.matchAll(/"sequence_number":(\d+)/g)].map(([, n]) => Number(n))
  expect(numbers).toEqual(numbers.map((_, i) => i))
})

test('where nothing was said before the chunk, it fails at once: another target may answer', async () => {
  const [sent, cause] = await run(sourceOf('openai-responses', line('one') + ERROR))
  expect(cause).toBeInstanceOf(UpstreamFailure)
  expect(sent).toBe('')
})
