import { z } from 'zod'
import type { Json } from '../src/dialects/canonical.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/**
 * A model that needs nothing: the same question always gets the same answer, a token is a word, it calls the first
 * tool it is offered, and it streams. So the first `curl` works on a machine with no model and no key.
 */
export default defineProvider({
  id: 'demo',
  settings: z.object({}),
  speaks: {
    'openai-chat': '/chat/completions',
    'openai-completions': '/completions',
    'openai-embeddings': '/embeddings',
  },
  origin: () => 'demo:',
  headers: () => ({}),
  abilities: { tools: true },
  local: true,
  list: { path: '/models', read: () => ['demo'] },
  inProcess: ({ path, body, signal }) => {
    if (path.endsWith('/embeddings')) return embeddings(body)
    if (path.endsWith('/models')) return Response.json({ data: [{ id: 'demo' }] })
    return path.endsWith('/chat/completions') ? chat(body, signal) : completion(body, signal)
  },
})

const words = (text: string): string[] => text.match(/\S+\s*/g) ?? []

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((p: { text?: string }) => p.text ?? '').join(' ')
}

interface Answer {
  text: string
  call?: { name: string; args: string }
  finish: 'stop' | 'length' | 'tool_calls'
  usage: Json
}

function answerTo(messages: { role: string; content?: unknown }[], body: Json): Answer {
  const last = messages.at(-1)
  const tools = body.tools as { function: { name: string } }[] | undefined
  const prompt = messages.reduce((n, m) => n + words(textOf(m.content)).length, 0)
  const count = (completion: number): Json => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  })
  if (tools?.[0] && last?.role !== 'tool' && body.tool_choice !== 'none')
    return { text: '', call: { name: tools[0].function.name, args: '{}' }, finish: 'tool_calls', usage: count(3) }
  const full = words(`This is Tollgate's demo model. You said: ${textOf(last?.content)}`)
  const most = (body.max_completion_tokens ?? body.max_tokens ?? full.length) as number
  const said = full.slice(0, most)
  return { text: said.join(''), finish: said.length < full.length ? 'length' : 'stop', usage: count(said.length) }
}

function chat(body: Json, signal: AbortSignal): Response {
  const answer = answerTo(body.messages as { role: string; content?: unknown }[], body)
  const head = { id: 'chatcmpl-demo', created: 0, model: 'demo' }
  const call = answer.call && [
    { index: 0, id: 'call_demo', type: 'function', function: { name: answer.call.name, arguments: answer.call.args } },
  ]
  if (body.stream !== true) {
    const message = {
      role: 'assistant',
      content: answer.call ? null : answer.text,
      ...(call ? { tool_calls: call.map(({ index: _, ...c }) => c) } : {}),
    }
    const choices = [{ index: 0, message, finish_reason: answer.finish }]
    return Response.json({ ...head, object: 'chat.completion', choices, usage: answer.usage })
  }
  const chunk = (delta: Json, finish: string | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  const chunks: Json[] = [chunk({ role: 'assistant', content: '' })]
  if (call) chunks.push(chunk({ tool_calls: call }))
  else chunks.push(...words(answer.text).map((content) => chunk({ content })))
  chunks.push(chunk({}, answer.finish), { ...head, object: 'chat.completion.chunk', choices: [], usage: answer.usage })
  return stream(chunks, signal)
}

function completion(body: Json, signal: AbortSignal): Response {
  const answer = answerTo([{ role: 'user', content: body.prompt }], body)
  const head = { id: 'cmpl-demo', object: 'text_completion', created: 0, model: 'demo' }
  if (body.stream !== true)
    return Response.json({
      ...head,
      choices: [{ index: 0, text: answer.text, finish_reason: answer.finish }],
      usage: answer.usage,
    })
  const chunks: Json[] = words(answer.text).map((text) => ({
    ...head,
    choices: [{ index: 0, text, finish_reason: null }],
  }))
  chunks.push(
    { ...head, choices: [{ index: 0, text: '', finish_reason: answer.finish }] },
    { ...head, choices: [], usage: answer.usage },
  )
  return stream(chunks, signal)
}

/** Eight numbers made of the text's own bytes: alike texts are alike, and the same text is always the same. */
function embeddings(body: Json): Response {
  const input = (Array.isArray(body.input) ? body.input : [body.input]) as string[]
  const data = input.map((text, index) => {
    const sums = new Float32Array(8)
    for (const [i, byte] of new TextEncoder().encode(String(text)).entries())
      sums[i % 8] = (sums[i % 8] as number) + byte / 255
    const length = Math.hypot(...sums) || 1
    const vector = sums.map((x) => x / length)
    const embedding = body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const tokens = input.reduce((n, text) => n + words(String(text)).length, 0)
  return Response.json({ object: 'list', data, model: 'demo', usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

/** One event a tick, so that it can be seen to stream. */
function stream(chunks: Json[], signal: AbortSignal): Response {
  const encoder = new TextEncoder()
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(at === 0 ? 0 : 5)
      if (signal.aborted) return controller.close()
      if (at < chunks.length) return controller.enqueue(encoder.encode(`data: ${JSON.stringify(chunks[at++])}\n\n`))
      controller.enqueue(encoder.encode('data: [DONE]\n\n'))
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}
