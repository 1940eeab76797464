/** What the bench upstream answers and what the load generator holds every answer against. */

/** Ends in a word that only a whole answer has. */
export const CONTENT = 'Every lane of the bridge has its own gate, and every coin is counted before the barrier lifts.'

const completion = (content: string): string =>
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1767323045,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 18, total_tokens: 30 },
  })

export const ANSWER = completion(CONTENT)
/** As long as the right one, with another word in it. */
export const WRONG_ANSWER = completion(CONTENT.replace('barrier', 'carrier'))

/** Chunks with text in a stream. */
export const CHUNKS = 64
/** How long a held stream takes, in ms. */
export const HELD_MS = 2500

const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1767323045, model: 'bench' }
const frame = (value: object): string => `data: ${JSON.stringify({ ...head, ...value })}\n\n`

export const word = (i: number): string => ` word${i}`
export const streamChunk = (i: number): string =>
  frame({
    choices: [
      {
        index: 0,
        delta: i === 0 ? { role: 'assistant', content: word(i) } : { content: word(i) },
        finish_reason: null,
      },
    ],
  })

const finish = frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
const usage = frame({ choices: [], usage: { prompt_tokens: 12, completion_tokens: CHUNKS, total_tokens: 12 + CHUNKS } })
export const STREAM_END = `${finish}${usage}data: [DONE]\n\n`
const STREAM_TEXT = Array.from({ length: CHUNKS }, (_, i) => word(i)).join('')

/** Whether a whole answer says what it should, whatever else a gateway added to it. */
export function rightAnswer(body: string): boolean {
  try {
    const reply = JSON.parse(body) as { choices: { message: { content: string } }[]; usage: { total_tokens: number } }
    return reply.choices[0]?.message.content === CONTENT && reply.usage.total_tokens === 30
  } catch {
    return false
  }
}

/** Whether a stream has every word once and in order, and its end. */
export function rightStream(body: string): boolean {
  let text = ''
  for (const line of body.split('\n')) {
    if (!line.startsWith('data: {')) continue
    try {
      const chunk = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }
      text += chunk.choices[0]?.delta.content ?? ''
    } catch {
      return false
    }
  }
  return text === STREAM_TEXT && body.endsWith('data: [DONE]\n\n')
}
